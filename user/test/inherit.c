/*
 * Futexes with priority inheritance: who waits lends its priority, along chains, and to those who are
 * waited for; locks of the dead; circles. All on one CPU.
 */
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "tasks.h"

enum { LOCK_PI = 6, UNLOCK_PI, TRYLOCK_PI, WAIT_REQUEUE_PI = 11, LOCK_PI2 = 13 };
enum { OTHER, FIFO };
#define WAITERS ((int)0x80000000)
#define OWNER_DIED 0x40000000

enum { LOCKS = 4, THREADS = 4 };
static volatile int *words; /* shared by processes, too */
static struct thread threads[THREADS];
static volatile int go[THREADS], stage[THREADS];

static pid_t my_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static int lock(int i)
{
    return futex(&words[i], LOCK_PI, 0, NULL) ? errno : 0;
}

static int unlock(int i)
{
    return futex(&words[i], UNLOCK_PI, 0, NULL) ? errno : 0;
}

static void policy(pid_t tid, int policy, int priority)
{
    CHECK(syscall(SYS_sched_setscheduler, tid, policy, &priority) == 0);
}

/* The priority that counts, as /proc shows it; 0: it is not real-time. */
static int priority_of(pid_t tid)
{
    char path[64], line[512], *at;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", getpid(), tid);
    file = fopen(path, "r");
    CHECK(file && fgets(line, sizeof(line), file));
    fclose(file);
    at = strrchr(line, ')') + 2;
    for (int field = 3; field < 18; field++) {
        at = strchr(at, ' ') + 1;
    }
    return atoi(at) < 0 ? -1 - atoi(at) : 0;
}

static void begin(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(0, &one);
    CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(words != MAP_FAILED);
    policy(0, FIFO, 50);
}

/* Thread i: takes lock i, then waits for lock i - 1, and gives both back when it may. */
static int link_of_chain(void *argument)
{
    int i = (int)(long)argument;

    CHECK(lock(i) == 0);
    stage[i] = 1;
    if (i > 0) {
        CHECK(lock(i - 1) == 0);
        CHECK(unlock(i - 1) == 0);
    } else {
        while (!go[0]) {
            futex(&go[0], FUTEX_WAIT, 0, NULL);
        }
    }
    CHECK(unlock(i) == 0);
    stage[i] = 2;
    return 0;
}

static void start_link(int i, int priority)
{
    pid_t tid = thread_start(&threads[i], link_of_chain, (void *)(long)i);

    policy(tid, priority ? FIFO : OTHER, priority);
    AWAIT(stage[i] == 1 && thread_sleeps(tid));
}

static void priorities_go_along_a_chain(void)
{
    begin();
    start_link(0, 0);
    CHECK(words[0] == threads[0].tid);
    start_link(1, 5);
    CHECK(words[0] == (threads[0].tid | WAITERS) && priority_of(threads[0].tid) == 5);
    start_link(2, 20);
    CHECK(priority_of(threads[0].tid) == 20 && priority_of(threads[1].tid) == 20);
    policy(threads[2].tid, FIFO, 30); /* of one that waits already */
    CHECK(priority_of(threads[0].tid) == 30 && priority_of(threads[1].tid) == 30);
    policy(threads[2].tid, FIFO, 3);
    CHECK(priority_of(threads[0].tid) == 5 && priority_of(threads[1].tid) == 5);
    policy(threads[1].tid, OTHER, 0);
    CHECK(priority_of(threads[0].tid) == 3 && priority_of(threads[1].tid) == 3);
    go[0] = 1;
    futex(&go[0], FUTEX_WAKE, 1, NULL);
    for (int i = 0; i < 3; i++) {
        thread_join(&threads[i]);
        CHECK((words[i] & 0x3fffffff) == 0 && stage[i] == 2);
    }
}

static int take_and_note(void *argument)
{
    static int count;
    int i = (int)(long)argument;

    CHECK(lock(0) == 0);
    stage[i] = ++count;
    CHECK(unlock(0) == 0);
    return 0;
}

/* The lock goes to the most important one, and what was lent is given back. */
static void the_most_important_is_next(void)
{
    static const int priorities[THREADS] = {10, 30, 0, 20};

    begin();
    CHECK(lock(0) == 0 && words[0] == my_tid());
    policy(0, OTHER, 0);
    for (int i = 0; i < THREADS; i++) {
        pid_t tid = thread_start(&threads[i], take_and_note, (void *)(long)i);

        policy(tid, priorities[i] ? FIFO : OTHER, priorities[i]);
        AWAIT(thread_sleeps(tid) && words[0] & WAITERS);
    }
    CHECK(priority_of(my_tid()) == 30);
    CHECK(unlock(0) == 0 && priority_of(my_tid()) == 0);
    for (int i = 0; i < THREADS; i++) {
        thread_join(&threads[i]);
    }
    CHECK(stage[1] == 1 && stage[3] == 2 && stage[0] == 3 && stage[2] == 4);
}

static volatile int middle_runs, stop;

static int spin_in_the_middle(void *ignored)
{
    (void)ignored;
    middle_runs = 1;
    for (long i = 0; i < 200000000 && !stop; i++) {
    }
    return 0;
}

static int hold_for_a_while(void *ignored)
{
    (void)ignored;
    CHECK(lock(0) == 0);
    stage[0] = 1;
    while (!middle_runs) { /* it would run now, if it were not for us */
        if (priority_of(my_tid()) == 40) {
            break;
        }
    }
    stage[0] = 2;
    return unlock(0);
}

/* Low has the lock, high wants it, and middle, which does not, would keep low from going on. */
static void the_middle_does_not_hold_up_the_high(void)
{
    pid_t low, middle;

    begin();
    low = thread_start(&threads[0], hold_for_a_while, NULL);
    policy(low, FIFO, 10);
    AWAIT(stage[0] == 1);
    middle = thread_start(&threads[1], spin_in_the_middle, NULL);
    policy(middle, FIFO, 20);
    policy(0, FIFO, 40);
    CHECK(lock(0) == 0); /* middle runs as soon as we sleep: but low goes first, with our priority */
    CHECK(stage[0] == 2 && !middle_runs);
    stop = 1;
    CHECK(unlock(0) == 0);
    thread_join(&threads[0]);
    thread_join(&threads[1]);
}

static void wrong_calls(void)
{
    struct timespec past = {1, 0}, soon;
    struct timeval now;
    pid_t child;
    int status;

    begin();
    CHECK(unlock(0) == EPERM && lock(0) == 0 && lock(0) == EDEADLK);
    CHECK(futex(&words[0], TRYLOCK_PI, 0, NULL) == -1 && errno == EDEADLK);
    child = fork();
    if (child == 0) {
        CHECK(unlock(0) == EPERM);
        CHECK_ERROR(futex(&words[0], TRYLOCK_PI, 0, NULL), EAGAIN);
        CHECK_ERROR(futex(&words[0], LOCK_PI, 0, &past), ETIMEDOUT);
        gettimeofday(&now, NULL);
        soon = (struct timespec){now.tv_sec, now.tv_usec * 1000 + 20000000};
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        CHECK_ERROR(futex(&words[0], LOCK_PI, 0, &soon), ETIMEDOUT);
        clock_gettime(CLOCK_MONOTONIC, &soon);
        CHECK_ERROR(futex(&words[0], LOCK_PI2, 0, &soon), ETIMEDOUT);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(words[0] == (my_tid() | WAITERS) && unlock(0) == 0 && words[0] == 0);
    words[1] = child; /* nobody has this tid any more */
    CHECK(lock(1) == ESRCH);
    words[1] = child | OWNER_DIED;
    CHECK(lock(1) == ESRCH);
    words[1] = OWNER_DIED;
    CHECK(lock(1) == 0 && words[1] == (my_tid() | OWNER_DIED) && unlock(1) == 0 && words[1] == 0);
    CHECK_ERROR(futex((int *)((char *)words + 2), LOCK_PI, 0, NULL), EINVAL);
    CHECK_ERROR(futex((int *)4096, LOCK_PI, 0, NULL), EFAULT);
    CHECK_ERROR(futex((int *)4096, UNLOCK_PI, 0, NULL), EFAULT);
}

static int take_both(void *argument)
{
    (void)argument;
    CHECK(lock(1) == 0);
    stage[0] = 1;
    CHECK(lock(0) == 0);
    return unlock(0) || unlock(1);
}

static void a_circle_is_refused(void)
{
    pid_t tid;

    begin();
    CHECK(lock(0) == 0);
    tid = thread_start(&threads[0], take_both, NULL);
    AWAIT(stage[0] == 1 && thread_sleeps(tid));
    CHECK(lock(1) == EDEADLK && unlock(0) == 0);
    thread_join(&threads[0]);
    CHECK(lock(1) == 0);
}

static int take_and_die(void *ignored)
{
    (void)ignored;
    CHECK(lock(0) == 0);
    stage[0] = 1;
    while (!go[0]) {
        usleep(1000);
    }
    return 0; /* with the lock */
}

static void the_dead_give_their_locks_away(void)
{
    pid_t tid, child;
    int status;

    begin();
    tid = thread_start(&threads[0], take_and_die, NULL);
    AWAIT(stage[0] == 1);
    child = fork(); /* in another process, as the word is shared */
    if (child == 0) {
        CHECK(lock(0) == 0 && words[0] == (my_tid() | OWNER_DIED | (words[0] & WAITERS)));
        CHECK(unlock(0) == 0 && words[0] == 0);
        _exit(0);
    }
    AWAIT(words[0] == (tid | WAITERS));
    go[0] = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    thread_join(&threads[0]);
}

static volatile int handled;

static void on_signal(int signal)
{
    (void)signal;
    handled = 1;
}

static int wait_for_the_lock(void *ignored)
{
    (void)ignored;
    stage[0] = lock(0) == 0 ? 2 : 3;
    return unlock(0);
}

/* A handler runs, and the call goes on: it has no EINTR. */
static void signals_do_not_end_it(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    pid_t tid;

    begin();
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && lock(0) == 0);
    tid = thread_start(&threads[0], wait_for_the_lock, NULL);
    AWAIT(words[0] & WAITERS && thread_sleeps(tid));
    CHECK(syscall(SYS_tgkill, getpid(), tid, SIGUSR1) == 0);
    AWAIT(handled && thread_sleeps(tid));
    CHECK(stage[0] == 0 && unlock(0) == 0);
    thread_join(&threads[0]);
    CHECK(stage[0] == 2);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(priorities_go_along_a_chain),
        TEST(the_most_important_is_next),
        TEST(the_middle_does_not_hold_up_the_high),
        TEST(wrong_calls),
        TEST(a_circle_is_refused),
        TEST(the_dead_give_their_locks_away),
        TEST(signals_do_not_end_it),
    };

    return RUN_TESTS(tests);
}
