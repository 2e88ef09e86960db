/* Signals (signal(7)): sending, handlers, delivery before user mode. */
#ifndef SCHED_SIGNAL_H
#define SCHED_SIGNAL_H
#include "lib/list.h"
#include "lib/signum.h"
#include "lib/types.h"

struct task;
struct thread_group;
struct trap_frame;

enum { CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_STOPPED = 5, CLD_CONTINUED = 6 };

#define SIGNAL_BIT(signal) (1ul << ((signal) - 1))

#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))
/* Whose default is to stop the process; to do nothing. */
#define SIGNALS_STOP \
    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
/* To leave an image of the memory: signal(7), "Core". */
#define SIGNALS_CORE \
    (SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGABRT) | \
     SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGXCPU) | \
     SIGNAL_BIT(SIGXFSZ) | SIGNAL_BIT(SIGSYS))
#define SIGNALS_IGNORED \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

#define SIG_DFL 0ul
#define SIG_IGN 1ul
/* sigaction(2), asm/signal.h */
#define SA_NOCLDSTOP 0x1ul
#define SA_NOCLDWAIT 0x2ul
#define SA_SIGINFO 0x4ul
#define SA_EXPOSE_TAGBITS 0x800ul
#define SA_RESTORER 0x4000000ul
#define SA_ONSTACK 0x8000000ul
#define SA_RESTART 0x10000000ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul

#define WAIT_CORE 0x80 /* in the status of a wait: it left an image of its memory */
#define SIGNAL_THREAD_ENDS 1 /* the value of a SIGKILL that ends one thread alone */

/* What siginfo_t tells beyond the number; `value` is an address, a child's status, or the sender's. */
struct signal_info {
    int code;
    pid_t pid; /* or a timer's id */
    uint64_t value;
    int uid; /* or a timer's overruns */
    int error; /* si_errno: only what a sender says */
};

/* One of those of which any number may be pending. */
struct queued_signal {
    struct list list;
    struct signal_info info;
    int signal;
};
#define SIGNAL_QUEUE_MAX 1024 /* for all processes; Linux has as many with 256 MiB */

struct signal_set {
    uint64_t mask;
    uint64_t noted;    /* of them, those that `info` tells of */
    struct list queue; /* struct queued_signal */
    struct signal_info info[SIGRTMIN - 1];
};

/* The kernel's struct sigaction, asm/signal.h. */
struct signal_action {
    uint64_t handler, flags, restorer, mask;
};

/* The kernel's stack_t (sigaltstack(2)); size 0: none. */
struct signal_stack {
    uint64_t base;
    int flags, padding;
    uint64_t size;
};
enum { SS_ONSTACK = 1, SS_DISABLE = 2, SS_AUTODISARM = (int)0x80000000 };

struct sighand {
    int references; /* atomic */
    struct signal_action actions[SIGNALS]; /* tasks_lock */
};

/* pending.c; tasks_lock is held for all but the first. */
void signal_set_init(struct signal_set *set);
/* 0, also for one that is pending already. -EAGAIN, for a real-time one: `limit` are queued, or all
 * places are taken, and it is not from kill(2). */
long signal_set_add(struct signal_set *set, int signal, const struct signal_info *info,
                    uint64_t limit);
void signal_set_queue(struct signal_set *set, struct queued_signal *place); /* the caller's own */
/* The caller's own is not to come any more, if it is there. */
void signal_set_cancel(struct signal_set *set, struct queued_signal *place);
void signal_set_drop(struct signal_set *set, uint64_t mask); /* none of `mask` is pending then */
void signal_set_take(struct signal_set *set, int signal, struct signal_info *info); /* it is there */

/*
 * 0, also where the signal does nothing, or -EAGAIN as signal_set_add. One for a process goes to a
 * thread that does not block it: to its leader if that is such a one. The caller knows that who gets
 * it does not go away. Any context; take tasks_lock.
 */
long signal_send(struct task *task, int signal, const struct signal_info *info);
long signal_send_process(struct thread_group *group, int signal, const struct signal_info *info);
/* The same with tasks_lock held. */
long signal_send_process_locked(struct thread_group *group, int signal,
                                const struct signal_info *info);
long signal_send_locked(struct task *task, int signal, const struct signal_info *info);
/* A timer's: it stays the caller's, which sees by its list whether it is pending (it is not, if it does
 * nothing). To the task, or to the whole process if that is NULL. tasks_lock is held. */
void signal_send_own_locked(struct thread_group *group, struct task *task,
                            struct queued_signal *own);
/* To all of a process group, as from the terminal: in turns (it may sleep), or from an interrupt. Take
 * tasks_lock. */
void signal_send_group(pid_t pgid, int signal);
void signal_send_group_at_once(pid_t pgid, int signal);
void signal_send_self(int signal); /* to the current task, as from kill(2); takes tasks_lock */
/* Is something to be delivered to `task` now? Is it SIGKILL? Is `signal` blocked or ignored? Without a
 * lock: they may miss what is just being sent. `task` is the current one, or has not ended. */
bool signal_pending(const struct task *task);
bool signal_kill_pending(const struct task *task);
bool signal_ignored(const struct task *task, int signal);
/* Is something to be delivered to the current task? Then a call that waits ends with
 * -ERESTARTSYS or the like; the delivery comes before user mode. */
bool signal_interrupts(void);
/* Make the task look at its signals soon, and wake it if it may be interrupted. tasks_lock is held. */
void signal_notify_locked(struct task *task);
/* SIGCHLD for a stop or its end; an exit is told in exit.c. tasks_lock is held. */
void signal_tell_parent_locked(struct thread_group *group, int code, int signal);
/* The current process's action for `signal` (not SIGKILL, SIGSTOP), unless NULL; *old is what it was.
 * One that does nothing discards what is pending. Takes tasks_lock. */
void signal_set_action(int signal, const struct signal_action *action, struct signal_action *old);
/* To the current task, at once: it cannot go on. If it blocks or ignores the signal, it ends, and so
 * does init without a handler, here and now. Takes tasks_lock; no lock is held. */
void signal_force(int signal, int code, uint64_t value);
/* kill(2), after the check of the number: 0, -ESRCH. May sleep. */
long signal_kill(pid_t pid, int signal);
/* What the current task blocks from now on, but for SIGKILL and SIGSTOP. Takes tasks_lock. */
void signal_set_blocked(uint64_t mask);
/* Sleep until a signal of `mask` is pending for the current task, blocked or not, and take it. Other
 * ones end it: -EINTR, even a stop (signal(7)). -EAGAIN: not until `deadline`, 0 being now. The
 * signal. */
int signal_wait(uint64_t mask, ktime_t deadline, struct signal_info *info);
/* The first pending signal of `mask`, taken; 0: none. tasks_lock is held. */
int signal_take_locked(struct task *task, uint64_t mask, struct signal_info *info);
/* The current thread ends, or blocks `mask`: what is pending for its process goes to another one
 * that does not block it. tasks_lock is held. */
void signal_retarget_locked(struct thread_group *group, uint64_t mask);
/* Handlers back to default, no alternate stack. `task` is its process's only thread and shares no
 * sighand. */
void signal_exec(struct task *task);
/* A copy of `from`, or all default if that is NULL; one reference. NULL without memory. */
struct sighand *sighand_create(const struct sighand *from);
void sighand_put(struct sighand *sighand); /* NULL is fine; not under tasks_lock */

/* Upcall, defined in event/signalfd.c: something is about to be pending. tasks_lock is held, and who is
 * told looks at what is pending under it. */
void signalfd_tell(void);

/* The current thread ends: a stop does not wait for it any more. tasks_lock is held. */
void signal_leave_stop_locked(void);
/* sigframe.c; of the current task, whose `frame` is the one to user mode; interrupts on. The next
 * return to user mode calls the handler, and after it restores `mask`; it returns from the handler.
 * 0, or -EFAULT: the user's stack cannot take it; has no such frame. */
long sigframe_push(struct trap_frame *frame, int signal, const struct signal_action *action,
                   const struct signal_info *info, uint64_t mask);
long sigframe_pop(struct trap_frame *frame);
#define SIGINFO_SIZE 128
/* From and to a siginfo_t, SIGINFO_SIZE bytes in the kernel's memory. */
void siginfo_read(const void *buffer, int signal, struct signal_info *info);
void siginfo_fill(void *buffer, int signal, const struct signal_info *info);
/* Of the current task, whose user stack pointer is `rsp`. 0, -EPERM: it runs on it; -EINVAL: the flags;
 * -ENOMEM: too small. */
long altstack_set(const struct signal_stack *stack, uint64_t rsp);
/* What sigaltstack(2) says of it. */
struct signal_stack altstack_get(uint64_t rsp);
#endif
