/*
 * poll, ppoll, select, pselect6: wait for any of several descriptors.
 *
 * All descriptors are asked once, and hooks are left in their wait queues until one is ready;
 * then sleep, and ask all again when a hook fired. Hooks fire for asked events only.
 */
#include "event/poll.h"
#include "lib/errno.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/task.h"
#include "syscall/calls.h"

#define FEW 6 /* descriptors that need no memory but the stack */

struct pollfd {
    int fd;
    int16_t events, revents;
};

struct poll_set {
    size_t count; /* of descriptors whose files were looked up */
    int always; /* these are reported without being asked for */
    struct pollfd *fds, few_fds[FEW];
    struct file **files, *few_files[FEW]; /* in use, or NULL */
    bool shared;
};

static long set_init(struct poll_set *set, size_t count, int always)
{
    bool few = count <= FEW;

    set->count = count;
    set->always = always;
    set->shared = files_shared(current->files);
    set->fds = few ? set->few_fds : kmalloc(count * sizeof(*set->fds));
    set->files = few ? set->few_files : kmalloc(count * sizeof(*set->files));
    if (!set->fds || !set->files) {
        kfree(set->fds);
        kfree(set->files);
        return -ENOMEM;
    }
    return 0;
}

static void set_free(struct poll_set *set)
{
    for (size_t i = 0; set->shared && i < set->count; i++) {
        file_put(set->files[i]);
    }
    if (set->fds != set->few_fds) {
        kfree(set->fds);
        kfree(set->files);
    }
}

/* One who sleeps in poll. */
struct sleeper {
    struct poll_table table;
    struct wait_queue queue;
    bool triggered; /* atomic: something happened since it was cleared */
};

static bool sleeper_wake(struct poll_table *table)
{
    struct sleeper *sleeper = container_of(table, struct sleeper, table);

    __atomic_store_n(&sleeper->triggered, true, __ATOMIC_RELEASE);
    wake_all(&sleeper->queue);
    return true;
}

/* One round over all descriptors: how many have events. Hooks are left while none has. */
static long poll_round(struct poll_set *set, struct poll_table *table)
{
    long ready = 0;

    for (size_t i = 0; i < set->count; i++) {
        struct pollfd *fd = &set->fds[i];
        struct file *file = set->files[i];
        int events = fd->fd < 0 ? 0 : POLLNVAL;

        if (file) {
            int asked = (uint16_t)fd->events | set->always;

            if (table) {
                table->events = asked;
            }
            events = file_poll(file, ready ? NULL : table) & asked;
        }
        fd->revents = (int16_t)events;
        ready += events != 0;
    }
    return ready;
}

static long poll_sleep(struct poll_set *set, struct poll_entry *entries, ktime_t deadline)
{
    struct sleeper sleeper = {
        .table = {.wake = sleeper_wake, .entries = entries,
                  .capacity = (int)set->count * POLL_QUEUES_PER_FILE},
    };
    long ready, error = 0;

    wait_queue_init(&sleeper.queue);
    ready = poll_round(set, &sleeper.table);
    while (!ready && !error) {
        error = wait_event_timeout(&sleeper.queue, WAIT_POLL, set->count,
                                   __atomic_exchange_n(&sleeper.triggered, false, __ATOMIC_ACQ_REL),
                                   deadline);
        ready = poll_round(set, NULL);
    }
    poll_table_unhook(&sleeper.table);
    return ready;
}

/* How many are ready; 0 at the deadline (0: do not wait); or -errno. A signal ends it at any
 * deadline, if nothing is ready. */
static long poll_files(struct poll_set *set, ktime_t deadline)
{
    struct poll_entry few[FEW * POLL_QUEUES_PER_FILE], *many;
    long result;

    if (deadline == 0) {
        result = poll_round(set, NULL);
    } else if (set->count <= FEW) {
        result = poll_sleep(set, few, deadline);
    } else {
        many = kmalloc(set->count * POLL_QUEUES_PER_FILE * sizeof(*many));
        result = many ? poll_sleep(set, many, deadline) : -ENOMEM;
        kfree(many);
    }
    return result == 0 && signal_interrupts() ? -ERESTARTNOHAND : result;
}

static long poll_user(struct pollfd __user *user, unsigned count, ktime_t deadline)
{
    const struct files *files = current->files;
    struct poll_set set;
    long result;

    if (count > current->group->limits[RLIMIT_NOFILE].soft || count > 1u << 20) {
        return -EINVAL;
    }
    result = set_init(&set, count, POLLERR | POLLHUP);
    if (result) {
        return result;
    }
    result = copy_from_user(set.fds, user, count * sizeof(*user));
    if (result) {
        set.count = 0;
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        set.files[i] = fd_use(files, set.fds[i].fd, set.shared);
    }
    result = poll_files(&set, deadline);
    if (result >= 0 && copy_to_user(user, set.fds, count * sizeof(*user))) {
        result = -EFAULT;
    }
out:
    set_free(&set);
    return result;
}

long sys_poll(struct pollfd __user *fds, unsigned count, int timeout)
{
    ktime_t deadline = KTIME_NEVER;
    long result;

    if (timeout >= 0) {
        deadline = timeout ? wait_deadline(timeout * 1000000l) : 0;
    }
    result = poll_user(fds, count, deadline);
    return result == -ERESTARTNOHAND && timeout > 0 ? wait_interrupted(deadline) : result;
}

ktime_t deadline_from_user(const struct timespec __user *timeout)
{
    ktime_t duration;

    if (!timeout) {
        return KTIME_NEVER;
    }
    duration = time_from_user(timeout);
    return duration <= 0 ? duration : clock_now() + duration;
}

/* Tell how much of the time is left, in `unit` nanoseconds. Failing is no error, as on Linux; but
 * the call cannot go again, as it would not know. */
static long put_time_left(struct timespec __user *timeout, ktime_t deadline, ktime_t unit,
                          long result)
{
    ktime_t left = deadline - clock_now();
    struct timespec time;

    if (!timeout || deadline == 0) {
        return result;
    }
    left = left > 0 ? left : 0;
    time = (struct timespec){left / SECOND, left % SECOND / unit};
    if (copy_to_user(timeout, &time, sizeof(time)) && result == -ERESTARTNOHAND) {
        return -EINTR;
    }
    return result;
}

long sys_ppoll(struct pollfd __user *fds, unsigned count, struct timespec __user *timeout,
               const uint64_t __user *mask, size_t size)
{
    ktime_t deadline = deadline_from_user(timeout);
    long result;

    if (deadline < 0) {
        return deadline;
    }
    result = signal_mask_begin(mask, size);
    if (result) {
        return result;
    }
    result = poll_user(fds, count, deadline);
    signal_mask_end(mask, result == -ERESTARTNOHAND);
    return put_time_left(timeout, deadline, 1, result);
}

#define SELECT_MAX 1024
#define KINDS 3
typedef uint64_t select_sets[KINDS][SELECT_MAX / 64];

/* The events that each set stands for: to read, to write, exceptional. */
static const int kind_events[KINDS] = {
    POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
    POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI,
};

static int events_of(select_sets sets, int fd)
{
    int events = 0;

    for (int kind = 0; kind < KINDS; kind++) {
        events |= sets[kind][fd / 64] >> (fd % 64) & 1 ? kind_events[kind] : 0;
    }
    return events;
}

/* The list for poll from the sets. */
static long set_from_bits(struct poll_set *set, int count, select_sets sets)
{
    size_t used = 0;
    long error;

    for (int fd = 0; fd < count; fd++) {
        used += events_of(sets, fd) != 0;
    }
    error = set_init(set, used, 0);
    used = 0;
    for (int fd = 0; fd < count && !error; fd++) {
        int events = events_of(sets, fd);

        if (events) {
            set->fds[used] = (struct pollfd){.fd = fd, .events = (int16_t)events};
            set->files[used] = fd_use(current->files, fd, set->shared);
            error = set->files[used++] ? 0 : -EBADF;
        }
    }
    if (error == -EBADF) {
        set->count = used;
        set_free(set);
    }
    return error;
}

/* Leave in the sets what is ready: how many bits. */
static long bits_from_set(const struct poll_set *set, select_sets sets)
{
    long ready = 0;

    for (size_t i = 0; i < set->count; i++) {
        int fd = set->fds[i].fd;

        for (int kind = 0; kind < KINDS; kind++) {
            uint64_t bit = 1ul << (fd % 64), *word = &sets[kind][fd / 64];

            if (*word & bit && set->fds[i].revents & kind_events[kind]) {
                ready++;
            } else {
                *word &= ~bit;
            }
        }
    }
    return ready;
}

static long select_user(int count, uint64_t __user *const users[KINDS], ktime_t deadline)
{
    select_sets sets = {{0}};
    size_t bytes;
    struct poll_set set;
    long result;

    if (count < 0) {
        return -EINVAL;
    }
    count = count < SELECT_MAX ? count : SELECT_MAX;
    bytes = align_up((uint64_t)count, 64) / 8;
    for (int kind = 0; kind < KINDS; kind++) {
        if (users[kind] && copy_from_user(sets[kind], users[kind], bytes)) {
            return -EFAULT;
        }
    }
    result = set_from_bits(&set, count, sets);
    if (result) {
        return result;
    }
    result = poll_files(&set, deadline);
    if (result >= 0) {
        result = bits_from_set(&set, sets);
    }
    set_free(&set);
    for (int kind = 0; kind < KINDS && result >= 0; kind++) {
        if (users[kind] && copy_to_user(users[kind], sets[kind], bytes)) {
            return -EFAULT;
        }
    }
    return result;
}

long sys_select(int count, uint64_t __user *reads, uint64_t __user *writes,
                uint64_t __user *errors, struct timespec __user *timeout)
{
    uint64_t __user *const users[KINDS] = {reads, writes, errors};
    struct timespec time;
    ktime_t deadline = KTIME_NEVER;
    long result;

    if (timeout) {
        if (get_user(time, timeout)) {
            return -EFAULT;
        }
        if (time.seconds < 0 || time.nanoseconds < 0) {
            return -EINVAL;
        }
        time.nanoseconds = time.nanoseconds > 1l << 40 ? 1l << 40 : time.nanoseconds;
        deadline = time_duration(time.seconds, time.nanoseconds * 1000l); /* microseconds */
        deadline = deadline ? clock_now() + deadline : 0;
    }
    result = select_user(count, users, deadline);
    return put_time_left(timeout, deadline, 1000, result);
}

long sys_pselect6(int count, uint64_t __user *reads, uint64_t __user *writes,
                  uint64_t __user *errors, struct timespec __user *timeout,
                  const struct sized_mask __user *user_mask)
{
    uint64_t __user *const users[KINDS] = {reads, writes, errors};
    struct sized_mask mask = {NULL, 0};
    ktime_t deadline;
    long result;

    if (user_mask && get_user(mask, user_mask)) {
        return -EFAULT;
    }
    deadline = deadline_from_user(timeout);
    if (deadline < 0) {
        return deadline;
    }
    result = signal_mask_begin(mask.set, mask.size);
    if (result) {
        return result;
    }
    result = select_user(count, users, deadline);
    signal_mask_end(mask.set, result == -ERESTARTNOHAND);
    return put_time_left(timeout, deadline, 1, result);
}
