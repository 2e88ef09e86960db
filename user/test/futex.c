/* futex(2): waiting, waking, moving, timeouts, and words that processes share. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tasks.h"

#define WAITERS 4
#define SECOND 1000000000l

static struct thread threads[WAITERS];
static volatile int word, other, woken;
static pid_t tids[WAITERS];

static long requeue(int operation, int count, int move, int value)
{
    return syscall(SYS_futex, &word, operation, count, (long)move, &other, value);
}

/* Sleep on the word, with the bits that the argument says; count those that come back with 0. */
static int sleep_on_word(void *argument)
{
    unsigned bits = (unsigned)(long)argument;

    if (futex_bits(&word, FUTEX_WAIT_BITSET, 0, NULL, bits) == 0) {
        __atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
    }
    return 0;
}

/* All four asleep on the word, the i-th with bit i, in this order. */
static void start_waiters(void)
{
    word = other = woken = 0;
    for (int i = 0; i < WAITERS; i++) {
        tids[i] = thread_start(&threads[i], sleep_on_word, (void *)(1l << i));
        CHECK(tids[i] > 0);
        AWAIT(thread_sleeps(tids[i]));
    }
}

static void join_waiters(void)
{
    for (int i = 0; i < WAITERS; i++) {
        thread_join(&threads[i]);
    }
    CHECK(woken == WAITERS);
}

static void wake_wakes_as_many_as_asked(void)
{
    start_waiters();
    CHECK(futex(&word, FUTEX_WAKE, 3, NULL) == 3);
    CHECK(futex(&word, FUTEX_WAKE, 3, NULL) == 1);
    CHECK(futex(&word, FUTEX_WAKE, 3, NULL) == 0);
    join_waiters();
}

static void wake_of_none_wakes_one(void)
{
    start_waiters();
    CHECK(futex(&word, FUTEX_WAKE, 0, NULL) == 1);
    CHECK(futex(&word, FUTEX_WAKE, -1, NULL) == 1);
    CHECK(futex(&word, FUTEX_WAKE, 9, NULL) == 2);
    join_waiters();
}

static void first_come_is_woken_first(void)
{
    start_waiters();
    for (int i = 0; i < WAITERS; i++) {
        CHECK(futex(&word, FUTEX_WAKE, 1, NULL) == 1);
        thread_join(&threads[i]);
        CHECK(woken == i + 1);
    }
}

static void bits_choose_the_waiters(void)
{
    start_waiters();
    CHECK(futex_bits(&word, FUTEX_WAKE_BITSET, 9, NULL, 1 << 2) == 1);
    thread_join(&threads[2]);
    CHECK(futex_bits(&word, FUTEX_WAKE_BITSET, 9, NULL, 1 << 2 | 1 << 8) == 0);
    CHECK(futex_bits(&word, FUTEX_WAKE_BITSET, 9, NULL, 1 << 0 | 1 << 3) == 2);
    CHECK(futex(&word, FUTEX_WAKE, 9, NULL) == 1);
    join_waiters();
}

static void requeue_moves_the_others(void)
{
    start_waiters();
    CHECK(requeue(FUTEX_REQUEUE, 1, 2, 0) == 3); /* one woken, two moved, one stays */
    CHECK(futex(&other, FUTEX_WAKE, 9, NULL) == 2);
    CHECK(futex(&word, FUTEX_WAKE, 9, NULL) == 1);
    join_waiters();
}

static void cmp_requeue_looks_at_the_word(void)
{
    start_waiters();
    CHECK_ERROR(requeue(FUTEX_CMP_REQUEUE, 1, 9, 5), EAGAIN);
    CHECK(requeue(FUTEX_CMP_REQUEUE, 0, 9, 0) == WAITERS);
    CHECK(futex(&word, FUTEX_WAKE, 9, NULL) == 0);
    CHECK(futex(&other, FUTEX_WAKE, 9, NULL) == WAITERS);
    join_waiters();
}

static void requeue_onto_itself_ends(void)
{
    start_waiters();
    CHECK(syscall(SYS_futex, &word, FUTEX_REQUEUE, 0, 9l, &word, 0) == WAITERS);
    CHECK(futex(&word, FUTEX_WAKE, 9, NULL) == WAITERS);
    join_waiters();
}

static void errors(void)
{
    struct timespec bad = {0, SECOND}, negative = {-1, 0}, soon = {0, 1000000};
    void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    word = 1;
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 0, NULL), EAGAIN);
    CHECK_ERROR(futex((int *)((char *)&word + 1), FUTEX_WAIT, 1, NULL), EINVAL);
    CHECK_ERROR(futex((int *)((char *)&word + 2), FUTEX_WAKE, 1, NULL), EINVAL);
    CHECK_ERROR(futex(hole, FUTEX_WAIT, 1, NULL), EFAULT);
    CHECK_ERROR(futex(hole, FUTEX_WAIT | FUTEX_PRIVATE, 1, NULL), EFAULT);
    CHECK_ERROR(futex((int *)(1ul << 63), FUTEX_WAIT | FUTEX_PRIVATE, 1, NULL), EFAULT);
    CHECK_ERROR(futex(hole, FUTEX_WAKE, 1, NULL), EFAULT);
    CHECK(futex(hole, FUTEX_WAKE | FUTEX_PRIVATE, 1, NULL) == 0); /* it is not looked at */
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 1, (void *)8), EFAULT);
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 1, &bad), EINVAL);
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 1, &negative), EINVAL);
    CHECK_ERROR(futex_bits(&word, FUTEX_WAIT_BITSET, 1, &soon, 0), EINVAL);
    CHECK_ERROR(futex_bits(&word, FUTEX_WAKE_BITSET, 1, NULL, 0), EINVAL);
    CHECK_ERROR(requeue(FUTEX_REQUEUE, -1, 1, 0), EINVAL);
    CHECK_ERROR(requeue(FUTEX_REQUEUE, 1, -1, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_futex, hole, FUTEX_CMP_REQUEUE, 1, 1l, &other, 0), EFAULT);
    CHECK_ERROR(futex(&word, 99, 1, NULL), ENOSYS);
    CHECK_ERROR(futex(&word, FUTEX_WAKE | 512, 1, NULL), ENOSYS); /* a flag that nobody knows */
    CHECK_ERROR(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL), ENOSYS);
    CHECK_ERROR(futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 1, &soon), ENOSYS);
}

static long passed_since(clockid_t clock, struct timespec start)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (now.tv_sec - start.tv_sec) * SECOND + now.tv_nsec - start.tv_nsec;
}

static void relative_timeout_is_waited_for(void)
{
    struct timespec start, time = {0, 30000000};

    word = 1;
    clock_gettime(CLOCK_MONOTONIC, &start);
    CHECK_ERROR(futex(&word, FUTEX_WAIT, 1, &time), ETIMEDOUT);
    CHECK(passed_since(CLOCK_MONOTONIC, start) >= 30000000);
}

/* Absolute times: a bitset wait, of the monotonic or the real clock. */
static void check_absolute(clockid_t clock, int flag)
{
    struct timespec start, until;

    word = 1;
    clock_gettime(clock, &start);
    until = start;
    until.tv_nsec += 30000000;
    if (until.tv_nsec >= SECOND) {
        until.tv_nsec -= SECOND;
        until.tv_sec++;
    }
    CHECK_ERROR(futex_bits(&word, FUTEX_WAIT_BITSET | flag, 1, &until, ~0u), ETIMEDOUT);
    CHECK(passed_since(clock, until) >= 0);
    CHECK_ERROR(futex_bits(&word, FUTEX_WAIT_BITSET | flag, 1, &start, ~0u), ETIMEDOUT);
    CHECK_ERROR(futex_bits(&word, FUTEX_WAIT_BITSET | flag, 0, &start, ~0u), EAGAIN);
}

static void absolute_timeouts_of_both_clocks(void)
{
    check_absolute(CLOCK_MONOTONIC, 0);
    check_absolute(CLOCK_REALTIME, FUTEX_CLOCK_REALTIME);
}

/* Two processes, one word in a page they share; the child sleeps on it. */
static void check_between_processes(volatile int *shared, int flag, long wanted)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct timespec patience = {wanted ? 20 : 0, 200000000};

        shared[1] = 1;
        _exit(futex(shared, FUTEX_WAIT | flag, 0, &patience) == 0 ? 1 : 2);
    }
    AWAIT(shared[1] == 1);
    for (int tries = 0; tries < 20; tries++) { /* it may not sleep yet */
        usleep(1000);
        if (futex(shared, FUTEX_WAKE | flag, 1, NULL) == 1) {
            wanted--;
            break;
        }
    }
    CHECK(wanted == 0);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

static volatile int *map_shared(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void shared_words_join_processes(void)
{
    check_between_processes(map_shared(), 0, 1);
}

static void private_words_do_not(void)
{
    check_between_processes(map_shared(), FUTEX_PRIVATE, 0);
}

static void shared_word_at_two_addresses(void)
{
    int fd = open("shared-word", O_RDWR | O_CREAT | O_TRUNC, 0600);
    volatile int *first, *second;
    pid_t pid;

    CHECK(fd >= 0 && unlink("shared-word") == 0 && ftruncate(fd, 4096) == 0);
    first = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    second = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(first != MAP_FAILED && second != MAP_FAILED && first != second);
    pid = fork();
    if (pid == 0) {
        struct timespec patience = {20, 0};

        _exit(futex(first, FUTEX_WAIT, 0, &patience) == 0 ? 1 : 2);
    }
    AWAIT(futex(second, FUTEX_WAKE, 1, NULL) == 1);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

#define GONE 64

static int sleep_on(void *argument)
{
    futex(argument, FUTEX_WAIT, 0, NULL);
    return 0;
}

static void start_sleeper(struct thread *thread, volatile int *where)
{
    pid_t tid = thread_start(thread, sleep_on, (void *)where);

    AWAIT(thread_sleeps(tid));
}

/* Who sleeps on memory that is unmapped hears nothing of what gets its pages. */
static void unmapped_words_hear_nothing(void)
{
    static struct thread sleepers[GONE];
    volatile int *words[GONE];

    for (int i = 0; i < GONE; i++) {
        words[i] = map_shared();
        start_sleeper(&sleepers[i], words[i]);
    }
    for (int i = 0; i < GONE; i++) {
        CHECK(munmap((void *)words[i], 4096) == 0);
    }
    for (int i = 0; i < 2 * GONE; i++) {
        volatile int *fresh = map_shared();

        *fresh = 0;
        CHECK(futex(fresh, FUTEX_WAKE, 9, NULL) == 0);
    }
}

/* A file's word is known by the file and the place: also when it was cut between. */
static void words_of_a_file_that_was_cut(void)
{
    int fd = open("cut-word", O_RDWR | O_CREAT | O_TRUNC, 0600);
    volatile int *both, *second;
    static struct thread sleeper, reader;

    CHECK(fd >= 0 && unlink("cut-word") == 0 && ftruncate(fd, 8192) == 0);
    both = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    second = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);
    CHECK(both != MAP_FAILED && second != MAP_FAILED);
    start_sleeper(&sleeper, both);
    start_sleeper(&reader, second);
    CHECK(ftruncate(fd, 0) == 0 && ftruncate(fd, 8192) == 0);
    CHECK(futex(both, FUTEX_WAKE, 9, NULL) == 1);
    CHECK(futex(both + 1024, FUTEX_WAKE, 9, NULL) == 1);
    thread_join(&sleeper);
    thread_join(&reader);
    CHECK(mmap((void *)second, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == second);
    CHECK_ERROR(futex(second, FUTEX_WAKE, 1, NULL), EFAULT);
}

static void end_of_a_thread_clears_and_wakes(void)
{
    static struct thread thread;
    int tid = thread_start(&thread, sleep_on_word, (void *)1);

    CHECK(tid > 0 && thread.tid == tid);
    AWAIT(thread_sleeps(tid));
    futex(&word, FUTEX_WAKE, 1, NULL);
    thread_join(&thread);
    CHECK(thread.tid == 0);
}

static void do_nothing(int signal)
{
    (void)signal;
}

static int wait_with_signal(void *argument)
{
    struct timespec patience = {20, 0};

    word = 0;
    if (futex(&word, FUTEX_WAIT, 0, argument ? &patience : NULL) == 0) {
        return 0;
    }
    other = errno;
    return 0;
}

/* A handler interrupts a wait; with SA_RESTART it goes on, but not one with a timeout. */
static void check_signal(int flags, int timeout, int wanted)
{
    struct sigaction action = {.sa_handler = do_nothing, .sa_flags = flags};
    pid_t tid;

    other = 0;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    tid = thread_start(&threads[0], wait_with_signal, timeout ? (void *)&word : NULL);
    AWAIT(thread_sleeps(tid));
    CHECK(syscall(SYS_tgkill, getpid(), tid, SIGUSR1, 0, 0, 0) == 0);
    usleep(20000);
    if (!wanted) {
        AWAIT(thread_sleeps(tid));
        CHECK(futex(&word, FUTEX_WAKE, 1, NULL) == 1);
    }
    thread_join(&threads[0]);
    CHECK(other == wanted);
}

static void signals_interrupt_and_restart(void)
{
    check_signal(0, 0, EINTR);
    check_signal(SA_RESTART, 0, 0);
    check_signal(0, 1, EINTR);
    check_signal(SA_RESTART, 1, EINTR);
}

struct waitv {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static long wait_any(const struct waitv *waits, int count, const struct timespec *timeout, int clock)
{
    return syscall(SYS_futex_waitv, waits, (long)count, 0l, timeout, (long)clock);
}

#define WAITV_32 2
static struct waitv some[3] = {
    {0, (uint64_t)&word, WAITV_32 | FUTEX_PRIVATE, 0}, {5, (uint64_t)&other, WAITV_32, 0},
    {0, (uint64_t)&woken, WAITV_32 | FUTEX_PRIVATE, 0},
};

static int wait_for_any(void *index)
{
    *(volatile long *)index = wait_any(some, 3, NULL, 0);
    return 0;
}

/* Of words of both kinds; and it leaves no waiter behind. */
static void one_thread_waits_for_several_words(void)
{
    static volatile int *const words[3] = {&word, &other, &woken};

    for (int i = 0; i < 3; i++) {
        long index = -1;
        pid_t tid;

        word = woken = 0;
        other = 5;
        tid = thread_start(&threads[0], wait_for_any, &index);
        CHECK(tid > 0);
        AWAIT(thread_sleeps(tid));
        CHECK(futex(words[i], FUTEX_WAKE | (i == 1 ? FUTEX_PRIVATE : 0), 1, NULL) == 0);
        CHECK(futex(words[i], FUTEX_WAKE | (i == 1 ? 0 : FUTEX_PRIVATE), 1, NULL) == 1);
        thread_join(&threads[0]);
        CHECK(index == i);
        for (int k = 0; k < 3; k++) {
            CHECK(futex(words[k], FUTEX_WAKE | (k == 1 ? 0 : FUTEX_PRIVATE), 9, NULL) == 0);
        }
    }
}

static void waits_for_several_end_in_time(void)
{
    struct timespec now;

    word = woken = 0;
    other = 5;
    for (int clock = 0; clock < 2; clock++) {
        CHECK(clock_gettime(clock, &now) == 0);
        CHECK_ERROR(wait_any(some, 3, &now, clock), ETIMEDOUT);
    }
    CHECK_ERROR(wait_any(some, 3, &now, 7), EINVAL);
    now.tv_nsec = SECOND;
    CHECK_ERROR(wait_any(some, 3, &now, 1), EINVAL);
    woken = 1;
    CHECK_ERROR(wait_any(some, 3, NULL, 0), EAGAIN);
}

static void bad_waits_for_several(void)
{
    struct waitv bad[2] = {some[0], some[0]};

    CHECK_ERROR(wait_any(some, 0, NULL, 0), EINVAL);
    CHECK_ERROR(wait_any(some, 129, NULL, 0), EINVAL);
    CHECK_ERROR(wait_any(NULL, 1, NULL, 0), EINVAL);
    CHECK_ERROR(wait_any((void *)8, 1, NULL, 0), EFAULT);
    CHECK_ERROR(syscall(SYS_futex_waitv, some, 1l, 1l, NULL, 0l), EINVAL);
    word = 1;
    bad[0].value = 2; /* EAGAIN, if all else were right */
    bad[1].address |= 1;
    CHECK_ERROR(wait_any(bad, 2, NULL, 0), EINVAL);
    bad[1].address = 0;
    CHECK_ERROR(wait_any(bad + 1, 1, NULL, 0), EFAULT);
    bad[1].address = -4ul;
    CHECK_ERROR(wait_any(bad, 2, NULL, 0), EFAULT);
    bad[1] = (struct waitv){1, (uint64_t)&word, FUTEX_PRIVATE, 0};
    CHECK_ERROR(wait_any(bad, 2, NULL, 0), EINVAL);
    bad[1] = (struct waitv){1, (uint64_t)&word, WAITV_32, 1};
    CHECK_ERROR(wait_any(bad, 2, NULL, 0), EINVAL);
    bad[1].reserved = 0;
    CHECK_ERROR(wait_any(bad, 2, NULL, 0), EAGAIN);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(wake_wakes_as_many_as_asked), TEST(wake_of_none_wakes_one),
        TEST(first_come_is_woken_first), TEST(bits_choose_the_waiters),
        TEST(requeue_moves_the_others), TEST(cmp_requeue_looks_at_the_word),
        TEST(requeue_onto_itself_ends), TEST(errors), TEST(relative_timeout_is_waited_for),
        TEST(absolute_timeouts_of_both_clocks), TEST(shared_words_join_processes),
        TEST(private_words_do_not), TEST(shared_word_at_two_addresses),
        TEST(unmapped_words_hear_nothing), TEST(words_of_a_file_that_was_cut),
        TEST(end_of_a_thread_clears_and_wakes), TEST(signals_interrupt_and_restart),
        TEST(one_thread_waits_for_several_words), TEST(waits_for_several_end_in_time),
        TEST(bad_waits_for_several),
    };

    return RUN_TESTS(tests);
}
