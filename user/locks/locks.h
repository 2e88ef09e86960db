/*
 * Four locks for the threads of one process (lab 8), each of a few words and a futex. A lock that
 * is all zero is free, but for what a semaphore has to count and the room of a buffer.
 *
 * Their words are part of the contract: whoever looks at a lock in gdb, and the grader, finds in
 * them what is said here.
 */
#ifndef LOCKS_H
#define LOCKS_H
#include <futex.h>

/*
 * One at a time, first come, first served, as at a counter: who comes draws a number and waits
 * until it is called.
 *
 * The numbers go on from 4294967295 to 0: never ask which of two is larger.
 */
struct ticket_lock {
    unsigned next;    /* the number that the next one draws */
    unsigned serving; /* the number whose turn it is */
};

void ticket_take(struct ticket_lock *lock);
/* By who has it. No system call if nobody waits. */
void ticket_give(struct ticket_lock *lock);

/* So many may go on; the next one waits until somebody comes back. */
struct semaphore {
    unsigned count;    /* so many may still go on */
    unsigned sleepers; /* so many sleep, or are about to: nobody is woken while this is 0 */
};

void semaphore_down(struct semaphore *semaphore);
/* By anybody. No system call if nobody waits. */
void semaphore_up(struct semaphore *semaphore);

/* A queue with room for `size` items. */
struct buffer {
    struct semaphore room, items; /* places that are free; places that are filled */
    struct ticket_lock lock;      /* of what follows */
    unsigned in, out;             /* the places of the next put and take, both below `size` */
    unsigned size;
    long *item;
};

static inline void buffer_init(struct buffer *buffer, long *item, unsigned size)
{
    *buffer = (struct buffer){.room = {size, 0}, .item = item, .size = size};
}

/* Put an item behind the others. Waits while there is no room. */
void buffer_put(struct buffer *buffer, long item);
/* Take the item that was put first. Waits while there is none. */
long buffer_take(struct buffer *buffer);

/*
 * Many who read, or one who writes. Who comes to the door goes in behind those who came before: so
 * a reader waits for a writer who waits, and neither keeps the other out for ever.
 */
struct rw_lock {
    struct ticket_lock door; /* readers hold it while they go in, a writer until it is out again */
    unsigned readers;        /* so many are inside */
    unsigned writer_waits;   /* 1: for `readers` to become 0 */
};

void read_take(struct rw_lock *lock);
/* No system call, but for the last one who leaves while a writer waits. */
void read_give(struct rw_lock *lock);
void write_take(struct rw_lock *lock);
void write_give(struct rw_lock *lock);
#endif
