/* minicoro: coroutines that are resumed by hand. */
#define MINICORO_IMPL
#include <minicoro.h>

#include "measure.h"

static void yield_on(mco_coro *self)
{
    for (;;) {
        mco_yield(self);
    }
}

static void nothing(mco_coro *self)
{
    (void)self;
}

static mco_coro *make(void (*function)(mco_coro *))
{
    mco_desc description = mco_desc_init(function, 0);
    mco_coro *made;

    if (mco_create(&made, &description) != MCO_SUCCESS) {
        exit(1);
    }
    return made;
}

static void pairs(long count)
{
    mco_coro *other = make(yield_on);

    for (long i = 0; i < count; i++) {
        mco_resume(other);
    }
    mco_destroy(other);
}

static void create_and_end(long count)
{
    for (long i = 0; i < count; i++) {
        mco_coro *other = make(nothing);

        mco_resume(other);
        mco_destroy(other);
    }
}

static void one(long count)
{
    measure("resume_yield_pair", pairs, count);
    measure("create_end", create_and_end, count / 10 + 1);
}

int main(int count, char **arguments)
{
    return rounds(count, arguments, one);
}
