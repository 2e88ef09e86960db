/*
 * Readers and writers: many readers or one writer, and nobody starves.
 *
 * The rule: a reader that comes while a writer waits gets in line, too. A writer that leaves lets
 * all waiting readers in; the last reader that leaves lets one writer in. So writers and batches
 * of readers take turns, and each waits for at most one turn of the other side. The price: a
 * thread that reads and asks to read once more waits behind a writer that waits for it (POSIX
 * leaves this to the library).
 *
 * The lock is handed over, not let go: who leaves counts the successors as inside at once. So
 * whenever somebody waits, `active` is not 0, and nobody slips in between. Readers learn it from
 * `turn`, which changes with each batch; a writer takes one `grant`. Everything is guarded by
 * `lock`, which is held for a few instructions only; a time that ran out is checked against it, so
 * what was handed over meanwhile is accepted.
 */
#include "thread.h"

_Static_assert(sizeof(pthread_rwlock_t) == 56, "as in the GNU library");

enum { WRITER = -1 }; /* in `active` */

int pthread_rwlock_init(pthread_rwlock_t *rw, const pthread_rwlockattr_t *attr)
{
    *rw = (pthread_rwlock_t){.__shared = attr ? attr->__shared : false};
    return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *rw)
{
    return rw->__active ? EBUSY : 0;
}

static void enter(pthread_rwlock_t *rw)
{
    lock_take_until(&rw->__lock, rw->__shared, FOREVER);
}

static void leave(pthread_rwlock_t *rw)
{
    lock_drop_shared(&rw->__lock, rw->__shared);
}

static bool is_writer(const pthread_rwlock_t *rw)
{
    return rw->__active == WRITER && rw->__writer == thread_self()->tid;
}

/* Sleep while *word is `value`; `lock` is held before and after. */
static int sleep_on(pthread_rwlock_t *rw, const unsigned *word, unsigned value, struct until until)
{
    int error;

    leave(rw);
    error = futex_wait(word, value, rw->__shared, until);
    enter(rw);
    return error == ETIMEDOUT || error == EINVAL ? error : 0;
}

static void let_readers_in(pthread_rwlock_t *rw)
{
    rw->__active += (int)rw->__waiting_readers;
    rw->__waiting_readers = 0;
    rw->__turn++;
    futex_wake(&rw->__turn, INT_MAX, rw->__shared);
}

static void let_writer_in(pthread_rwlock_t *rw)
{
    rw->__active = WRITER;
    rw->__waiting_writers--;
    rw->__grant = 1;
    futex_wake(&rw->__grant, 1, rw->__shared);
}

static int wait_to_read(pthread_rwlock_t *rw, struct until until)
{
    unsigned turn = rw->__turn;
    int error = 0;

    rw->__waiting_readers++;
    while (rw->__turn == turn && !error) {
        error = sleep_on(rw, &rw->__turn, turn, until);
    }
    if (rw->__turn != turn) {
        return 0;
    }
    rw->__waiting_readers--;
    return error;
}

static int wait_to_write(pthread_rwlock_t *rw, struct until until)
{
    int error = 0;

    rw->__waiting_writers++;
    while (!rw->__grant && !error) {
        error = sleep_on(rw, &rw->__grant, 0, until);
    }
    if (rw->__grant) {
        rw->__grant = 0;
        return 0;
    }
    rw->__waiting_writers--;
    if (rw->__waiting_writers == 0 && rw->__active > 0) {
        let_readers_in(rw); /* they only waited because of us */
    }
    return error;
}

static int read_lock(pthread_rwlock_t *rw, bool may_wait, struct until until)
{
    int error = 0;

    enter(rw);
    if (rw->__active >= 0 && rw->__waiting_writers == 0) {
        rw->__active++;
    } else if (!may_wait) {
        error = EBUSY;
    } else if (is_writer(rw)) {
        error = EDEADLK;
    } else {
        error = wait_to_read(rw, until);
    }
    leave(rw);
    return error;
}

static int write_lock(pthread_rwlock_t *rw, bool may_wait, struct until until)
{
    int error = 0;

    enter(rw);
    if (rw->__active == 0) {
        rw->__active = WRITER;
    } else if (!may_wait) {
        error = EBUSY;
    } else if (is_writer(rw)) {
        error = EDEADLK;
    } else {
        error = wait_to_write(rw, until);
    }
    if (!error) {
        rw->__writer = thread_self()->tid;
    }
    leave(rw);
    return error;
}

int pthread_rwlock_unlock(pthread_rwlock_t *rw)
{
    int error = 0;

    enter(rw);
    if (rw->__active > 0) {
        rw->__active--;
        if (rw->__active == 0 && rw->__waiting_writers > 0) {
            let_writer_in(rw);
        }
    } else if (is_writer(rw)) {
        rw->__active = 0;
        rw->__writer = 0;
        if (rw->__waiting_readers > 0) {
            let_readers_in(rw);
        } else if (rw->__waiting_writers > 0) {
            let_writer_in(rw);
        }
    } else {
        error = EPERM;
    }
    leave(rw);
    return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *rw) { return read_lock(rw, true, FOREVER); }
int pthread_rwlock_tryrdlock(pthread_rwlock_t *rw) { return read_lock(rw, false, FOREVER); }
int pthread_rwlock_wrlock(pthread_rwlock_t *rw) { return write_lock(rw, true, FOREVER); }
int pthread_rwlock_trywrlock(pthread_rwlock_t *rw) { return write_lock(rw, false, FOREVER); }

int pthread_rwlock_timedrdlock(pthread_rwlock_t *rw, const struct timespec *time)
{
    return read_lock(rw, true, (struct until){CLOCK_REALTIME, time});
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *rw, const struct timespec *time)
{
    return write_lock(rw, true, (struct until){CLOCK_REALTIME, time});
}

int pthread_rwlockattr_init(pthread_rwlockattr_t *attr)
{
    *attr = (pthread_rwlockattr_t){.__shared = PTHREAD_PROCESS_PRIVATE};
    return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *attr, int shared)
{
    if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED) {
        return EINVAL;
    }
    attr->__shared = shared;
    return 0;
}

int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *attr, int *shared)
{
    *shared = attr->__shared;
    return 0;
}
