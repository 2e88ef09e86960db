#ifndef ULIB_SYS_TIMERFD_H
#define ULIB_SYS_TIMERFD_H
#include <time.h>
enum { TFD_NONBLOCK = 04000, TFD_CLOEXEC = 02000000 };
enum { TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2 };
int timerfd_create(clockid_t clock, int flags);
int timerfd_settime(int fd, int flags, const struct itimerspec *time, struct itimerspec *old);
int timerfd_gettime(int fd, struct itimerspec *time);
#endif
