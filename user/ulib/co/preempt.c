/*
 * Coroutines that give way without being asked: a timer signal interrupts one in the middle of
 * its computation, and the handler gives its turn to the next.
 *
 * The handler runs on the stack of the one that was interrupted, below the frame in which the
 * kernel has put all of its registers. So to switch away inside of the handler is to leave the
 * coroutine as it is: when its turn comes it returns from the handler, and sigreturn(2) gives it
 * its registers back. What must stay true: nobody is preempted inside of the library, whose lists
 * would be half-changed; only where the program has said that it may be. And the signal mask is
 * the thread's: who leaves from inside of the handler must not leave the signal blocked.
 */
#include <errno.h>
#include <signal.h>

#include "loop.h"

#define SLICE_LEAST 100000 /* with less a slow machine would do nothing but take signals */

enum { TIMER_REAL = 0 };

static long owner; /* the thread that has the timer; 0: nobody */
static int64_t interval; /* of the timer; 0: it does not run */
static struct sigaction before;

int co_preemptible(int allowed)
{
    struct co *co = loop_here() ? co_current : NULL;
    int was;

    if (!co) {
        return -EPERM;
    }
    was = co->preemptible;
    co->preemptible = allowed != 0;
    return was;
}

static void mask_tick(int how)
{
    sigset_t tick;

    sigemptyset(&tick);
    sigaddset(&tick, SIGALRM);
    pthread_sigmask(how, &tick, NULL);
}

static void on_tick(int signal)
{
//@lab 7 handler begin
    struct co *co = co_current;
    int error = errno;

    (void)signal;
    if (co && co->preemptible) {
        co->preemptible = 0; /* the next signal comes while this one is in the library */
        mask_tick(SIG_UNBLOCK);
        loop_give_way();
        mask_tick(SIG_BLOCK); /* or the next one comes before this has ended, and so on */
        co->preemptible = 1;
    }
    errno = error; /* those that ran meanwhile have used it: it is the thread's */
//@lab 7 handler stub
//|     (void)signal, (void)mask_tick; /* lab 7: give the turn to the next (labs/7/README.md, step 3) */
//@lab 7 handler end
}

static void set_timer(int64_t nanoseconds)
{
    struct {
        int64_t seconds, microseconds;
    } timer[2]; /* struct itimerval: the interval, and the time to the first one */

    interval = nanoseconds;
    timer[0].seconds = nanoseconds / SECOND;
    timer[0].microseconds = nanoseconds % SECOND / 1000;
    timer[1] = timer[0];
    co_call(SYS_setitimer, TIMER_REAL, (long)timer, 0, 0, 0, 0);
}

/* A child has no timers, setitimer(2), and of the threads only the one that forked. */
void preempt_forked(void)
{
    if (owner == co_thread_id()) {
        set_timer(interval);
    } else {
        owner = 0;
    }
}

int co_preempt(int64_t slice)
{
//@lab 7 start begin
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    long nobody = 0, me = co_thread_id();

    if (slice < 0 || (slice > 0 && slice < SLICE_LEAST)) {
        return -EINVAL;
    }
    if (!__atomic_compare_exchange_n(&owner, &nobody, me, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
        nobody != me) {
        return -EBUSY;
    }
    if (nobody == 0) {
        sigaction(SIGALRM, &action, &before);
    }
    set_timer(slice);
    if (slice == 0) {
        sigaction(SIGALRM, &before, NULL); /* after the timer: none can come any more */
        __atomic_store_n(&owner, 0, __ATOMIC_RELAXED);
    }
    return 0;
//@lab 7 start stub
//|     (void)slice, (void)on_tick, (void)set_timer, (void)before, (void)owner;
//|     return -ENOSYS; /* lab 7: labs/7/README.md, step 2 */
//@lab 7 start end
}
