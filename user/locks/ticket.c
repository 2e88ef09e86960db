/* A ticket lock. See locks.h. */
#include "locks.h"

void ticket_take(struct ticket_lock *lock)
{
//@lab 8 ticket-take begin
    unsigned mine = __atomic_fetch_add(&lock->next, 1, __ATOMIC_SEQ_CST), now;

    while ((now = __atomic_load_n(&lock->serving, __ATOMIC_SEQ_CST)) != mine) {
        word_wait(&lock->serving, now);
    }
//@lab 8 ticket-take stub
//|     (void)lock; /* lab 8, step 2: it lets everybody in */
//@lab 8 ticket-take end
}

void ticket_give(struct ticket_lock *lock)
{
//@lab 8 ticket-give begin
    unsigned now = __atomic_add_fetch(&lock->serving, 1, __ATOMIC_SEQ_CST);

    /* Whose number it is cannot be said to the kernel: all wake, and all others sleep again. */
    if (__atomic_load_n(&lock->next, __ATOMIC_SEQ_CST) != now) {
        word_wake(&lock->serving, EVERYBODY);
    }
//@lab 8 ticket-give stub
//|     (void)lock; /* lab 8, step 2 */
//@lab 8 ticket-give end
}
