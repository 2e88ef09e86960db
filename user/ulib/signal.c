/* Signals: handlers, masks and sets, sending. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"

int kill(pid_t pid, int signal) { return (int)CALL2(kill, pid, signal); }
int raise(int signal) { return (int)CALL3(tgkill, getpid(), gettid(), signal); }
int sigaltstack(const stack_t *stack, stack_t *old) { return (int)CALL2(sigaltstack, stack, old); }
int sigsuspend(const sigset_t *set) { return (int)CALL2(rt_sigsuspend, set, 8); }

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    return (int)CALL4(rt_sigprocmask, how, set, old, 8);
}

/* The same of a thread: each has its own mask anyway. An error number, not errno. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
    return (int)-ulib_syscall(SYS_rt_sigprocmask, how, (long)set, (long)old, 8, 0, 0);
}

/* The kernel's struct sigaction has its own order, and wants the restorer. */
int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        unsigned long mask;
    } now, before = {0};
    long result;

    if (action) {
        now.handler = (void *)action->sa_handler;
        now.flags = (unsigned)action->sa_flags | 0x04000000; /* SA_RESTORER */
        now.restorer = (void *)ulib_restore;
        now.mask = action->sa_mask.__bits[0];
    }
    result = CALL4(rt_sigaction, signal, action ? &now : NULL, old ? &before : NULL, 8);
    if (result == 0 && old) {
        old->sa_handler = (void (*)(int))before.handler;
        old->sa_flags = (int)(before.flags & ~0x04000000ul);
        old->sa_mask = (sigset_t){{before.mask}};
    }
    return (int)result;
}

void (*signal(int number, void (*handler)(int)))(int)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old = {0};

    return sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}

int sigemptyset(sigset_t *set)
{
    *set = (sigset_t){{0}};
    return 0;
}

int sigfillset(sigset_t *set)
{
    for (int i = 0; i < 16; i++) {
        set->__bits[i] = ~0ul;
    }
    return 0;
}

int sigaddset(sigset_t *set, int signal)
{
    set->__bits[0] |= 1ul << (signal - 1);
    return 0;
}

int sigdelset(sigset_t *set, int signal)
{
    set->__bits[0] &= ~(1ul << (signal - 1));
    return 0;
}

int sigismember(const sigset_t *set, int signal)
{
    return set->__bits[0] >> (signal - 1) & 1;
}

_Noreturn void abort(void)
{
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
    _exit(127);
}
