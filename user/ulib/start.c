/*
 * From the kernel's stack to main: environment, thread-local storage, exit.
 *
 * The thread control block is the word %fs:0, which points at itself; thread-local variables lie
 * right below it (ELF TLS variant II, x86-64). The template is the PT_TLS segment.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

char **environ;
_Thread_local int errno;
int main(int argc, char **argv, char **envp);

static char tls_area[512] __attribute__((aligned(64)));
static void (*exit_functions[32])(void);
static int exit_count;

static void tls_init(const Elf64_auxv_t *aux)
{
    const Elf64_Phdr *headers = NULL;
    unsigned long count = 0;
    char *block = tls_area + sizeof(tls_area) - 64;

    for (; aux->a_type; aux++) {
        if (aux->a_type == AT_PHDR) {
            headers = (const Elf64_Phdr *)aux->a_val;
        } else if (aux->a_type == AT_PHNUM) {
            count = aux->a_val;
        }
    }
    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type == PT_TLS) {
            size_t size = (headers[i].p_memsz + headers[i].p_align - 1) & -headers[i].p_align;

            if (size > sizeof(tls_area) - 64) {
                ulib_syscall(231, 127, 0, 0, 0, 0, 0); /* more than fits: nothing works yet */
            }
            memcpy(block - size, (void *)headers[i].p_vaddr, headers[i].p_filesz);
        }
    }
    *(void **)block = block;
    ulib_syscall(158, 0x1002, (long)block, 0, 0, 0, 0); /* arch_prctl(ARCH_SET_FS) */
}

/* The layout: argc, argv[], NULL, envp[], NULL, auxv[]. */
_Noreturn void ulib_start(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1), **end;

    environ = argv + argc + 1;
    for (end = environ; *end; end++) {
    }
    tls_init((const Elf64_auxv_t *)(end + 1));
    exit(main(argc, argv, environ));
}

int atexit(void (*function)(void))
{
    if (exit_count == 32) {
        return -1;
    }
    exit_functions[exit_count++] = function;
    return 0;
}

_Noreturn void exit(int code)
{
    while (exit_count > 0) {
        exit_functions[--exit_count]();
    }
    ulib_flush_all();
    _exit(code);
}

_Noreturn void _exit(int code)
{
    for (;;) {
        ulib_syscall(231, code, 0, 0, 0, 0, 0);
    }
}

long ulib_result(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}
