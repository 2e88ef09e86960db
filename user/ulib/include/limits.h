/* limits.h for x86-64, and the path limits of Linux. */
#ifndef ULIB_LIMITS_H
#define ULIB_LIMITS_H
#define INT_MAX 0x7fffffff
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX 0xffffffffu
#define LONG_MAX 0x7fffffffffffffffl
#define LONG_MIN (-LONG_MAX - 1)
#define ULONG_MAX 0xfffffffffffffffful
#define PATH_MAX 4096
#define NAME_MAX 255
#endif
