/*
 * futex(2), for programs that build locks of their own: sleep while a word of memory has a value.
 *
 * The kernel looks at the word and puts the caller to sleep in one step, as any word_wake() sees
 * it. So who changes the word first and wakes then is never missed: the other one sleeps already
 * and is woken, or finds the word changed and does not sleep.
 */
#ifndef FUTEX_H
#define FUTEX_H
#include <limits.h>

#define EVERYBODY INT_MAX /* for word_wake */

/* Sleep if *word is `value`, until somebody wakes who sleeps on this word. Comes back at once if it
 * is something else. It may come back for no reason: look at the word again. */
void word_wait(unsigned *word, unsigned value);
/* Wake up to `count` of those who sleep on this word, who came first first. */
void word_wake(unsigned *word, int count);
#endif
