/* Signals (signal(7)): sending, handlers, delivery before user mode. */
#ifndef SCHED_SIGNAL_H
#define SCHED_SIGNAL_H
#include "lib/types.h"

struct task;
struct thread_group;
struct trap_frame;

enum {
    SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7,
    SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14,
    SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21,
    SIGTTOU = 22, SIGURG = 23, SIGWINCH = 28, SIGNALS = 64,
};
enum { SI_USER = 0, SI_KERNEL = 128, SI_TKILL = -6 };
enum { CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_STOPPED = 5, CLD_CONTINUED = 6 };

#define SIGNAL_BIT(signal) (1ul << ((signal) - 1))

#define SIGNAL_THREAD_ENDS 1 /* the value of a SIGKILL that ends one thread alone */

/* What siginfo_t tells beyond the number; `value` is an address or a child's status. */
struct signal_info {
    int code;
    pid_t pid;
    uint64_t value;
};

struct signal_set {
    uint64_t mask;
    struct signal_info info[SIGNALS]; /* valid where the mask has a bit */
};

/* The kernel's struct sigaction, asm/signal.h. */
struct signal_action {
    uint64_t handler, flags, restorer, mask;
};

struct sighand {
    int references; /* atomic */
    struct signal_action actions[SIGNALS]; /* tasks_lock */
};

/* Any context. A signal to a group goes to a thread that does not block it, to the first one of
 * the process if that is such a one. */
void signal_send(struct task *task, int signal, const struct signal_info *info);
void signal_send_process(struct thread_group *group, int signal, const struct signal_info *info);
/* The same with tasks_lock held. */
void signal_send_process_locked(struct thread_group *group, int signal,
                                const struct signal_info *info);
void signal_send_locked(struct task *task, int signal, const struct signal_info *info);
/* To all of a process group, as from the terminal. The number of processes. */
int signal_send_group(pid_t pgid, int signal);
void signal_send_self(int signal);
/* Is something to be delivered to `task` now? */
bool signal_pending(const struct task *task);
bool signal_kill_pending(const struct task *task);
bool signal_ignored(const struct task *task, int signal);
/* kill(2) and tgkill(2), after the checks of the number. */
long signal_kill(pid_t pid, int signal);
void signal_set_blocked(uint64_t mask);
/* The first pending signal of `mask`, taken; 0: none. tasks_lock is held. */
int signal_take_locked(struct task *task, uint64_t mask, struct signal_info *info);
/* The current thread ends, or blocks `mask`: what is pending for its process goes to another one
 * that does not block it. tasks_lock is held. */
void signal_retarget_locked(struct thread_group *group, uint64_t mask);
void signal_exec(struct task *task); /* handlers back to default */
struct sighand *sighand_create(const struct sighand *from);
void sighand_put(struct sighand *sighand);

/* The hooks of arch/trap.h. */
void signal_return_to_user(struct trap_frame *frame);
void signal_user_fault(struct trap_frame *frame, int signal, int code, vaddr_t address);
/* sigframe.c: -EFAULT when the user's stack cannot take it. */
long sigframe_push(struct trap_frame *frame, int signal, const struct signal_action *action,
                   const struct signal_info *info, uint64_t mask);
long sigframe_pop(struct trap_frame *frame);
void siginfo_fill(void *buffer, int signal, const struct signal_info *info); /* 128 bytes */
#endif
