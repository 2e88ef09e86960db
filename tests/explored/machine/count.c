/*
 * A program of which every instruction is known: main() is what is explored, and COUNT says how many it
 * executes up to its end. Between them come what leads into the kernel: a system call, a page fault, a
 * signal. Given LOOPS, the middle of it is repeated.
 */
#ifndef LOOPS
#define LOOPS 1000
#endif
#define TEXT(value) #value
#define STRING(value) TEXT(value)

__asm__(
    ".globl _start, main\n"
    "_start:\n"
    "    jmp main\n"
    "main:\n"
    "    mov $" STRING(LOOPS) ", %ecx\n"      /* 1 */
                              "1:  dec %ecx\n"                          /* 2 * LOOPS */
                              "    jnz 1b\n"
    "    mov $39, %eax\n"                     /* getpid: 2 */
                              "    syscall\n"
    "    movl $1, page\n"                     /* a page that is not there yet: 1 */
                              "    mov $13, %eax\n"                     /* rt_sigaction(SIGUSR1, &action, NULL, 8): 6 */
                              "    mov $10, %edi\n"
    "    mov $action, %esi\n"
    "    xor %edx, %edx\n"
    "    mov $8, %r10d\n"
    "    syscall\n"
    "    mov $39, %eax\n"                     /* kill(getpid(), SIGUSR1): 6 */
                              "    syscall\n"
    "    mov %eax, %edi\n"
    "    mov $10, %esi\n"
    "    mov $62, %eax\n"
    "    syscall\n"
    "    nop\n"                               /* 1 */
                              "    mov $60, %eax\n"                     /* exit(0): 3 */
                              "    xor %edi, %edi\n"
    "    syscall\n"
    "handler:\n"
    "    nop\n"                               /* 2 */
                              "    ret\n"
    "restorer:\n"
    "    mov $15, %eax\n"                     /* rt_sigreturn: 2 */
                              "    syscall\n"
    ".data\n"
    "action: .quad handler, 0x04000000, restorer, 0\n" /* SA_RESTORER */
                              ".bss\n"
    ".balign 4096\n"
    "page: .skip 4096\n"
    ".text\n");

int count = 2 * LOOPS + 24; /* for the reader; tests/exploring.py has the same */
