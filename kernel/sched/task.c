/* Tasks: memory, ids, the table by id, and CPU times. */
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "sched/group.h"
#include "sched/sched.h"

struct spinlock tasks_lock = SPINLOCK_INIT;
struct list all_tasks = LIST_INIT(all_tasks);
int task_count;
static struct task *pid_table[PID_MAX]; /* tasks_lock */
static uint64_t pid_bits[PID_MAX / 64];  /* tasks_lock: of those in the table */
static uint64_t pid_words[PID_MAX / 64 / 64]; /* tasks_lock: of those words that are not 0 */
pid_t task_last_pid;
uint64_t task_births;

struct task *task_create(const char *name)
{
    struct task *task = kmalloc(sizeof(*task));

    if (!task) {
        return NULL;
    }
    memset(task, 0, offsetof(struct task, user.fpu));
    signal_set_init(&task->pending);
    task->timer_slack = task->timer_slack_default = 50000; /* of init: Linux's */
    task->kernel_stack = kstack_alloc();
    if (!task->kernel_stack) {
        kfree(task);
        return NULL;
    }
    task->references = 2; /* the table's and the CPU's */
    task->affinity = UINT64_MAX;
    task->start_time = clock_now();
    strlcpy(task->name, name, sizeof(task->name));
    list_init(&task->in_group);
    list_init(&task->in_all);
    wait_queue_init(&task->vfork_queue);
    return task;
}

void task_free_unstarted(struct task *task)
{
    kstack_free(task->kernel_stack);
    kfree(task);
}

struct task *task_get(struct task *task)
{
    ref_get(&task->references);
    return task;
}

void task_put(struct task *task)
{
    if (task && ref_put(&task->references)) {
        if (task->group && ref_put(&task->group->references)) {
            kfree(task->group);
        }
        kfree(task);
    }
}

/* The lowest free id above `tid`; 0: none. */
static pid_t pid_free_after(pid_t tid)
{
    assert_held(&tasks_lock);
    for (tid++; tid < PID_MAX; tid = (tid | 63) + 1) {
        uint64_t bits = ~pid_bits[tid / 64] >> (tid % 64);

        if (bits) {
            return tid + __builtin_ctzl(bits);
        }
    }
    return 0;
}

/* The lowest bit from `from` on that is set, of `count`; -1: none. */
static int bit_from(const uint64_t *words, int from, int count)
{
    for (; from < count; from = (from | 63) + 1) {
        uint64_t bits = words[from / 64] >> (from % 64);

        if (bits) {
            return from + __builtin_ctzl(bits);
        }
    }
    return -1;
}

bool task_assign_tid(struct task *task)
{
    pid_t first = pid_free_after(task_last_pid), pid = first;

    while (!pid || group_has_members(pid)) { /* a process group that lives on keeps its id */
        pid = pid_free_after(pid ? pid : 1);
        if (pid == first) {
            return false;
        }
    }
    task_last_pid = pid;
    task_births++;
    task_adopt_tid(task, pid);
    return true;
}

void task_release_tid(struct task *task)
{
    assert_held(&tasks_lock);
    pid_table[task->tid] = NULL;
    pid_bits[task->tid / 64] &= ~(1ul << (task->tid % 64));
    if (!pid_bits[task->tid / 64]) {
        pid_words[task->tid / 64 / 64] &= ~(1ul << (task->tid / 64 % 64));
    }
    list_remove(&task->in_all);
    task_count--;
}

void task_ids_from(pid_t tid)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    task_last_pid = tid;
    spin_unlock_irqrestore(&tasks_lock, flags);
}

struct task *task_find_locked(pid_t tid)
{
    assert_held(&tasks_lock);
    return tid > 0 && tid < PID_MAX ? pid_table[tid] : NULL;
}

struct thread_group *group_find_locked(pid_t pid)
{
    struct task *task = task_find_locked(pid);

    return task && task->group->pid == pid ? task->group : NULL;
}

struct task *task_find(pid_t tid)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct task *task = task_find_locked(tid);

    if (task) {
        task_get(task);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return task;
}

struct trap_frame *task_frame(struct task *task)
{
    return trap_user_frame(task->kernel_stack);
}

void usage_add(struct cpu_usage *sum, const struct cpu_usage *usage)
{
    sum->time += usage->time;
    for (int i = 0; i < 2; i++) {
        sum->sampled[i] += usage->sampled[i];
        sum->switches[i] += usage->switches[i];
    }
}

void usage_divide(const struct cpu_usage *usage, struct cpu_times *shown)
{
    ktime_t kernel = usage->sampled[1], all = usage->sampled[0] + kernel, system = 0;

    while (all >> 31) { /* so that products fit */
        all >>= 1;
        kernel >>= 1;
    }
    if (all) {
        system = usage->time / all * kernel + usage->time % all * kernel / all;
    }
    system = system > shown->system ? system : shown->system;
    if (usage->time - system < shown->user) {
        system = usage->time - shown->user;
    }
    shown->system = system;
    shown->user = usage->time - system;
}

struct cpu_usage group_usage(const struct thread_group *group)
{
    struct cpu_usage sum = group->ended_usage, usage;
    struct task *task;

    assert_held(&tasks_lock);
    list_for_each(task, &group->threads, in_group) {
        /* Of one that does not run, nothing changes. */
        usage = __atomic_load_n(&task->on_cpu, __ATOMIC_RELAXED) ? sched_usage(task) : task->usage;
        usage_add(&sum, &usage);
    }
    return sum;
}

void task_adopt_tid(struct task *task, pid_t tid)
{
    assert_held(&tasks_lock);
    task->tid = tid;
    pid_table[tid] = task;
    pid_bits[tid / 64] |= 1ul << (tid % 64);
    pid_words[tid / 64 / 64] |= 1ul << (tid / 64 % 64);
    list_push_back(&all_tasks, &task->in_all);
    task_count++;
}

struct mm *task_mm(struct task *task)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct mm *mm = task->mm ? mm_get(task->mm) : NULL;

    spin_unlock_irqrestore(&tasks_lock, flags);
    return mm;
}

const struct rlimit *mm_limits(void)
{
    return current->group->limits;
}

bool mm_caller_is_killed(void)
{
    return signal_kill_pending(current);
}

pid_t task_next_locked(pid_t tid)
{
    const int from = tid + 1, behind = (from | 63) + 1; /* the same word, and what is behind it */
    int next = bit_from(pid_bits, from, behind < PID_MAX ? behind : PID_MAX), word;

    assert_held(&tasks_lock);
    if (next < 0) {
        word = bit_from(pid_words, behind / 64, PID_MAX / 64);
        next = word < 0 ? 0 : bit_from(pid_bits, word * 64, PID_MAX);
    }
    return next;
}

pid_t task_next(pid_t tid)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);

    tid = task_next_locked(tid);
    spin_unlock_irqrestore(&tasks_lock, flags);
    return tid;
}

struct sighand *group_sighand(struct thread_group *group)
{
    return list_first(&group->threads, struct task, in_group)->sighand;
}
