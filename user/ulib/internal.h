/* Between the files of the library. */
#ifndef ULIB_INTERNAL_H
#define ULIB_INTERNAL_H
#include <sys/syscall.h>
#include <sys/types.h>

long ulib_syscall(long number, long a, long b, long c, long d, long e, long f);
/* -errno becomes errno and -1. */
long ulib_result(long result);
void ulib_restore(void);
/* Write what streams hold back, at the end of the process. */
void ulib_stdio_flush(void);

/* For fork: keep other threads out of malloc and the list of streams meanwhile. */
void ulib_malloc_lock(void);
void ulib_malloc_unlock(void);
void ulib_stdio_lock(void);
void ulib_stdio_unlock(void);
/* In the child: what threads held that are not there. */
void ulib_stdio_forked(void);
void ulib_exit_forked(void);

#define CALL6(n, a, b, c, d, e, f)                                                     \
    ulib_result(ulib_syscall(SYS_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), \
                             (long)(f)))
#define CALL4(n, a, b, c, d) CALL6(n, a, b, c, d, 0, 0)
#define CALL3(n, a, b, c) CALL4(n, a, b, c, 0)
#define CALL2(n, a, b) CALL3(n, a, b, 0)
#define CALL1(n, a) CALL2(n, a, 0)
#define CALL0(n) CALL1(n, 0)
#endif
