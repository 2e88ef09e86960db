/* ELF-64, as far as start-up and a test of exec need it (System V ABI, chapters 4, 5 and 6). */
#ifndef ULIB_ELF_H
#define ULIB_ELF_H
#include <stdint.h>
enum { PT_NULL, PT_LOAD, PT_INTERP = 3, PT_TLS = 7, AT_PHDR = 3, AT_PHNUM = 5 };
enum { ET_REL = 1, ET_EXEC, ET_DYN, ET_CORE, EM_386 = 3, EM_X86_64 = 62, EM_AARCH64 = 183 };
enum { PF_X = 1, PF_W = 2, PF_R = 4 };
typedef struct {
    unsigned char e_ident[16];
    uint16_t e_type, e_machine;
    uint32_t e_version;
    uint64_t e_entry, e_phoff, e_shoff;
    uint32_t e_flags;
    uint16_t e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx;
} Elf64_Ehdr;
typedef struct {
    uint32_t p_type, p_flags;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
} Elf64_Phdr;
typedef struct {
    uint64_t a_type, a_val;
} Elf64_auxv_t;
#endif
