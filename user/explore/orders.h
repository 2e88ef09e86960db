/* The search for an order of coroutines that fails: a schedule's places are choices of the library's
 * (user/ulib/co/order.c), with how many of those that are ready come later. */
#ifndef EXPLORE_ORDERS_H
#define EXPLORE_ORDERS_H
#include "search.h"

/* To be called first: it sets the environment of all that is started from then on. */
void orders_begin(void);
/* True: search->found fails, and nothing of it can be left out. */
int orders_go(struct search *search, char *const command[]);
/* Run the command once, in an order. True: it failed. */
int orders_try(struct search *search, const struct schedule *schedule, char *const command[]);
/* Tell the order that was found, or replayed: what its coroutines did, by which lines. */
void orders_tell(struct search *search, char *const command[], const struct setup *setup, int found);
#endif
