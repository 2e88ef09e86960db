/* From the kernel's stack to main; errno, and how a call's answer gets there. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "internal.h"
#include "thread/thread.h"

char **environ;
static _Thread_local int error_number;
int main(int argc, char **argv, char **envp);

/* The constructors (System V gABI, chapter 5, "Initialization and Termination"), by the linker. */
typedef void (*constructor)(int argc, char **argv, char **envp);
extern constructor __init_array_start[], __init_array_end[];

/* The layout: argc, argv[], NULL, envp[], NULL, auxv[]. */
_Noreturn void ulib_start(long *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1), **end;

    environ = argv + argc + 1;
    for (end = environ; *end; end++) {
    }
    thread_start_main((const Elf64_auxv_t *)(end + 1));
    for (constructor *at = __init_array_start; at != __init_array_end; at++) {
        (*at)(argc, argv, environ);
    }
    exit(main(argc, argv, environ));
}

int *__errno_location(void)
{
    return &error_number;
}

long ulib_result(long result)
{
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}
