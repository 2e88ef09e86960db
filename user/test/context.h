/* What a handler's third argument points to, and a place to note what a handler was told. */
#ifndef TEST_CONTEXT_H
#define TEST_CONTEXT_H
#include "ktap.h"

enum {
    R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15, R_RDI, R_RSI, R_RBP, R_RBX, R_RDX, R_RAX,
    R_RCX, R_RSP, R_RIP, R_FLAGS, R_SELECTORS, /* cs, gs, fs, ss: 16 bits each */
    R_ERROR, R_TRAP, R_OLD_MASK, R_CR2, R_COUNT,
};

struct context {
    unsigned long flags, link;
    stack_t stack;
    unsigned long registers[R_COUNT];
    unsigned char *fpu; /* as FXSAVE has it */
    unsigned long reserved[8], mask;
};

/* RFLAGS */
enum {
    F_CF = 1, F_PF = 4, F_AF = 0x10, F_ZF = 0x40, F_SF = 0x80, F_TF = 0x100, F_IF = 0x200,
    F_DF = 0x400, F_OF = 0x800, F_IOPL = 0x3000, F_NT = 0x4000, F_RF = 0x10000, F_AC = 0x40000, F_ID = 0x200000,
};
#define F_STATUS (F_CF | F_PF | F_AF | F_ZF | F_SF | F_OF)

#define SI_KERNEL 128

static inline void handle(int signal, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};

    action.sa_sigaction = handler;
    CHECK(sigaction(signal, &action, NULL) == 0);
}

/* One signal, as its handler saw it. */
struct told {
    int signal, code;
    unsigned long address, rip, trap, error, cr2, flags;
};

static inline struct told told_of(int signal, const siginfo_t *info, const struct context *context)
{
    const unsigned long *r = context->registers;

    return (struct told){signal, info->si_code, (unsigned long)info->si_addr, r[R_RIP], r[R_TRAP],
                         r[R_ERROR], r[R_CR2], r[R_FLAGS]};
}

static inline int told_as(const struct told *told, int signal, int code, unsigned long trap,
                          unsigned long error)
{
    if (told->signal == signal && told->code == code && told->trap == trap && told->error == error) {
        return 1;
    }
    fprintf(stderr, "# told: signal %d, code %d, address %lx, rip %lx, trap %lu, error %lx\n",
            told->signal, told->code, told->address, told->rip, told->trap, told->error);
    return 0;
}
#endif
