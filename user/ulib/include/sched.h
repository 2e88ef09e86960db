/* Scheduling, and clone(2) as the kernel has it: clone returns -errno, sets no errno. */
#ifndef ULIB_SCHED_H
#define ULIB_SCHED_H
#include <sys/types.h>
#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_VFORK 0x4000
#define CLONE_THREAD 0x10000
#define CLONE_SYSVSEM 0x40000
#define CLONE_SETTLS 0x80000
#define CLONE_PARENT_SETTID 0x100000
#define CLONE_CHILD_CLEARTID 0x200000
#define CLONE_CHILD_SETTID 0x1000000
typedef struct {
    unsigned long __bits[16];
} cpu_set_t;
#define CPU_SETSIZE 1024
#define CPU_ZERO(set) (*(set) = (cpu_set_t){{0}})
#define CPU_SET(cpu, set) ((set)->__bits[(cpu) / 64] |= 1ul << (cpu) % 64)
#define CPU_CLR(cpu, set) ((set)->__bits[(cpu) / 64] &= ~(1ul << (cpu) % 64))
#define CPU_ISSET(cpu, set) ((set)->__bits[(cpu) / 64] >> (cpu) % 64 & 1)
#define CPU_COUNT(set) __cpu_count(set)
int __cpu_count(const cpu_set_t *set);
int sched_yield(void);
int sched_setaffinity(pid_t tid, size_t size, const cpu_set_t *set);
int sched_getaffinity(pid_t tid, size_t size, cpu_set_t *set);
int clone(int (*function)(void *), void *stack, int flags, void *argument, pid_t *parent_tid,
          void *tls, pid_t *child_tid);
#endif
