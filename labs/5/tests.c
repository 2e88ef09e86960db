/* Lab 5, coroutines: the switch with contexts made by hand, then the library on it. */
#include "chains.h"
#include "coroutines.h"
#include "rounds.h"
#include "switch.h"

static uint64_t token;
static int starting;

static void hold(int me, uint64_t turn)
{
    static const char *const names[] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
    uint64_t six[6];
    void *value;

    for (uint64_t i = 0; i < 6; i++) {
        six[i] = grade_number((uint64_t)me << 32 | turn << 8 | i);
    }
    starting = (me + 1) % RING;
    token = grade_mix(token);
    value = lab_hold(&ring[me], &ring[(me + 1) % RING], six, (void *)token);
    EXPECT((uint64_t)value == token, "co_switch returns `value`, on the other stack", "%p", value);
    for (uint64_t i = 0; i < 6; i++) {
        EXPECT(six[i] == grade_number((uint64_t)me << 32 | turn << 8 | i),
               "a register has the same value after the switch as before", "%s has another", names[i]);
        sum += six[i];
    }
}

static void ring_member(void *value)
{
    int me = starting;

    EXPECT((uint64_t)value == token, "`value` in rax where a stack begins", "%p", value);
    for (uint64_t turn = 0;; turn++) {
        hold(me, turn);
    }
}

static void registers(void)
{
    member = ring_member;
    for (int i = 1; i < RING; i++) {
        make_stack(i);
    }
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        hold(0, turn);
    }
    grade_value("registers", sum);
    grade_value("token", token);
}

/* Each side rounds in its own way: bits 13-14 of MXCSR, 10-11 of the x87 word (SDM volume 1). */
static void expect_control(uint64_t wanted)
{
    EXPECT(control() == wanted, "MXCSR and the x87 control word are those that this side has set",
           "0x%lx, not 0x%lx", (unsigned long)control(), (unsigned long)wanted);
    sum += wanted * grade_number(token++);
}

static void other_rounding(void *value)
{
    expect_control(CONTROL);
    set_control(CONTROL | 0x4000 | 0x800ul << 32);
    for (;;) {
        co_switch(&ring[1], &ring[0], value);
        expect_control(CONTROL | 0x4000 | 0x800ul << 32);
    }
}

static void rounding(void)
{
    member = other_rounding;
    make_stack(1);
    set_control(CONTROL | 0x2000 | 0x400ul << 32);
    for (int i = 0; i < 10; i++) {
        co_switch(&ring[0], &ring[1], NULL);
        expect_control(CONTROL | 0x2000 | 0x400ul << 32);
    }
    set_control(CONTROL);
    grade_value("rounding", sum);
}

static void *begin(void *in)
{
    EXPECT(((uintptr_t)__builtin_frame_address(0) & 15) == 0,
           "a function is entered with rsp 8 below a multiple of 16 (System V ABI)",
           "its frame is at %p", __builtin_frame_address(0));
    EXPECT(control() == CONTROL, "fresh control words", "0x%lx", (unsigned long)control());
    EXPECT(co_self() && co_status(co_self()) == CO_RUNNING, "the running one is CO_RUNNING", "%d",
           co_self() ? (int)co_status(co_self()) : -1);
    return (void *)grade_mix((uint64_t)in + (uint64_t)co_data(co_self()));
}

static void first_frame(void)
{
    for (uint64_t i = 0; i < 30; i++) {
        struct co *co = co_create(begin, &(struct co_attr){.name = "first", .data = (void *)i});
        void *out = NULL;
        int error = co ? co_resume(co, (void *)grade_number(i), &out) : -1;

        EXPECT(error == 0, "co_resume gives 0", "%d", error);
        EXPECT(co_status(co) == CO_DEAD, "one whose function has returned is CO_DEAD", "%d",
               (int)co_status(co));
        EXPECT(co_destroy(co) == 0, "a dead one can be freed", "an error");
        sum += (uint64_t)out;
    }
    grade_value("first", sum);
}

/* Three in a row: each resumes the next one, and adds to what that one yields. */
static struct co *chain[3];

static void *link_of_chain(void *in)
{
    uint64_t me = (uint64_t)co_data(co_self());

    for (uint64_t round = 0; round < 8; round++) {
        void *out = in;

        EXPECT(me == 0 || co_status(chain[me - 1]) == CO_NORMAL, "who resumed us is CO_NORMAL", "%d",
               (int)co_status(chain[me - 1]));
        if (me < 2) {
            int error = co_resume(chain[me + 1], in, &out);

            EXPECT(error == 0, "co_resume gives 0", "%d", error);
            EXPECT(co_status(chain[me + 1]) == CO_SUSPENDED, "one that has yielded is CO_SUSPENDED",
                   "%d", (int)co_status(chain[me + 1]));
            EXPECT(co_self() == chain[me] && co_status(chain[me]) == CO_RUNNING,
                   "who runs again is co_self, and CO_RUNNING", "state %d", (int)co_status(chain[me]));
        } else {
            EXPECT(co_resume(chain[0], in, &out) == -EBUSY, "one that waits cannot be resumed", "it was");
        }
        in = co_yield((void *)grade_mix((uint64_t)out + me));
    }
    return in;
}

static void resume_and_yield(void)
{
    void *out = NULL;

    for (uint64_t i = 0; i < 3; i++) {
        chain[i] = co_create(link_of_chain, &(struct co_attr){.data = (void *)i});
    }
    for (uint64_t round = 0; round < 8; round++) {
        int error = co_resume(chain[0], (void *)grade_number(round), &out);

        EXPECT(error == 0 && co_self() == NULL, "back on the thread's own stack", "%d", error);
        sum = grade_mix(sum + (uint64_t)out);
    }
    EXPECT(co_resume(chain[0], (void *)grade_number(99), &out) == 0, "one more resume", "an error");
    EXPECT((uint64_t)out == grade_number(99), "what the function returned", "%p", out);
    EXPECT(co_resume(chain[0], NULL, &out) == -ESRCH, "the dead cannot be resumed", "it was");
    grade_value("chain", sum);
}

static void note(uint64_t who)
{
    sum = grade_mix(sum ^ grade_number(who));
}

static void *worker(void *argument)
{
    uint64_t me = (uint64_t)argument;

    for (int turn = 0; turn < 5; turn++) {
        note(me);
        if (me % 7 == 3 && turn == 1) {
            co_go(worker, (void *)(me + 100), "late");
        }
        co_yield_now();
    }
    return argument;
}

static void run_order(void)
{
    for (uint64_t i = 0; i < 20; i++) {
        co_go(worker, (void *)i, "worker");
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    grade_value("order", sum);
}

static void *ends_at_once(void *argument)
{
    return (void *)grade_number((uint64_t)argument);
}

static void *joins(void *unused)
{
    for (uint64_t i = 0; i < 10; i++) {
        struct co *co = co_go(ends_at_once, (void *)i, "short");
        void *result = NULL;
        int error = co_join(co, &result, CO_NEVER);

        EXPECT(error == 0, "co_join gives 0", "%d", error);
        sum += (uint64_t)result;
    }
    return unused;
}

static void many(int count)
{
    for (int i = 0; i < count; i++) {
        co_go(ends_at_once, NULL, "one of many");
    }
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
}

static void ends(void)
{
    long before, after;

    co_go(joins, NULL, "joins");
    EXPECT(co_run() == 0, "co_run gives 0 when all have ended", "an error");
    many(400);
    before = grade_free_kib();
    for (int i = 0; i < 5; i++) {
        many(400);
    }
    after = grade_free_kib();
    /* A trace takes 128 KiB for the events of each run; five lots of stacks would be 100 MiB. */
    EXPECT(before > 0 && before - after < 5 * 128 + 256, "the stacks of the dead are used again",
           "%ld KiB are lost", before - after);
    grade_value("results", sum);
}

static struct co *parked;

static void *sleeps(void *argument)
{
    int error = co_sleep((int64_t)argument * 1000000);

    EXPECT(error == 0, "co_sleep gives 0", "%d", error);
    note((uint64_t)argument);
    return NULL;
}

static void *parks(void *argument)
{
    note((uint64_t)argument);
    co_park("a test");
    note((uint64_t)argument + 1);
    return NULL;
}

static void *wakes(void *argument)
{
    EXPECT(co_ready(parked) == 0, "a parked one can be made ready", "an error");
    note((uint64_t)argument);
    return NULL;
}

static void parked_ones(void)
{
    co_go(sleeps, (void *)3, "sleeps 3 ms");
    co_go(sleeps, (void *)1, "sleeps 1 ms");
    parked = co_go(parks, (void *)10, "parks");
    co_go(wakes, (void *)20, "wakes");
    EXPECT(co_run() == 0, "co_run waits for those that sleep, and gives 0", "an error");
    parked = co_go(parks, (void *)30, "for ever");
    grade_hint("step 5: where look() gives 0, co_dump(2) and -EDEADLK");
    stuck_ones(parked);
    grade_value("parked", sum);
    grade_hint("step 5: look() after each round; it knows of descriptors, too");
    waits_for_a_pipe();
}

static const struct grade_test tests[] = {
    GRADE(registers), GRADE(picture), GRADE(rounding), GRADE(first_frame),
    GRADE(first_words), GRADE(resume_and_yield), GRADE(who_resumed_whom),
    GRADE(run_order), GRADE(counts), GRADE(rounds), GRADE(ends), GRADE(parked_ones),
};
GRADE_MAIN(tests)
