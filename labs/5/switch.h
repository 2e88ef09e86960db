/* Lab 5: what co_switch leaves on a stack, its labels, and the stack of one that has never run. */
#ifndef LAB5_SWITCH_H
#define LAB5_SWITCH_H
#include "coroutines.h"
#include "step.h"

extern char co_swapped[], co_switch_end[], co_entry[], lab_held[];

static uint64_t six_of_main[6], rsp_of_member;

/* Word by word, as the handout's picture has it. The main stack has been left by lab_hold. */
static void look_at_stack(void *value)
{
    static const char *const names[] = {"r15", "r14", "r13", "r12", "rbx", "rbp"};
    static const int order[] = {5, 4, 3, 2, 0, 1};
    const uint64_t *words = ring[0].rsp;

    EXPECT(words[0] == CONTROL, "at the saved rsp: MXCSR, and the x87 control word 4 bytes above",
           "0x%lx", (unsigned long)words[0]);
    for (int i = 0; i < 6; i++) {
        EXPECT(words[1 + i] == grade_number(40 + (uint64_t)order[i]),
               "above: r15 r14 r13 r12 rbx rbp, as in the picture",
               "another value where %s should be", names[i]);
    }
    EXPECT(words[7] == (uint64_t)lab_held, "above: the return address of the caller of co_switch",
           "0x%lx", (unsigned long)words[7]);
    EXPECT((uint64_t)ring[1].rsp == rsp_of_member, "co_switch writes *from, and only reads *to",
           "*to has changed");
    co_switch(&ring[1], &ring[0], value);
}

/* Debuggers and the trace stop at the labels: they must be where the handout says. */
static struct {
    uint64_t rip, rsp, last_rip, last_rsp;
    int inside, swaps;
} at;

static void look_at_labels(const uint64_t *r)
{
    uint64_t rip = r[STEP_RIP], rsp = r[STEP_RSP], start = (uint64_t)co_switch,
             end = (uint64_t)co_switch_end;

    at.inside = at.inside ? rip >= start && rip < end : rip == start;
    if (at.inside && rip != start && (rsp > at.last_rsp + 8 || rsp + 8 < at.last_rsp)) {
        at.swaps++;
        EXPECT(rip == (uint64_t)co_swapped,
               "co_swapped is right behind the instruction that changes the stack",
               "it is %ld bytes from there", (long)co_swapped - (long)rip);
    }
    if (at.last_rip >= start && !at.inside && at.last_rip < end) {
        EXPECT(end - at.last_rip <= 3, "co_switch_end is right behind the last instruction",
               "%ld bytes from its start", (long)(end - at.last_rip));
        EXPECT(rip < start || rip > end, "co_switch_end is right behind the last instruction",
               "in front of it");
    }
    if (at.inside) {
        EXPECT(!step_is_call(r), "a switch makes no system call", "it makes one");
    }
    at.last_rip = rip;
    at.last_rsp = rsp;
}

static void comes_back(void *value)
{
    for (;;) {
        value = co_switch(&ring[1], &ring[0], value);
    }
}

static void labels(void)
{
    member = comes_back;
    make_stack(1);
    co_switch(&ring[0], &ring[1], NULL);
    step_begin(look_at_labels);
    co_switch(&ring[0], &ring[1], NULL);
    step_end();
    EXPECT(at.swaps == 2,
           "there and back: two changes of the stack between co_switch and co_switch_end", "%d",
           at.swaps);
    grade_value("labels", grade_number(48));
}

static void picture(void)
{
    void *value;

    member = look_at_stack;
    make_stack(1);
    rsp_of_member = (uint64_t)ring[1].rsp;
    for (uint64_t i = 0; i < 6; i++) {
        six_of_main[i] = grade_number(40 + i);
    }
    lab_hold(&ring[0], &ring[1], six_of_main, NULL);
    value = co_switch(&ring[0], &ring[0], (void *)grade_number(46));
    EXPECT((uint64_t)value == grade_number(46),
           "a switch to oneself: store rsp first, load it then", "%p", value);
    grade_value("picture", grade_number(47));
    grade_hint(
        "step 2: co_swapped right behind the load of rsp, co_switch_end right behind the jmp");
    labels();
}

/* A coroutine that leaves nothing of its stack as it was. */
static void *scribbles(void *in)
{
    volatile uint64_t much[512];

    for (int i = 0; i < 512; i++) {
        much[i] = (uint64_t)in;
    }
    return (void *)much[7];
}

static void look_at_new(void)
{
    struct co *co = co_create(scribbles, NULL);
    const uint64_t *words = *(uint64_t *const *)co, *top = (const uint64_t *)co - 2;

    EXPECT(words + 8 == top, "the saved rsp is 8 words below `top`, which is 2 below the struct co",
           "%ld below the struct", (long)((const uint64_t *)co - words));
    EXPECT(words[0] == CONTROL, "at the saved rsp: DEFAULT_CONTROL", "0x%lx",
           (unsigned long)words[0]);
    for (int i = 1; i < 7; i++) {
        EXPECT(words[i] == 0, "six words of zero, also where a stack is used again",
               "0x%lx in word %d", (unsigned long)words[i], i);
    }
    EXPECT(words[7] == (uint64_t)co_entry, "the return address: co_entry", "0x%lx",
           (unsigned long)words[7]);
    EXPECT(top[0] == (uint64_t)co, "at `top`: the pointer to co", "0x%lx", (unsigned long)top[0]);
    EXPECT(co_resume(co, (void *)grade_number(49), NULL) == 0, "co_resume gives 0", "an error");
    memset((uint64_t *)co - 10, 0xa5, 8 * 8); /* it is dead: the next one finds this there */
    co_destroy(co);
}

/* A new one starts with the default control words, whatever its maker and its resumer have. */
static void *starts_fresh(void *in)
{
    EXPECT(control() == CONTROL, "fresh control words", "0x%lx", (unsigned long)control());
    set_control(CONTROL | 0x6000 | 0xc00ul << 32);
    in = co_yield (in);
    EXPECT(control() == (CONTROL | 0x6000 | 0xc00ul << 32), "its own control words after co_yield",
           "0x%lx", (unsigned long)control());
    return in;
}

static void fresh_control(void)
{
    uint64_t mine = CONTROL | 0x2000 | 0x400ul << 32;
    struct co *co;

    set_control(mine);
    co = co_create(starts_fresh, NULL);
    set_control(mine | 0x4000);
    for (int i = 0; i < 2; i++) {
        co_resume(co, NULL, NULL);
        EXPECT(control() == (mine | 0x4000), "the resumer's control words after co_resume", "0x%lx",
               (unsigned long)control());
    }
    set_control(CONTROL);
}

static void first_words(void)
{
    for (int i = 0; i < 3; i++) {
        look_at_new();
    }
    grade_hint("step 3: DEFAULT_CONTROL, not what the maker's or the resumer's units have");
    fresh_control();
    grade_value("words", grade_number(50));
}
#endif
