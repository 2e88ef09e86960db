/*
 * Layer 1 from within: a coroutine, the list of all, and what the library needs of the system. What
 * a run loop adds is in loop.h, and nothing here needs it.
 */
#ifndef CO_INTERNAL_H
#define CO_INTERNAL_H
#include <co.h>
#include <poll.h>
#include <sys/syscall.h>

#define CO_MAGIC 0x4e49545541524f43ul /* "CORAUTIN" in memory */
#define CO_VERSION 1
#define SECOND 1000000000l /* in nanoseconds */

/* A list through its elements; an element that is on no list points at itself. */
struct co_list {
    struct co_list *next, *prev;
};
#define CO_ENTRY(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

static inline void list_init(struct co_list *list)
{
    list->next = list->prev = list;
}

static inline int list_empty(const struct co_list *list)
{
    return list->next == list;
}

static inline void list_add_last(struct co_list *list, struct co_list *node)
{
    node->next = list;
    node->prev = list->prev;
    list->prev->next = node;
    list->prev = node;
}

static inline void list_take(struct co_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

struct co_loop;

/*
 * A coroutine, at the top of its own stack:
 *
 *     top ->  +--------------------+
 *             | struct co          |  CO_ROOM bytes: a run loop's fields lie behind it
 *             +--------------------+  16-byte aligned
 *             | pointer to it      |  for co_entry
 *             | frames, downwards  |
 *             |                    |
 *             | guard, 64 KiB      |
 *     base -> +--------------------+
 */
#define CO_ROOM 320
struct co {
    struct co_ctx ctx;
    struct co_ctx *resumer; /* while it runs or is NORMAL; switch.asm knows the offset */
    uint64_t magic;
    uint32_t version;
    uint32_t id;
    struct co_list all; /* co_registry */
    char name[CO_NAME_SIZE];
    enum co_state state;
    long thread; /* the tid of its owner */
    struct co *resumer_co; /* NULL: the thread's own stack */
    void **out; /* of the co_resume in which it is NORMAL */
    co_function function;
    void *data;
    char *base; /* of the whole mapping */
    size_t size; /* of it, with the guard */
    int guarded;
    void *asan_stack; /* AddressSanitizer's, while it does not run */
    unsigned valgrind_id;
    struct co_loop *loop;     /* which alone resumes it, see loop.h; NULL: whoever calls co_resume */
    volatile int preemptible; /* preempt.c; a signal handler looks at it */
};

/* All coroutines of the process, for debuggers. Its lock also guards the free stacks (stack.c). */
extern struct co_registry {
    uint64_t magic;
    uint32_t version;
    uint32_t locked;
    struct co_list all;
} co_registry;

/* The thread's own stack, as something that resumes. */
struct co_root {
    struct co_ctx ctx;
    void **out;
    void *asan_stack; /* AddressSanitizer's, while a coroutine runs; and where the stack is */
    const void *asan_bottom;
    size_t asan_size;
};

extern _Thread_local struct co *co_current; /* NULL: the thread's own stack */
extern _Thread_local struct co_root co_root;

/* sys.c: system calls, without errno. Linux, x86-64: */
long co_call(long number, long a, long b, long c, long d, long e, long f);
long co_thread_id(void);
extern _Thread_local long co_thread; /* the same; 0 in a thread that has made no coroutine */
void co_print(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* stack.c: memory for a coroutine; 0 without. Its CO_ROOM is zero but for what describes it. */
struct co *stack_alloc(size_t size);
void stack_free(struct co *co);

/* co.c */
void registry_lock(void);
void registry_unlock(void);
void co_free(struct co *co);
/* Switch to it, on behalf of the caller; checks nothing. */
int co_enter(struct co *co, void *in, void **out);
/* Leave the running one for its resumer. */
void *co_leave(void *out);
#endif
