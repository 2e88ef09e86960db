/* Limits of a process: getrlimit(2). */
#ifndef LIB_RLIMIT_H
#define LIB_RLIMIT_H
#include "lib/types.h"

enum {
    RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC,
    RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_SIGPENDING = 11, RLIMIT_COUNT = 16,
};

struct rlimit {
    uint64_t soft, hard;
};
#endif
