/*
 * Tasks: the one thing that is scheduled. Processes and threads differ in what they share:
 * mm, files, fs, sighand and thread group are objects of their own, each with its count.
 *
 *   task --> thread group (pid, parent, children, limits)   CLONE_THREAD
 *        --> mm, files, fs, sighand                         CLONE_VM, FILES, FS, SIGHAND
 */
#ifndef SCHED_TASK_H
#define SCHED_TASK_H
#include "arch/frame.h"
#include "arch/percpu.h"
#include "arch/spinlock.h"
#include "arch/user_state.h"
#include "lib/list.h"
#include "lib/rbtree.h"
#include "lib/rlimit.h"
#include "sched/cpu_timer.h"
#include "sched/signal.h"
#include "sched/timer.h"
#include "sched/wait.h"

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_BLOCKED, TASK_STOPPED, TASK_ZOMBIE };

/* clone(2) */
enum {
    CSIGNAL = 0xff, CLONE_VM = 0x100, CLONE_FS = 0x200, CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800,
    CLONE_PIDFD = 0x1000, CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000,
    CLONE_SYSVSEM = 0x40000, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000, CLONE_CHILD_SETTID = 0x1000000,
    CLONE_NAMESPACES = 0x7e020000, /* all CLONE_NEW* */
};

struct files;
struct cwd;
struct mm;
struct tty;

/*
 * CPU time. In all it is exact: each switch counts it. How it divides is known from samples: the
 * timer's interrupt finds user mode or the kernel, and what the task ran since its last sample
 * counts as that. (A time stamp at both ends of each system call would make a short one a quarter
 * slower.) What has no sample yet divides as the rest does, and is user time without any, as on
 * Linux. Sums over threads and children add up times and samples, and divide only when they are
 * shown: many short tasks, of which the timer meets a few, divide as truly as a long one.
 */
struct cpu_usage {
    ktime_t time;         /* in all */
    ktime_t sampled[2];   /* of it, found in user mode, in the kernel */
    uint64_t switches[2]; /* voluntary, forced */
};
/* Times as they were shown last: a sample that changes the division takes nothing back. */
struct cpu_times {
    ktime_t user, system;
};

/* Protects the tree of groups, the pid table, group membership, signals and their handlers.
 * With interrupts off. Below it in the order: run queue locks. */
extern struct spinlock tasks_lock;

struct thread_group {
    int references; /* atomic: its tasks */
    pid_t pid, pgid, session; /* tasks_lock for all, unless said otherwise */
    struct task *leader;
    struct list threads; /* task->in_group */
    int thread_count;    /* alive */
    int leaving;         /* of them, who have given their files back: the last hangs up */
    struct thread_group *parent;
    pid_t parent_pid; /* a copy, to be read without the lock */
    struct list children, children_with_news, sibling; /* it is in one of its parent's: group_place */
    struct wait_queue child_queue; /* wait4 of this group's threads */
    struct wake_later wake_waiters; /* in child_queue */
    struct wait_queue stop_queue;   /* of the threads that are stopped */
    struct wake_later wake_stopped;
    int exit_signal;   /* to the parent */
    int exit_status;   /* as wait4 gives it */
    bool exiting;      /* all threads are to end with exit_status */
    bool has_executed; /* an exec since the fork: setpgid by the parent is refused */
    bool dead;         /* all threads are gone: wait4 may take it */
    struct task *exec_task; /* the one thread that lives on in an exec */
    int stop_signal;        /* being stopped by it; 0: not */
    int stop_left;                 /* threads that have yet to stop; the last one tells the parent */
    bool stop_taken; /* a stop signal was taken, and no SIGCONT has come since; tasks_lock */
    bool stop_waitable, continued; /* the parent may wait for it */
    bool subreaper;            /* the children of its descendants that end become its own; no lock */
    uint8_t parent_end_signal; /* it gets this when its parent ends; no lock */
    struct rlimit limits[RLIMIT_COUNT];
    struct tty *tty; /* the session's terminal */
    struct cpu_usage ended_usage, children_usage; /* of threads; of waited-for children, with theirs */
    struct cpu_times shown, children_shown;
    struct timer real_timer; /* setitimer(ITIMER_REAL), alarm */
    ktime_t real_interval;
    struct cpu_timer cpu_timers[CPU_TIMERS]; /* tasks_lock */
    struct rb_root timers; /* struct posix_timer, by id; tasks_lock for all three */
    int timer_count, timer_next;
    uint32_t inject; /* atomic: which allocation is to fail (inject.c) */
    ktime_t start_time;
    struct signal_set pending; /* the last: it is not cleared for a new one, but for the mask */
};

struct task {
    uint64_t rsp; /* saved by switch_to; switch.asm knows the offset */
    vaddr_t kernel_stack; /* its top */
    struct mm *mm;        /* NULL: a kernel thread */
    bool notify; /* look at signals and stops before user mode */
    bool on_cpu;
    bool queued; /* on the run queue */
    bool yields; /* in sched_yield: others first */
    bool late;   /* woken by a timer, but it has to wait (explore.c); rq->lock */
    uint16_t explored; /* its number in the group that is explored (explore.h); 0: in none */
    bool explored_elsewhere; /* in a program that is not the explored one: its addresses mean others */
    uint32_t cpu; /* whose run queue it is on, or was last: see core.c */
    int references; /* atomic */
    enum task_state state; /* rq->lock to wake, the task itself to sleep */
    enum wait_reason reason; /* while it sleeps */
    uint64_t wait_object;
    pid_t tid;
    char name[16];
    struct thread_group *group;
    struct list in_group, in_all; /* tasks_lock */
    struct files *files;
    struct cwd *cwd;
    struct sighand *sighand;
    uint64_t blocked;          /* written by the task itself, under tasks_lock */
    uint64_t saved_blocked;    /* of sigsuspend and ppoll: restored after the handler */
    bool restore_blocked;
    uint64_t awaited; /* by sigwait: they come though they are blocked; tasks_lock */
    ktime_t restart_deadline; /* of a call that is to go again, for as long as it had left; or 0 */
    struct signal_stack altstack;
    /* Scheduling: rq->lock. */
    struct rb_node run_node; /* fair */
    struct list run_list;    /* runqueue.queue */
    uint64_t vruntime;
    int nice; /* that counts; own_nice is what was set */
    int own_nice, policy, priority, inherited;
    int realtime; /* the priority that counts; 0: it is not real-time (realtime.c) */
    uint64_t affinity;
    ktime_t placed; /* on this CPU, when */
    ktime_t exec_start; /* since it was picked, or queued */
    struct cpu_usage usage;
    struct cpu_times shown; /* tasks_lock */
    ktime_t start_time;
    int __user *set_tid; /* where it stores its tid before it first enters user mode, or NULL */
    int __user *clear_tid;
    uint64_t robust_list;
    uint64_t timer_slack, timer_slack_default; /* ns, prctl(2) */
    struct pi_waiter *pi_waiter; /* while it waits: pi_lock of futex_pi.c, as the next two */
    struct rb_root pi_held;      /* what others wait for */
    bool pi_ended;               /* it will give no lock back any more */
    struct task *vfork_parent; /* waits for our exec or exit */
    struct wait_queue vfork_queue;
    void (*kernel_entry)(void *); /* of a kernel thread */
    void *kernel_argument;
    LOCK_DEBUG(struct held_locks mutexes;)
    struct {
        uint64_t vector, error, address; /* address: of the last page fault */
    } fault; /* of user mode, the last that was not resolved: for the frames of signals */
    struct user_state user;
    struct signal_set pending; /* tasks_lock. The last, as in the group */
};

#define PID_MAX 32768 /* ids are below it, as on Linux unless told otherwise */
extern struct list all_tasks; /* tasks_lock; in the order of birth */
extern int task_count;
extern pid_t task_last_pid;  /* the last id that was given away */
extern uint64_t task_births; /* since the boot; tasks_lock */

/* One reference more, to a task that the caller has one of or finds under tasks_lock: the same task.
 * The last one that is put frees it, and with the last task its group: not under tasks_lock, if it
 * may be the last. NULL is fine. */
struct task *task_get(struct task *task);
void task_put(struct task *task);
/* By tid; referenced, or NULL. Takes tasks_lock. */
struct task *task_find(pid_t tid);
/* The same without a reference, so tasks_lock is held; the process with that id, or NULL. */
struct task *task_find_locked(pid_t tid);
struct thread_group *group_find_locked(pid_t pid);
/* Memory and stack for a new task; it has two references (the table's, the CPU's), but no id, no
 * group and nothing shared yet. NULL without memory. May wait for other CPUs, as kstack_alloc. */
struct task *task_create(const char *name);
/* Undo it: for one without an id. */
void task_free_unstarted(struct task *task);
/* The mm of a task, with a reference; NULL for kernel threads and zombies. Takes tasks_lock. */
struct mm *task_mm(struct task *task);
/* The lowest tid above `tid`, which is not negative; or 0. task_next takes tasks_lock; for the other it is held. */
pid_t task_next(pid_t tid);
pid_t task_next_locked(pid_t tid);
/* A tid, and into the table (false: none left); out of it. tasks_lock is held for these, too. */
bool task_assign_tid(struct task *task);
void task_release_tid(struct task *task);
/* The next new task gets the first free tid above this one. tasks_lock is taken. */
void task_ids_from(pid_t tid);
void task_adopt_tid(struct task *task, pid_t tid); /* one that nobody has: on exec, its leader's */
/* The handlers of a group that is not dead: its leader may be. tasks_lock is held. */
struct sighand *group_sighand(struct thread_group *group);
/* The frame of its entry from user mode. Of another task it is valid as long as that does not run. */
struct trap_frame *task_frame(struct task *task);
/* Of all threads up to now, the ended ones, too; tasks_lock is held. */
struct cpu_usage group_usage(const struct thread_group *group);
void usage_add(struct cpu_usage *sum, const struct cpu_usage *usage);
/* How it divides, as far as that is known, goes to *shown; times there only grow. The caller keeps
 * others from *shown. */
void usage_divide(const struct cpu_usage *usage, struct cpu_times *shown);

/*
 * Upcalls, defined in process/exit.c: the end of this thread, and of all threads of the current
 * process; status as in wait4. Interrupts on, no lock held.
 */
void task_exit(int status) __attribute__((noreturn));
void task_exit_group(int status) __attribute__((noreturn));
#endif
