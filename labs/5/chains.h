/* Lab 5: who resumed whom, and where what was yielded goes. */
#ifndef LAB5_CHAINS_H
#define LAB5_CHAINS_H
#include "../../user/ulib/co/internal.h"
#include "coroutines.h"

#define DEEP 100

static void *out_of_main;
static struct co *shared_one, *other_one;

static void *yields_twice(void *in)
{
    in = co_yield ((void *)1);
    in = co_yield (in);
    return in;
}

/* Resumes one that main has resumed before: its yield comes here now. */
static void *resumes_shared(void *in)
{
    void *out = NULL;

    EXPECT(co_resume(shared_one, (void *)2, NULL) == 0,
           "co_resume gives 0, also with no place for what is yielded", "an error");
    EXPECT(co_self() == other_one, "a yield goes to who resumed last", "somebody else");
    EXPECT(out_of_main == (void *)7, "what is yielded where nobody wants it is written nowhere",
           "an outer co_resume got it");
    EXPECT(co_resume(shared_one, (void *)3, &out) == 0 && out == (void *)3,
           "what its function returned", "%p", out);
    return in;
}

static void expect_no_resumer(struct co *co, enum co_state state)
{
    EXPECT(co_status(co) == state, "its state", "%d, not %d", (int)co_status(co), (int)state);
    EXPECT(co->resumer_co == NULL, "nobody is the resumer of one that does not run",
           "resumer_co is not NULL");
}

static void *yields_null(void *in)
{
    EXPECT(co_self()->resumer_co == NULL,
           "resumer_co is NULL for one that the thread's own stack resumed", "%p",
           (void *)co_self()->resumer_co);
    in = co_yield (NULL);
    return in;
}

/* Each resumes a new one, down to DEEP; on the way back each value must find its own level. */
static void *goes_deeper(void *in)
{
    uint64_t level = (uint64_t)in;
    void *out = NULL;
    struct co *co, *self = co_self();

    if (level == DEEP) {
        return co_yield ((void *)grade_number(level));
    }
    co = co_create(goes_deeper, NULL);
    EXPECT(co_resume(co, (void *)(level + 1), &out) == 0, "co_resume gives 0",
           "an error at level %lu", (unsigned long)level);
    EXPECT((uint64_t)out == grade_number(level + 1), "what the next level yielded",
           "%p at level %lu", out, (unsigned long)level);
    EXPECT(co_self() == self && co_status(self) == CO_RUNNING, "who runs again is CO_RUNNING",
           "state %d", (int)co_status(self));
    expect_no_resumer(co, CO_SUSPENDED);
    in = co_yield ((void *)grade_number(level));
    co_resume(co, in, &out);
    EXPECT(out == in, "what the next level returned", "%p", out);
    expect_no_resumer(co, CO_DEAD);
    EXPECT(co_destroy(co) == 0, "a dead one can be freed", "an error");
    return out;
}

/* A place is for one resume: the next one may give none, or another. */
static void *gives_places(void *in)
{
    struct co *co = co_create(yields_twice, NULL);
    void *first = NULL, *second = NULL;

    co_resume(co, NULL, &first);
    EXPECT(first == (void *)1, "what it yielded", "%p", first);
    co_resume(co, (void *)2, NULL);
    EXPECT(first == (void *)1, "what is yielded where nobody wants it is written nowhere",
           "the place of an earlier co_resume got it");
    co_resume(co, (void *)4, &second);
    EXPECT(first == (void *)1 && second == (void *)4, "what its function returned", "%p", second);
    EXPECT(co_self() == NULL || co_status(co_self()) == CO_RUNNING,
           "who runs again is CO_RUNNING, also when the other one has ended", "state %d",
           (int)co_status(co_self()));
    co_destroy(co);
    return in;
}

static void who_resumed_whom(void)
{
    struct co *co = co_create(yields_null, NULL);

    gives_places(NULL);
    co_resume(co_create(gives_places, NULL), NULL, NULL);
    out_of_main = (void *)5;
    EXPECT(co_resume(co, NULL, &out_of_main) == 0 && out_of_main == NULL,
           "NULL can be yielded like any other value", "%p", out_of_main);
    EXPECT(co_resume(co, (void *)6, &out_of_main) == 0 && out_of_main == (void *)6,
           "what its function returned", "%p", out_of_main);
    expect_no_resumer(co, CO_DEAD);
    shared_one = co_create(yields_twice, NULL);
    other_one = co_create(resumes_shared, NULL);
    EXPECT(co_resume(shared_one, NULL, &out_of_main) == 0 && out_of_main == (void *)1,
           "what it yielded", "%p", out_of_main);
    expect_no_resumer(shared_one, CO_SUSPENDED);
    out_of_main = (void *)7;
    EXPECT(co_resume(other_one, (void *)8, &out_of_main) == 0 && out_of_main == (void *)8,
           "what its function returned", "%p", out_of_main);
    co = co_create(goes_deeper, NULL);
    co_resume(co, NULL, &out_of_main);
    EXPECT((uint64_t)out_of_main == grade_number(0), "what the first of a hundred levels yielded",
           "%p", out_of_main);
    co_resume(co, (void *)grade_number(52), &out_of_main);
    grade_value("deep", (uint64_t)out_of_main);
}
#endif
