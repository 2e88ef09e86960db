/* The parts of exec: strings, the ELF image, the first stack. */
#ifndef PROCESS_EXEC_H
#define PROCESS_EXEC_H
#include "fs/vfs.h"
#include "mm/mm.h"

#define EXEC_STRING_MAX (128ul * 1024)  /* for one, and for the first ones in all: MAX_ARG_STRLEN of Linux */
#define EXEC_STRINGS_MAX (2048ul * 1024) /* with what points to them: a quarter of the usual stack, as there */
#define EXEC_HEADER_SIZE 1024 /* of a file, read to see what it is */

struct exec_strings {
    char *text; /* argv, then envp, one after another, each with its terminator */
    size_t size, used;
    int argc, envc;
};

struct exec_image {
    vaddr_t start; /* the first instruction: the interpreter's, if there is one */
    vaddr_t entry, program_headers; /* the program's */
    uint16_t program_header_count;
    bool has_interpreter;
    off_t interpreter_at; /* its path in the file */
    size_t interpreter_size;
    vaddr_t interpreter_base;
    vaddr_t stack;
};

/*
 * elf.c. Map the program (ELF-64, System V ABI chapter 5) into `mm`, which is nobody's yet; *image
 * says where. `header` is its first EXEC_HEADER_SIZE bytes. 0, -ENOEXEC, -ENOMEM, -EIO: the caller
 * puts `mm`.
 */
long elf_load(struct mm *mm, struct inode *inode, const char *header, struct exec_image *image);
/* The interpreter that it names, mapped as well: it starts first. 0, -ELIBBAD, -ENOMEM, -EIO. */
long elf_load_interpreter(struct mm *mm, struct inode *inode, const char *header,
                          struct exec_image *image);
/* Build the initial stack (x86-64 psABI, section 3.4.1); image->stack is where it ends. 0, -E2BIG,
 * -ENOMEM. */
long stack_build(struct mm *mm, const struct exec_strings *strings, const char *path,
                 struct exec_image *image);

/* execve(2), `path` from `base`, argv and envp in user memory: replace the current program, 0; its call
 * returns into the new one. Or an error of the manual page, with the old program unchanged. */
long exec_program(struct inode *base, const char *path, uint64_t argv, uint64_t envp);
/* The first program, with a usual environment; the machine ends if it cannot be run. By the first
 * task. */
void exec_first(const char *path);

#endif
