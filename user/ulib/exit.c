/* The end of a process, called by whichever thread: functions to be called before, then all ends. */
#include <stdlib.h>
#include <unistd.h>

#include "internal.h"
#include "thread/thread.h"

static unsigned functions_lock; /* protects the next two; not held while a function runs */
static void (*functions[32])(void);
static int function_count;
static struct thread *exiting; /* the first to call exit; others wait for the end in there */

int atexit(void (*function)(void))
{
    int result = -1;

    lock_take(&functions_lock);
    if (function_count < 32) {
        functions[function_count++] = function;
        result = 0;
    }
    lock_drop(&functions_lock);
    return result;
}

static void (*next_function(void))(void)
{
    void (*function)(void);

    lock_take(&functions_lock);
    function = function_count > 0 ? functions[--function_count] : NULL;
    lock_drop(&functions_lock);
    return function;
}

_Noreturn void exit(int code)
{
    struct thread *self = thread_self(), *first = NULL;
    void (*function)(void);

    if (!__atomic_compare_exchange_n(&exiting, &first, self, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) && first != self) {
        for (;;) {
            pause();
        }
    }
    while ((function = next_function())) {
        function();
    }
    ulib_stdio_flush();
    _exit(code);
}

void ulib_exit_forked(void)
{
    functions_lock = FREE;
    exiting = exiting == thread_self() ? exiting : NULL;
}

_Noreturn void _exit(int code)
{
    for (;;) {
        ulib_syscall(SYS_exit_group, code, 0, 0, 0, 0, 0);
    }
}
