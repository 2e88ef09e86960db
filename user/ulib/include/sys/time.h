#ifndef ULIB_SYS_TIME_H
#define ULIB_SYS_TIME_H
#include <sys/types.h>
struct timeval {
    long tv_sec, tv_usec;
};
int gettimeofday(struct timeval *time, void *zone);
#endif
