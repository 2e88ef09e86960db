#ifndef ULIB_SYS_EVENTFD_H
#define ULIB_SYS_EVENTFD_H
#include <stdint.h>
typedef uint64_t eventfd_t;
enum { EFD_SEMAPHORE = 1, EFD_NONBLOCK = 04000, EFD_CLOEXEC = 02000000 };
int eventfd(unsigned count, int flags);
int eventfd_read(int fd, eventfd_t *value);
int eventfd_write(int fd, eventfd_t value);
#endif
