#ifndef ULIB_SIGNAL_H
#define ULIB_SIGNAL_H
#include <sys/types.h>
enum {
    SIGHUP = 1, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1,
    SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD = 17, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN,
    SIGTTOU, SIGXFSZ = 25, SIGWINCH = 28, NSIG = 65,
};
#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SIG_ERR ((void (*)(int))-1)
enum { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };
#define SA_NOCLDSTOP 1
#define SA_NOCLDWAIT 2
#define SA_SIGINFO 4
#define SA_ONSTACK 0x08000000
#define SA_RESTART 0x10000000
#define SA_NODEFER 0x40000000
#define SA_RESETHAND 0x80000000u
typedef int sig_atomic_t;
typedef struct {
    unsigned long __bits[16]; /* the size of the GNU library's; the kernel uses the first */
} sigset_t;
typedef struct {
    int si_signo, si_errno, si_code, padding;
    union {
        void *si_addr;
        struct {
            int si_pid, si_uid, si_status;
        };
        char space[112];
    };
} siginfo_t;
struct sigaction {
    union {
        void (*sa_handler)(int);
        void (*sa_sigaction)(int, siginfo_t *, void *);
    };
    sigset_t sa_mask;
    int sa_flags;
    void (*sa_restorer)(void); /* sigaction() sets it */
};
enum { SS_ONSTACK = 1, SS_DISABLE = 2 };
typedef struct {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
} stack_t;
int sigaltstack(const stack_t *stack, stack_t *old);
int sigaction(int signal, const struct sigaction *action, struct sigaction *old);
void (*signal(int signal, void (*handler)(int)))(int);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigsuspend(const sigset_t *set);
int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int signal);
int sigdelset(sigset_t *set, int signal);
int sigismember(const sigset_t *set, int signal);
int kill(pid_t pid, int signal);
int raise(int signal);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int pthread_kill(unsigned long thread, int signal);
#endif
