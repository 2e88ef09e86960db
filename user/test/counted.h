/* A signal handler that counts: how often it ran, and for which signals. */
#ifndef COUNTED_H
#define COUNTED_H
#include <signal.h>

#include "ktap.h"

static volatile int ran, first, last;

static inline void count(int signal)
{
    first = first ? first : signal;
    last = signal;
    ran++;
}

static inline void handle(int signal, void (*handler)(int), unsigned flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)flags};

    CHECK(sigaction(signal, &action, NULL) == 0);
}

static inline void block(int signal)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
}
#endif
