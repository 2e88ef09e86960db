/*
 * Threads by POSIX names: life and death, results, attributes, signals, and what a thread has of
 * its own. Also compiled with the host's C library, which is the judge of the meaning.
 */
#include "pthread_test.h"

static volatile int value;
static sem_t started, go_on;

static void *add_one(void *argument)
{
    return (char *)argument + 1;
}

static void *exit_deep(void *argument)
{
    pthread_exit((char *)argument + 2);
}

/* Says that it runs, and ends when it is told to. */
static void *linger(void *argument)
{
    sem_post(&started);
    sem_wait(&go_on);
    return argument;
}

static pthread_t start_lingering(const pthread_attr_t *attr)
{
    pthread_t thread;

    CHECK(sem_init(&started, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    CHECK(pthread_create(&thread, attr, linger, NULL) == 0);
    sem_wait(&started);
    return thread;
}

static void join_gives_the_result(void)
{
    char *result;

    CHECK(pthread_create(&threads[0], NULL, add_one, (void *)10) == 0);
    CHECK(pthread_create(&threads[1], NULL, exit_deep, (void *)10) == 0);
    CHECK(pthread_join(threads[1], (void **)&result) == 0 && result == (char *)12);
    CHECK(pthread_join(threads[0], (void **)&result) == 0 && result == (char *)11);
    CHECK(pthread_create(&threads[0], NULL, add_one, NULL) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
}

static void join_and_detach_errors(void)
{
    pthread_t thread = start_lingering(NULL);

    CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
    CHECK(pthread_detach(thread) == 0);
    CHECK(pthread_detach(thread) == EINVAL);
    CHECK(pthread_join(thread, NULL) == EINVAL);
    sem_post(&go_on);
}

static pthread_t target;

#ifndef __GLIBC__ /* POSIX leaves it open; there both wait, and the second for ever */
static void *join_target(void *argument)
{
    int error = pthread_join(target, NULL);

    (void)argument;
    if (error == EINVAL) {
        sem_post(&go_on); /* the other one waits: let its thread end */
    }
    return (void *)(long)error;
}

static void only_one_may_join(void)
{
    void *results[2];

    target = start_lingering(NULL);
    start_threads(2, join_target);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], &results[i]) == 0);
    }
    CHECK((long)results[0] + (long)results[1] == EINVAL);
}
#endif

static void self_and_equal(void)
{
    pthread_t thread = start_lingering(NULL);

    CHECK(pthread_equal(pthread_self(), pthread_self()));
    CHECK(!pthread_equal(pthread_self(), thread));
    sem_post(&go_on);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *exit_with_7(void *argument)
{
    fputs("flushed", stdout);
    exit(7);
    return argument;
}

static int fds[2];

/* What the child writes to its standard output, and its status. */
static int output_of(void (*run)(void), char *text, int size)
{
    int status, length = 0, part;
    pid_t pid;

    CHECK(pipe(fds) == 0);
    pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        close(fds[0]);
        close(fds[1]);
        run();
        _exit(99);
    }
    close(fds[1]);
    while ((part = (int)read(fds[0], text + length, (size_t)(size - 1 - length))) > 0) {
        length += part;
    }
    text[length] = '\0';
    close(fds[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static void exit_in_a_thread(void)
{
    pthread_create(&target, NULL, exit_with_7, NULL);
    for (;;) {
        pause();
    }
}

static void exit_from_any_thread_ends_all(void)
{
    char text[64];
    int status = output_of(exit_in_a_thread, text, sizeof(text));

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7 && strcmp(text, "flushed") == 0);
}

static void say_end(void)
{
    fputs(" end", stdout);
}

static void *outlive_main(void *main_thread)
{
    CHECK(pthread_join((pthread_t)main_thread, NULL) == 0);
    fputs("main is gone", stdout);
    return NULL;
}

static void main_leaves(void)
{
    atexit(say_end);
    pthread_create(&target, NULL, outlive_main, (void *)pthread_self());
    pthread_exit(NULL);
}

static void the_last_thread_ends_the_process_with_0(void)
{
    char text[64];
    int status = output_of(main_leaves, text, sizeof(text));

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(strcmp(text, "main is gone end") == 0);
}

/* More than the library's static area holds, so main's lie in a mapping, too. */
static _Thread_local char large[70000], zero;
static _Thread_local int counter = 42;
static _Thread_local char aligned[3] __attribute__((aligned(256))) = {1, 2, 3};

static void *use_thread_locals(void *argument)
{
    CHECK(counter == 42 && zero == 0 && large[0] == 0 && large[69999] == 0);
    CHECK((unsigned long)aligned % 256 == 0 && aligned[0] + aligned[2] == 4);
    memset(large, 1, sizeof(large));
    for (int i = 0; i < 100; i++) {
        counter++, zero++;
        errno = counter;
        sched_yield();
        CHECK(errno == counter && counter == 43 + i && zero == 1 + i);
    }
    aligned[0] = 9;
    return argument;
}

static void thread_locals_and_errno_are_its_own(void)
{
    start_threads(MOST_THREADS, use_thread_locals);
    use_thread_locals(NULL);
    join_threads(MOST_THREADS);
    CHECK(counter == 142);
}

static char trail[32];

static void note(void *argument)
{
    strcat(trail, argument);
}

static void *leave_in_between(void *argument)
{
    pthread_cleanup_push(note, "a");
    pthread_cleanup_push(note, "b");
    pthread_cleanup_push(note, "c");
    pthread_cleanup_pop(1);
    pthread_cleanup_push(note, "d");
    pthread_cleanup_pop(0);
    if (argument == NULL) {
        pthread_exit(NULL);
    }
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cleanups_run_innermost_first(void)
{
    CHECK(pthread_create(&target, NULL, leave_in_between, NULL) == 0);
    CHECK(pthread_join(target, NULL) == 0 && strcmp(trail, "cba") == 0);
}

static void *many[300];

static void *count_up(void *argument)
{
    __atomic_fetch_add(&value, 1, __ATOMIC_SEQ_CST);
    return argument;
}

static void hundreds_at_the_same_time(void)
{
    static pthread_t crowd[300];

    CHECK(sem_init(&started, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    for (int i = 0; i < COUNT(crowd); i++) {
        CHECK(pthread_create(&crowd[i], NULL, linger, &many[i]) == 0);
    }
    for (int i = 0; i < COUNT(crowd); i++) {
        sem_wait(&started);
    }
    for (int i = 0; i < COUNT(crowd); i++) {
        sem_post(&go_on);
    }
    for (int i = 0; i < COUNT(crowd); i++) {
        void *result;

        CHECK(pthread_join(crowd[i], &result) == 0 && result == &many[i]);
    }
}

static void ten_thousand_come_and_go(void)
{
    alarm(600); /* busy CPUs take long to agree that so many stacks are gone */
    value = 0;
    for (int i = 0; i < 1250; i++) {
        run_threads(8, count_up);
    }
    CHECK(value == 10000);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(join_gives_the_result), TEST(join_and_detach_errors),
#ifndef __GLIBC__
        TEST(only_one_may_join),
#endif
        TEST(self_and_equal), TEST(exit_from_any_thread_ends_all),
        TEST(the_last_thread_ends_the_process_with_0), TEST(thread_locals_and_errno_are_its_own),
        TEST(cleanups_run_innermost_first), TEST(hundreds_at_the_same_time),
        TEST(ten_thousand_come_and_go),
    };

    return RUN_TESTS(tests);
}
