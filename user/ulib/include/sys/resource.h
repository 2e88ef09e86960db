#ifndef ULIB_SYS_RESOURCE_H
#define ULIB_SYS_RESOURCE_H
#include <sys/time.h>
enum { RLIMIT_FSIZE = 1, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NPROC = 6, RLIMIT_NOFILE = 7, RLIMIT_AS = 9 };
#define RLIM_INFINITY (~0ul)
struct rlimit {
    unsigned long rlim_cur, rlim_max;
};
struct rusage {
    struct timeval ru_utime, ru_stime;
    long ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap, ru_inblock,
        ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals, ru_nvcsw, ru_nivcsw;
};
enum { RUSAGE_CHILDREN = -1, RUSAGE_SELF, RUSAGE_THREAD };
int getrusage(int who, struct rusage *usage);
int getrlimit(int resource, struct rlimit *limit);
int setrlimit(int resource, const struct rlimit *limit);
int getpriority(int which, int who);
enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };
int setpriority(int which, int who, int nice);
#endif
