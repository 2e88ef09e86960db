/* Calls on processes: clone, exit, wait, ids, limits, the machine. */
#include "arch/exit.h"
#include "fs/device.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/version.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "process/exit.h"
#include "process/fork.h"
#include "sched/group.h"
#include "sched/sched.h"
#include "sched/traced.h"
#include "syscall/calls.h"

long sys_clone(uint64_t flags, uint64_t stack, int __user *parent_tid, int __user *child_tid,
               uint64_t tls)
{
    return task_clone(&(struct clone_args){flags, stack, tls, parent_tid, child_tid});
}

long sys_fork(void)
{
    return task_clone(&(struct clone_args){.flags = SIGCHLD});
}

long sys_vfork(void)
{
    return task_clone(&(struct clone_args){.flags = CLONE_VM | CLONE_VFORK | SIGCHLD});
}

long sys_exit(int code)
{
    task_exit((code & 0xff) << 8);
}

long sys_exit_group(int code)
{
    task_exit_group((code & 0xff) << 8);
}

/* struct rusage: two times in microseconds, and 14 numbers of which we count the last two. */
static long put_usage(void __user *user, const struct cpu_usage *usage, struct cpu_times *times)
{
    int64_t rusage[18] = {[16] = (int64_t)usage->switches[0], [17] = (int64_t)usage->switches[1]};

    rusage[0] = times->user / SECOND;
    rusage[1] = times->user / 1000 % 1000000;
    rusage[2] = times->system / SECOND;
    rusage[3] = times->system / 1000 % 1000000;
    return copy_to_user(user, rusage, sizeof(rusage));
}

static long put_child_usage(void __user *user, const struct cpu_usage *usage)
{
    struct cpu_times times = {0, 0};

    usage_divide(usage, &times);
    return put_usage(user, usage, &times);
}

long sys_wait4(pid_t pid, int __user *status, int options, void __user *usage)
{
    struct wait_result result;
    int type = P_PID;
    pid_t id = pid;
    long error;

    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE)) {
        return -EINVAL;
    }
    if (pid == -2147483647 - 1) {
        return -ESRCH;
    }
    if (pid <= 0) {
        type = pid == -1 ? P_ALL : P_PGID;
        id = pid ? -pid : current->group->pgid;
    }
    error = task_wait(type, id, options | WEXITED, &result);
    if (error || !result.pid) {
        return error;
    }
    if (status && put_user(result.status, status)) {
        return -EFAULT;
    }
    if (usage && put_child_usage(usage, &result.usage)) {
        return -EFAULT;
    }
    return result.pid;
}

/* si_status of waitid(2): the exit status, or the signal that ended, stopped or continued it. */
static uint64_t waitid_status(const struct wait_result *result)
{
    const uint64_t low = result->status & 0x7f, high = result->status >> 8 & 0xff;

    if (result->code == CLD_CONTINUED) {
        return SIGCONT;
    }
    return result->code == CLD_KILLED || result->code == CLD_DUMPED ? low : high;
}

long sys_waitid(int type, pid_t id, void __user *user, int options, void __user *usage)
{
    enum { KNOWN = WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WNOTHREAD | WALL | WCLONE };
    struct wait_result result;
    uint8_t info[128] = {0};
    long error;

    if (type < P_ALL || type > P_PGID || options & ~KNOWN ||
        !(options & (WUNTRACED | WEXITED | WCONTINUED)) || (type == P_PID && id <= 0) ||
        (type == P_PGID && id < 0)) {
        return -EINVAL;
    }
    error = task_wait(type, type == P_PGID && id == 0 ? current->group->pgid : id, options, &result);
    if (error) {
        return error;
    }
    if (result.pid) {
        siginfo_fill(info, SIGCHLD, &(struct signal_info){
                         .code = result.code, .pid = result.pid, .value = waitid_status(&result)});
        if (usage && put_child_usage(usage, &result.usage)) {
            return -EFAULT;
        }
    }
    return user ? copy_to_user(user, info, sizeof(info)) : 0;
}

long sys_getrusage(int who, void __user *usage)
{
    enum { RUSAGE_CHILDREN = -1, RUSAGE_SELF, RUSAGE_THREAD };
    struct thread_group *group = current->group;
    struct cpu_times *shown = &group->shown, times;
    struct cpu_usage used;
    uint64_t flags;

    if (who < RUSAGE_CHILDREN || who > RUSAGE_THREAD) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&tasks_lock);
    if (who == RUSAGE_CHILDREN) {
        used = group->children_usage;
        shown = &group->children_shown;
    } else if (who == RUSAGE_THREAD) {
        used = sched_usage(current);
        shown = &current->shown;
    } else {
        used = group_usage(group);
    }
    usage_divide(&used, shown);
    times = *shown;
    spin_unlock_irqrestore(&tasks_lock, flags);
    return put_usage(usage, &used, &times);
}

long sys_getpid(void)
{
    return current->group->pid;
}

long sys_gettid(void)
{
    return current->tid;
}

long sys_getppid(void)
{
    return current->group->parent_pid;
}

long sys_setpgid(pid_t pid, pid_t pgid)
{
    return group_set_pgid(pid, pgid);
}

long sys_getpgrp(void)
{
    return current->group->pgid;
}

long sys_setsid(void)
{
    return group_new_session();
}

static long group_id(pid_t pid, bool session)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task = pid ? task_find_locked(pid) : current;
    long result = -ESRCH;

    if (task) {
        result = session ? task->group->session : task->group->pgid;
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return result;
}

long sys_getpgid(pid_t pid)
{
    return group_id(pid, false);
}

long sys_getsid(pid_t pid)
{
    return group_id(pid, true);
}

long sys_sched_yield(void)
{
    sched_yield();
    return 0;
}

long sys_arch_prctl(int code, uint64_t address)
{
    enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS, ARCH_GET_CPUID = 0x1011,
           ARCH_SET_CPUID };

    if ((code == ARCH_SET_FS || code == ARCH_SET_GS) && address >= USER_TOP) {
        return -EPERM;
    }
    switch (code) {
    case ARCH_SET_FS:
        user_fs_base_set(address);
        return 0;
    case ARCH_GET_FS:
        return put_user(user_fs_base(), (uint64_t __user *)address);
    case ARCH_SET_GS:
        user_gs_base_set(address);
        return 0;
    case ARCH_GET_GS:
        return put_user(user_gs_base(), (uint64_t __user *)address);
    case ARCH_GET_CPUID:
        return 1; /* the instruction may be used, */
    case ARCH_SET_CPUID:
        return -ENODEV; /* and we know of no CPU that could forbid it */
    default:
        return -EINVAL;
    }
}

long sys_prlimit64(pid_t pid, int resource, const struct rlimit __user *limit,
                   struct rlimit __user *old)
{
    struct rlimit fresh = {0, 0}, before, *mine;
    struct task *task;
    long error = 0;

    if (resource < 0 || resource >= RLIMIT_COUNT) {
        return -EINVAL;
    }
    if (limit && get_user(fresh, limit)) {
        return -EFAULT;
    }
    task = pid ? task_find(pid) : task_get(current);
    if (!task) {
        return -ESRCH;
    }
    mine = &task->group->limits[resource];
    before = *mine;
    if (limit && fresh.soft > fresh.hard) {
        error = -EINVAL;
    } else if (limit && resource == RLIMIT_NOFILE && fresh.hard > DESCRIPTORS_MAX) {
        error = -EPERM;
    } else if (limit) {
        *mine = fresh;
        if (resource == RLIMIT_CPU) {
            cpu_limit_changed(task->group);
        }
    }
    task_put(task);
    return error || !old ? error : copy_to_user(old, &before, sizeof(before));
}

long sys_getrlimit(int resource, struct rlimit __user *limit)
{
    return limit ? sys_prlimit64(0, resource, NULL, limit) : -EFAULT;
}

long sys_setrlimit(int resource, const struct rlimit __user *limit)
{
    return limit ? sys_prlimit64(0, resource, limit, NULL) : -EFAULT;
}

long sys_uname(void __user *user)
{
    static const char *const fields[6] = {SYSTEM_NAME, SYSTEM_HOST, SYSTEM_RELEASE, "Baton 1", "x86_64",
                                           ""};
    char name[6][65] = {{0}};

    for (int i = 0; i < 6; i++) {
        strlcpy(name[i], fields[i], 65);
    }
    return copy_to_user(user, name, sizeof(name));
}

long sys_sysinfo(void __user *user)
{
    struct {
        int64_t uptime;
        uint64_t loads[3], total, free, shared, buffers, swap[2];
        uint16_t processes, padding, holes[2];
        uint64_t high[2];
        uint32_t unit, hole;
    } info = {.uptime = clock_now() / SECOND, .total = page_total_count() * PAGE_SIZE,
              .free = page_free_count() * PAGE_SIZE, .processes = (uint16_t)task_count, .unit = 1};

    return copy_to_user(user, &info, sizeof(info));
}

/* The log can be read and its size asked; it has no levels, and nothing clears it: syslog(2). */
long sys_syslog(int action, char __user *buffer, int size)
{
    enum { READ_ALL = 3, SIZE_BUFFER = 10 };
    uint64_t lost;
    char *log;
    long result;

    if (action == SIZE_BUFFER) {
        return LOG_SIZE;
    }
    if (action != READ_ALL || !buffer || size < 0) {
        return -EINVAL;
    }
    log = kmalloc(LOG_SIZE);
    if (!log) {
        return -ENOMEM;
    }
    result = (long)log_read(log, (size_t)size, &lost);
    if (copy_to_user(buffer, log, (size_t)result)) {
        result = -EFAULT;
    }
    kfree(log);
    return result;
}

long sys_getrandom(char __user *buffer, size_t size, unsigned flags)
{
    if (flags & ~7u || (flags & 6) == 6) {
        return -EINVAL;
    }
    return random_to_user(buffer, size < TRANSFER_MAX ? size : TRANSFER_MAX);
}

/*
 * What programs have written may still be on its way to the console, in a pipe from which init takes
 * it (user/bin/init.c). So the others stop, and the machine ends when init sleeps: nothing is left
 * then. An init that never sleeps gets 10 s.
 */
static void reboot_let_init_finish(void)
{
    struct task *init = task_find(1);
    ktime_t end = clock_now() + 10 * SECOND;

    if (init != current) {
        (void)signal_kill(-1, SIGSTOP); /* but for init and this process */
    }
    while (init && init != current && (init->state != TASK_SLEEPING || init->on_cpu) &&
           clock_now() < end) {
        wait_loop(wait_mark(false, WAIT_NANOSLEEP, 0), false, false, clock_now() + SECOND / 1000);
    }
    task_put(init);
}

long sys_reboot(unsigned magic1, unsigned magic2, unsigned command)
{
    if (magic1 != 0xfee1dead || (magic2 != 672274793 && magic2 != 85072278 &&
                                 magic2 != 369367448 && magic2 != 537993216)) {
        return -EINVAL;
    }
    switch (command) {
    case 0x4321fedc: /* RB_POWER_OFF */
    case 0xcdef0123: /* RB_HALT_SYSTEM */
        reboot_let_init_finish();
        machine_poweroff();
    case 0x01234567:
        reboot_let_init_finish();
        machine_restart();
    case 0:
    case 0x89abcdef: /* ^Alt-Del has no meaning here */
        return 0;
    default:
        return -EINVAL;
    }
}
