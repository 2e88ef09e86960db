/* What the files of /proc say; formats as in proc(5), so that Linux tools can read them. */
#include "procfs/files.h"

#include "arch/boot.h"
#include "arch/trap.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/inject.h"
#include "mm/kmalloc.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "process/context.h"
#include "sched/inject.h"
#include "sched/sched.h"
#include "sched/traced.h"
#include "tty/tty.h"

#define TICK 10000000 /* USER_HZ is 100 */

static void show_meminfo(struct proc_text *text, struct task *task)
{
    size_t free = page_free_count() + kstack_cached_pages() + mm_cached_pages() +
                  kmalloc_cached_pages();
    uint64_t promised, limit;

    (void)task;
    commit_figures(&promised, &limit);
    proc_print(text, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n"
               "Buffers:               0 kB\nCached:                0 kB\n"
               "SwapTotal:             0 kB\nSwapFree:              0 kB\n"
               "CommitLimit:    %8lu kB\nCommitted_AS:   %8lu kB\n",
               page_total_count() * 4, free * 4, free * 4, limit * 4, promised * 4);
}

/* slabinfo(5): of each size the objects in use, and the room for them. */
static void show_slabinfo(struct proc_text *text, struct task *task)
{
    struct kmalloc_class class;

    (void)task;
    proc_print(text, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
               "<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
               "slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    for (size_t i = 0; kmalloc_class(i, &class); i++) {
        proc_print(text, "kmalloc-%-9u %6lu %6lu %6u %4u %4u : tunables    0    0    0 : slabdata "
                   "%6lu %6lu      0\n", class.size, class.used, class.slabs * class.per_slab,
                   class.size, class.per_slab, class.pages_per_slab, class.slabs, class.slabs);
    }
}

static void show_cmdline(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "%s\n", boot_command_line);
}

static int proc_runnable(void)
{
    int runnable = 0;

    for (uint32_t id = 0; id < cpu_count; id++) {
        runnable += runqueues[id].runnable + (runqueues[id].running != runqueues[id].idle);
    }
    return runnable;
}

static void show_loadavg(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "0.00 0.00 0.00 %d/%d %d\n", proc_runnable(), task_count, task_last_pid);
}

/* The lines come in Linux's order: programs know by the `i` of "intr" that no CPU follows. */
static void show_stat_all(struct proc_text *text, struct task *task)
{
    ktime_t idle[CPU_MAX], all_idle = 0;
    struct cpu_times busy[CPU_MAX], all = {0, 0};
    uint64_t switches = 0, interrupts = 0;

    (void)task;
    for (uint32_t id = 0; id < cpu_count; id++) {
        idle[id] = sched_idle_time(id, &busy[id]);
        all_idle += idle[id];
        all.user += busy[id].user;
        all.system += busy[id].system;
        switches += runqueues[id].switches;
        interrupts += cpus[id].interrupts;
    }
    proc_print(text, "cpu  %ld 0 %ld %ld 0 0 0 0 0 0\n", all.user / TICK, all.system / TICK,
               all_idle / TICK);
    for (uint32_t id = 0; id < cpu_count; id++) {
        proc_print(text, "cpu%u %ld 0 %ld %ld 0 0 0 0 0 0\n", id, busy[id].user / TICK,
                   busy[id].system / TICK, idle[id] / TICK);
    }
    proc_print(text, "intr %lu\nctxt %lu\nbtime %ld\nprocesses %lu\nprocs_running %d\n", interrupts, switches,
               clock_realtime_offset / SECOND, task_births, proc_runnable());
}

static void show_unimplemented(struct proc_text *text, struct task *task)
{
    (void)task;
    for (int i = 0; i < SYSCALLS_MAX; i++) {
        if (syscall_unimplemented[i]) {
            proc_print(text, "%d %u\n", i, syscall_unimplemented[i]);
        }
    }
}

static void show_kmsg(struct proc_text *text, struct task *task)
{
    uint64_t lost;
    char *log = kmalloc(LOG_SIZE);
    size_t size = log ? log_read(log, LOG_SIZE, &lost) : 0;

    (void)task;
    if (!log) {
        text->error = -ENOMEM;
    } else if (lost) {
        proc_print(text, "(%lu bytes before this are gone)\n", lost);
    }
    proc_write(text, log, size);
    kfree(log);
}

/* How late, at most, a CPU's timer interrupt was, and the switch to a better task: somebody kept
 * interrupts off, or preemption. A test looks at it; writing starts it again. */
static void show_latency(struct proc_text *text, struct task *task)
{
    (void)task;
    for (uint32_t id = 0; id < cpu_count; id++) {
        const ktime_t *late = runqueues[id].late;

        proc_print(text, "cpu%u interrupt %ld switch %ld\n", id, late[SCHED_LATE_INTERRUPT],
                   late[SCHED_LATE_SWITCH]);
    }
    LOCK_DEBUG(proc_print(text, "with all checks\n");)
}

static long write_latency(struct task *task, const char *text)
{
    (void)task, (void)text;
    for (uint32_t id = 0; id < cpu_count; id++) {
        runqueues[id].late[0] = runqueues[id].late[1] = 0;
    }
    return 0;
}

static void show_self(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "%d", current->group->pid);
}

static void show_thread_self(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "%d/task/%d", current->group->pid, current->tid);
}

static void show_self_mounts(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "self/mounts");
}

static void show_nothing(struct proc_text *text, struct task *task)
{
    (void)text, (void)task;
}

static long write_sysrq(struct task *task, const char *text)
{
    (void)task;
    if (text[0] == 'c') {
        panic("sysrq-trigger: a crash was asked for by %s", current->name);
    } else if (text[0] == 'u') { /* what SMAP is for: a pointer of the user's, followed here */
        (void)*(volatile char *)current->mm->layout.stack_start;
    }
    return 0;
}

const struct proc_file proc_root_files[] = {
    {"meminfo", S_IFREG | 0444, .show = show_meminfo},
    {"slabinfo", S_IFREG | 0400, .show = show_slabinfo},
    {"uptime", S_IFREG | 0444, .show = show_uptime},
    {"version", S_IFREG | 0444, .show = show_version},
    {"cmdline", S_IFREG | 0444, .show = show_cmdline},
    {"loadavg", S_IFREG | 0444, .show = show_loadavg},
    {"stat", S_IFREG | 0444, .show = show_stat_all},
    {"unimplemented", S_IFREG | 0444, .show = show_unimplemented},
    {"kmsg", S_IFREG | 0444, .show = show_kmsg},
    {"latency", S_IFREG | 0644, .show = show_latency, .write = write_latency},
    {"cpuinfo", S_IFREG | 0444, .show = show_cpuinfo},
    {"filesystems", S_IFREG | 0444, .show = show_filesystems},
    {"self", S_IFLNK | 0777, .show = show_self},
    {"thread-self", S_IFLNK | 0777, .show = show_thread_self},
    {"mounts", S_IFLNK | 0777, .show = show_self_mounts},
    {"sys", S_IFDIR | 0555, .directory = PROC_SYS},
    {"sysrq-trigger", S_IFREG | 0200, .show = show_nothing, .write = write_sysrq},
    {NULL, .mode = 0},
};

static char state_letter(const struct task *task)
{
    return task->state == TASK_RUNNING ? 'R' : "RSDTZ"[task->state];
}

static void show_stat(struct proc_text *text, struct task *task)
{
    struct mm *mm = task_mm(task);
    struct thread_group *group = task->group;
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct cpu_usage usage = text->one_thread ? sched_usage(task) : group_usage(group);
    struct cpu_times *shown = text->one_thread ? &task->shown : &group->shown, times, children;
    uint64_t pages = mm ? mm->pages : 0;
    uint64_t resident = mm ? mm->resident : 0;
    uint32_t terminal = group->tty ? group->tty->number : 0;

    usage_divide(&usage, shown);
    times = *shown;
    usage_divide(&group->children_usage, &group->children_shown);
    children = group->children_shown;
    spin_unlock_irqrestore(&tasks_lock, flags);
    proc_print(text, "%d (%s) %c %d %d %d %u -1 0 0 0 0 0 %ld %ld %ld %ld %d %d %d 0 %ld %lu %lu "
               "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 %u %d %d 0 0 0\n",
               task->tid, task->name, state_letter(task), group->parent_pid, group->pgid, group->session,
               terminal, times.user / TICK, times.system / TICK, children.user / TICK,
               children.system / TICK, task->realtime ? -1 - task->realtime : 20 + task->own_nice,
               task->own_nice, group->thread_count,
               task->start_time / TICK, pages * PAGE_SIZE, resident, task->cpu,
               task->priority, task_policy(task));
    mm_put(mm);
}

/* Of seven numbers of pages, size and resident; the others are not counted. */
static void show_statm(struct proc_text *text, struct task *task)
{
    struct mm *mm = task_mm(task);

    proc_print(text, "%lu %lu 0 0 0 0 0\n", mm ? mm->pages : 0, mm ? mm->resident : 0);
    mm_put(mm);
}

static void show_status(struct proc_text *text, struct task *task)
{
    static const char *const states[] = {"R (running)", "S (sleeping)", "D (disk sleep)",
                                         "T (stopped)", "Z (zombie)"};
    struct mm *mm = task_mm(task);
    struct thread_group *group = task->group;

    proc_print(text, "Name:\t%s\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nUid:\t0\t0\t0\t0\n"
               "Gid:\t0\t0\t0\t0\n", task->name, states[task->state], group->pid, task->tid,
               group->parent_pid);
    if (mm) {
        proc_print(text, "VmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmRSS:\t%8lu kB\n", mm->pages * 4,
                   mm_locked_pages(mm, 0, USER_TOP) * 4, mm->resident * 4);
    }
    proc_print(text, "Threads:\t%d\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
               "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
               group->thread_count, task->pending.mask, group->pending.mask, task->blocked,
               task->usage.switches[0], task->usage.switches[1]);
    mm_put(mm);
}

static void show_comm(struct proc_text *text, struct task *task)
{
    proc_print(text, "%s\n", task->name);
}

static long write_comm(struct task *task, const char *text)
{
    if (task->group != current->group) {
        return -EINVAL;
    }
    strlcpy(task->name, text, sizeof(task->name));
    trace_rename(task);
    return 0;
}

/* What the task waits for, and which one of these. */
static void show_wchan(struct proc_text *text, struct task *task)
{
    enum wait_reason reason = task->reason;

    proc_print(text, "%s", reason ? wait_reason_names[reason] : "0");
    if (reason == WAIT_FUTEX) {
        proc_print(text, " 0x%lx", task->wait_object);
    } else if (reason == WAIT_PIPE_READ || reason == WAIT_PIPE_WRITE) {
        proc_print(text, " %lu", task->wait_object);
    }
}

/* The arguments as they are in the task's own memory now. */
static void show_arguments(struct proc_text *text, struct task *task)
{
    struct mm *mm = task_mm(task);

    for (vaddr_t at = mm ? mm->layout.arg_start : 0; mm && at < mm->layout.arg_end;) {
        paddr_t page = mm_pin(mm, at, false);
        size_t part = PAGE_SIZE - (at & (PAGE_SIZE - 1));

        if (!page) {
            break;
        }
        part = part < mm->layout.arg_end - at ? part : mm->layout.arg_end - at;
        proc_write(text, phys_to_virt(page), part);
        page_put(phys_to_page(page));
        at += part;
    }
    mm_put(mm);
}

static void show_timer_slack(struct proc_text *text, struct task *task)
{
    proc_print(text, "%lu\n", task->timer_slack);
}

static long write_timer_slack(struct task *task, const char *text)
{
    const char *end;
    uint64_t slack = parse_number(text, &end);

    if (end == text) {
        return -EINVAL;
    }
    task->timer_slack = slack ? slack : task->timer_slack_default;
    return 0;
}

static void show_fail_nth(struct proc_text *text, struct task *task)
{
    proc_print(text, "%u\n", inject_left(task->group));
}

static long write_fail_nth(struct task *task, const char *text)
{
    return inject_arm(task->group, text);
}

/* fail-nth is there with the kernel option `inject` only; a thread has no threads. */
bool proc_file_exists(const struct proc_file *file, enum proc_kind kind)
{
    return (file->show != show_fail_nth || inject_on) &&
           !(file->directory == PROC_TASKS && kind == PROC_THREAD);
}

const struct proc_file proc_task_files[] = {
    {"stat", S_IFREG | 0444, .show = show_stat},
    {"status", S_IFREG | 0444, .show = show_status},
    {"comm", S_IFREG | 0644, .show = show_comm, .write = write_comm},
    {"cmdline", S_IFREG | 0444, .show = show_arguments},
    {"maps", S_IFREG | 0444, .show = show_maps},
    {"smaps", S_IFREG | 0444, .show = show_smaps},
    {"wchan", S_IFREG | 0444, .show = show_wchan},
    {"timerslack_ns", S_IFREG | 0666, .show = show_timer_slack, .write = write_timer_slack},
    {"mounts", S_IFREG | 0444, .show = show_mounts},
    {"statm", S_IFREG | 0444, .show = show_statm},
    {"exe", S_IFLNK | 0777, .show = show_exe, .target = target_exe},
    {"cwd", S_IFLNK | 0777, .show = show_cwd, .target = target_cwd},
    {"root", S_IFLNK | 0777, .show = show_root, .target = target_root},
    {"fd", S_IFDIR | 0500, .directory = PROC_FDS},
    {"task", S_IFDIR | 0555, .directory = PROC_TASKS},
    {"fail-nth", S_IFREG | 0644, .show = show_fail_nth, .write = write_fail_nth},
    {NULL, .mode = 0},
};
