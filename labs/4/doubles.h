/* Lab 4: what kernel/sched/futex.c uses of the kernel, for queue.c. These headers are not read: */
#ifndef LAB4_DOUBLES_H
#define LAB4_DOUBLES_H
#define ARCH_SPINLOCK_H
#define LIB_ERRNO_H
#define LIB_LOG_H
#define MM_KMALLOC_H
#define MM_MM_H
#define MM_PAGE_H
#define MM_UACCESS_H
#define SCHED_SCHED_H
#define TRACE_TRACE_H
#include <stdlib.h>

#include "grade.h"

#define LOCK_DEBUG(anything)
#define panic(...)                           grade_fail("no panic", __VA_ARGS__)
#define printk(...)                          ((void)0)
#define trace(...)                           ((void)0)
#define assert(condition)                    EXPECT(condition, #condition, "it is not so")
#define assert_held(lock)                    assert((lock)->held)
#define current                              (&the_task)
#define user_range_ok(address, size)         true
#define get_user(value, word)                ((value) = *(word), (void)(value), 0)
#define mm_shared_id(mm, address, space, at) 0l
#define kmalloc(size)                        malloc(size)
#define kfree(pointer)                       free(pointer)
#define spin_init(lock)                      ((lock)->held = false)
#define spin_lock(lock)                      double_lock(lock)
#define spin_unlock(lock)                    double_unlock(lock)
#define __atomic_thread_fence(order)         double_fence(order)

/* The loop of kernel/sched/wait.h, without its marks. */
#define wait_event_unqueued(reason, object, condition, deadline) \
    ({                                                           \
        long ended = 0;                                          \
                                                                 \
        while (!(condition) && !ended) {                         \
            ended = wait_sleep(true, deadline);                  \
        }                                                        \
        ended;                                                   \
    })

#include "lib/list.h"

#define list_push_back(at, entry) (double_change(), list_push_back(at, entry))
#define list_remove(entry)        (double_change(), list_remove(entry))

struct spinlock {
    bool held;
};
struct mm {
    uint64_t id;
};
struct task {
    struct mm *mm;
    int tid, realtime;
};
static struct mm the_mm = {4};
static struct task the_task = {&the_mm, 1, 0};

void double_lock(struct spinlock *lock);
void double_unlock(struct spinlock *lock);
void double_fence(int order);
void double_change(void);
long uaccess_load(const void *word);
long wait_sleep(bool interruptible, ktime_t deadline);
void task_wake(struct task *task);

static inline uint64_t irq_save(void)
{
    return 0;
}

static inline void irq_restore(uint64_t flags)
{
    (void)flags;
}
#endif
