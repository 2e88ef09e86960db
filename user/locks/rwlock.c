/* A read-write lock with a ticket lock as its door. See locks.h. */
#include "locks.h"

void read_take(struct rw_lock *lock)
{
//@lab 8 read-take begin
    ticket_take(&lock->door);
    __atomic_fetch_add(&lock->readers, 1, __ATOMIC_SEQ_CST);
    ticket_give(&lock->door);
//@lab 8 read-take stub
//|     (void)lock; /* lab 8, step 5: it lets everybody in */
//@lab 8 read-take end
}

void read_give(struct rw_lock *lock)
{
//@lab 8 read-give begin
    if (__atomic_sub_fetch(&lock->readers, 1, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_load_n(&lock->writer_waits, __ATOMIC_SEQ_CST)) {
        word_wake(&lock->readers, 1);
    }
//@lab 8 read-give stub
//|     (void)lock; /* lab 8, step 5 */
//@lab 8 read-give end
}

void write_take(struct rw_lock *lock)
{
//@lab 8 write-take begin
    unsigned inside;

    ticket_take(&lock->door);
    __atomic_store_n(&lock->writer_waits, 1, __ATOMIC_SEQ_CST);
    while ((inside = __atomic_load_n(&lock->readers, __ATOMIC_SEQ_CST)) > 0) {
        word_wait(&lock->readers, inside);
    }
    __atomic_store_n(&lock->writer_waits, 0, __ATOMIC_SEQ_CST);
//@lab 8 write-take stub
//|     (void)lock; /* lab 8, step 5 */
//@lab 8 write-take end
}

void write_give(struct rw_lock *lock)
{
//@lab 8 write-give begin
    ticket_give(&lock->door);
//@lab 8 write-give stub
//|     (void)lock; /* lab 8, step 5 */
//@lab 8 write-give end
}
