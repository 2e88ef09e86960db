/* How threads are made: attributes, stacks and their guards. */
#include <sys/resource.h>

#include "pthread_test.h"

static pthread_t target;

static void *nothing(void *argument)
{
    return argument;
}

/* With address space for a few stacks only, each must be given back. */
static void detached_threads_free_their_stacks(void)
{
    struct rlimit limit = {128 << 20, 128 << 20};
    pthread_attr_t attr;
    pthread_t thread;

    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(pthread_attr_init(&attr) == 0);
    CHECK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0);
    CHECK(pthread_attr_setstacksize(&attr, 16 << 20) == 0);
    for (int i = 0, tries = 0; i < 500; i++) {
        int early = i % 3, error; /* detached by attribute, while it runs, after its end */

        while ((error = pthread_create(&thread, early ? NULL : &attr, nothing, NULL)) == EAGAIN &&
               tries++ < 10000) {
            usleep(1000);
        }
        CHECK(error == 0);
        if (early == 2) {
            usleep(100);
        }
        CHECK(!early || pthread_detach(thread) == 0);
    }
}

static unsigned long lowest;

static void *use_stack(void *argument)
{
    volatile char array[700 * 1024];

    for (int i = 0; i < COUNT(array); i += 1024) {
        array[i] = 1;
    }
    lowest = (unsigned long)array;
    return argument;
}

static void attributes_are_kept_and_checked(void)
{
    pthread_attr_t attr;
    size_t size;
    int state;

    CHECK(pthread_attr_init(&attr) == 0);
    CHECK(pthread_attr_getdetachstate(&attr, &state) == 0 && state == PTHREAD_CREATE_JOINABLE);
    CHECK(pthread_attr_setdetachstate(&attr, 17) == EINVAL);
    CHECK(pthread_attr_setstacksize(&attr, 100) == EINVAL);
    CHECK(pthread_attr_setstacksize(&attr, 1 << 20) == 0);
    CHECK(pthread_attr_getstacksize(&attr, &size) == 0 && size == 1 << 20);
    CHECK(pthread_attr_setguardsize(&attr, 8192) == 0);
    CHECK(pthread_attr_getguardsize(&attr, &size) == 0 && size == 8192);
    CHECK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_SYSTEM) == 0);
    CHECK(pthread_attr_setscope(&attr, PTHREAD_SCOPE_PROCESS) == ENOTSUP);
    CHECK(pthread_create(&target, &attr, use_stack, NULL) == 0);
    CHECK(pthread_join(target, NULL) == 0 && pthread_attr_destroy(&attr) == 0);
}

static void own_stack_is_used(void)
{
    static char stack[1 << 20] __attribute__((aligned(4096)));
    pthread_attr_t attr;
    size_t size;
    void *base;

    memset(stack, 0x5a, sizeof(stack)); /* not the zeroes of a fresh mapping */
    for (int i = 0; i < 3; i++) {
        CHECK(pthread_attr_init(&attr) == 0 && pthread_attr_setstack(&attr, stack, 100) == EINVAL);
        CHECK(pthread_attr_setstack(&attr, stack, sizeof(stack)) == 0);
        CHECK(pthread_attr_getstack(&attr, &base, &size) == 0 && base == stack && size == 1 << 20);
        CHECK(pthread_create(&target, &attr, use_stack, NULL) == 0);
        CHECK(pthread_join(target, NULL) == 0);
        CHECK(lowest > (unsigned long)stack && lowest < (unsigned long)stack + sizeof(stack));
    }
}

static int in_child(void (*run)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        run();
        _exit(99);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static int recurse(int depth)
{
    volatile char frame[1024];

    frame[depth & 1023] = 1;
    return depth < 0 ? 0 : recurse(depth + 1) + frame[0];
}

static void *overflow(void *argument)
{
    return (char *)argument + recurse(0);
}

static void overflow_in_a_thread(void)
{
    CHECK(pthread_create(&target, NULL, overflow, NULL) == 0);
    pthread_join(target, NULL);
}

static void stack_overflow_hits_the_guard(void)
{
    int status = in_child(overflow_in_a_thread);

    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(detached_threads_free_their_stacks), TEST(attributes_are_kept_and_checked),
        TEST(own_stack_is_used), TEST(stack_overflow_hits_the_guard),
    };

    return RUN_TESTS(tests);
}
