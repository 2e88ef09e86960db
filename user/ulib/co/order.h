/* Layer 2: other orders than the queue's. See order.c; user/explore reads the log. */
#ifndef CO_ORDER_H
#define CO_ORDER_H
#include <stdint.h>

/* BACK: co_run returns. DEADLOCK: nobody can go on. */
enum order_kind { ORDER_TURN = 1, ORDER_BACK, ORDER_SELECT, ORDER_PARK, ORDER_END, ORDER_DEADLOCK };

struct order_record {
    uint32_t kind, id; /* the coroutine's */
    uint32_t choice;   /* its number, from 1; 0: there was only one way */
    uint32_t among;    /* so many, of which this one was taken */
    uint32_t taken;    /* its place among them, from 0 */
    char text[44];     /* a turn: the coroutine's name; a park: why */
};

/* The file that CO_ORDER_LOG names; whoever makes it decides how many records it holds. */
#define ORDER_RECORDS 8191
struct order_log {
    uint64_t count; /* more than ORDER_RECORDS: the last ones are missing */
    char unused[56];
    struct order_record records[ORDER_RECORDS];
};
_Static_assert(sizeof(struct order_log) == 64ul << 13, "whole pages");

#ifdef CO_LOOP_H
extern int order_on; /* an order was asked for, or a log */

struct loop_co *order_choose(struct co_loop *l, struct loop_co *first);
void order_record(enum order_kind kind, const struct loop_co *co, const char *text);

/* Whose turn it is: `first` in the queue, or one behind it. */
static inline struct loop_co *order_turn(struct co_loop *l, struct loop_co *first)
{
    return order_on ? order_choose(l, first) : first;
}

/* Which of so many cases that could go through, from 0. */
int order_case(int ready);

static inline void order_note(enum order_kind kind, const struct loop_co *co, const char *text)
{
    if (order_on) {
        order_record(kind, co, text);
    }
}
#endif
#endif
