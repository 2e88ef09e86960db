/* libaco: coroutines that are resumed by hand, here each with a stack of its own. */
#include <aco.h>

#include "measure.h"

static aco_t *thread;
static aco_share_stack_t *stack;

static void yield_on(void)
{
    for (;;) {
        aco_yield();
    }
}

static void nothing(void)
{
    aco_exit();
}

static void pairs(long count)
{
    aco_t *other = aco_create(thread, stack, 0, yield_on, NULL);

    for (long i = 0; i < count; i++) {
        aco_resume(other);
    }
    aco_destroy(other);
}

static void create_and_end(long count)
{
    for (long i = 0; i < count; i++) {
        aco_share_stack_t *own = aco_share_stack_new(64 * 1024);
        aco_t *other = aco_create(thread, own, 0, nothing, NULL);

        aco_resume(other);
        aco_destroy(other);
        aco_share_stack_destroy(own);
    }
}

static void one(long count)
{
    measure("resume_yield_pair", pairs, count);
    measure("create_end", create_and_end, count / 10 + 1);
}

int main(int count, char **arguments)
{
    aco_thread_init(NULL);
    thread = aco_create(NULL, NULL, 0, NULL, NULL);
    stack = aco_share_stack_new(0);
    return rounds(count, arguments, one);
}
