/* See futex.h. Between the threads of one process. */
#include <futex.h>

#include "internal.h"

#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129

void word_wait(unsigned *word, unsigned value)
{
    ulib_syscall(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value, 0, 0, 0);
}

void word_wake(unsigned *word, int count)
{
    ulib_syscall(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}
