/* Coroutines: their stacks overflow in good order. */
#include <co.h>
#include <stdint.h>

#include "ktap.h"

static void *neighbour_stack;

static void *fill(void *in)
{
    volatile unsigned char bytes[32768];

    memset((void *)bytes, 0x5a, sizeof(bytes));
    neighbour_stack = (void *)bytes;
    co_yield(NULL);
    return in;
}

static int deeper(int depth)
{
    volatile char bytes[512];

    bytes[0] = (char)depth;
    return depth < 0 ? 0 : deeper(depth + 1) + bytes[0];
}

static void *overflow(void *in)
{
    return (void *)(long)deeper((int)(long)in);
}

/* Run `test` in a child whose standard error comes back in `text`; the wait status. */
static int outcome(void (*test)(void), char *text, size_t size)
{
    int ends[2], status;
    ssize_t got;
    pid_t child;

    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        test();
        _exit(0);
    }
    close(ends[1]);
    memset(text, 0, size);
    for (size_t at = 0; (got = read(ends[0], text + at, size - 1 - at)) > 0;) {
        at += (size_t)got;
    }
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void overflow_deep_thought(void)
{
    co_resume(co_create(overflow, &(struct co_attr){.name = "deep thought"}), NULL, NULL);
}

static void overflow_names_the_coroutine_and_ends_the_process(void)
{
    char text[512];
    int status = outcome(overflow_deep_thought, text, sizeof(text));

    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK(strstr(text, "deep thought") && strstr(text, "stack overflow"));
}

static void look_at_neighbours(int signal)
{
    for (int i = 0; i < 32768; i++) {
        if (((unsigned char *)neighbour_stack)[i] != 0x5a) {
            _exit(1);
        }
    }
    _exit(signal == SIGSEGV ? 7 : 1);
}

static void overflow_between_neighbours(void)
{
    struct co *all[3];

    sigaction(SIGSEGV, &(struct sigaction){.sa_handler = look_at_neighbours, .sa_flags = SA_ONSTACK},
              NULL);
    for (int i = 0; i < 3; i++) {
        all[i] = co_create(i == 1 ? overflow : fill, &(struct co_attr){.name = i == 1 ? "mid" : "side"});
    }
    CHECK((char *)all[0] - (char *)all[1] == (char *)all[1] - (char *)all[2]); /* side by side */
    CHECK(co_resume(all[0], NULL, NULL) == 0);
    CHECK(co_resume(all[2], NULL, NULL) == 0); /* the one below the middle one is looked at */
    co_resume(all[1], NULL, NULL);
}

static void overflow_leaves_the_neighbour_whole_and_the_programs_handler_runs(void)
{
    char text[512];
    int status = outcome(overflow_between_neighbours, text, sizeof(text));

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(strstr(text, "\"mid\"") && strstr(text, "stack overflow"));
}

/* Its frame is larger than the stack and the guard; only its far end is written to. */
static void *large_frame(void *in)
{
    volatile char bytes[300000];

    bytes[(long)in] = 1;
    return (void *)(long)bytes[(long)in];
}

static void frame_larger_than_the_stack(void)
{
    co_resume(co_create(fill, &(struct co_attr){.name = "above"}), NULL, NULL);
    co_resume(co_create(large_frame, &(struct co_attr){.name = "eater"}), (void *)8, NULL);
}

/* As a program would that is compiled without -fstack-clash-protection: 50,000 bytes too deep. */
static void *write_far_below(void *in)
{
    *((volatile char *)__builtin_frame_address(0) - 65536 - 50000) = 1;
    return in;
}

static void frame_that_skips_pages(void)
{
    co_resume(co_create(fill, &(struct co_attr){.name = "above"}), NULL, NULL);
    co_resume(co_create(write_far_below, &(struct co_attr){.name = "eater"}), NULL, NULL);
}

static void a_large_frame_is_an_overflow_too(void)
{
    void (*const frames[])(void) = {frame_larger_than_the_stack, frame_that_skips_pages};

    for (int i = 0; i < 2; i++) {
        char text[512];
        int status = outcome(frames[i], text, sizeof(text));

        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        CHECK(strstr(text, "coroutine \"eater\": stack overflow"));
    }
}

static void *touch_null(void *in)
{
    return (void *)(long)*(volatile char *)in;
}

static void fault_without_overflow(void)
{
    co_resume(co_create(touch_null, NULL), (void *)16, NULL);
}

static void another_fault_is_not_called_an_overflow(void)
{
    char text[512];
    int status = outcome(fault_without_overflow, text, sizeof(text));

    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK(!strstr(text, "overflow"));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(overflow_names_the_coroutine_and_ends_the_process),
        TEST(overflow_leaves_the_neighbour_whole_and_the_programs_handler_runs),
        TEST(a_large_frame_is_an_overflow_too),
        TEST(another_fault_is_not_called_an_overflow),
    };
    return RUN_TESTS(tests);
}
