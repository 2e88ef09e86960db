/*
 * Tools that watch stacks must be told of a switch: AddressSanitizer by its fiber interface, when
 * compiled with -fsanitize=address; valgrind by client requests, with -DCO_VALGRIND. Otherwise
 * nothing of this is left.
 */
#ifndef CO_SANITIZE_H
#define CO_SANITIZE_H
#include "internal.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CO_VALGRIND
#include <valgrind/valgrind.h>
#endif

static inline void sanitize_create(struct co *co)
{
#ifdef CO_VALGRIND
    co->valgrind_id = VALGRIND_STACK_REGISTER(co->base, co);
#endif
    (void)co;
}

static inline void sanitize_free(struct co *co)
{
#ifdef CO_VALGRIND
    VALGRIND_STACK_DEREGISTER(co->valgrind_id);
#endif
    (void)co;
}

/* co_switch; NULL stands for the thread's own stack. */
static inline void *sanitize_switch(struct co *from, struct co *to, struct co_ctx *from_ctx,
                                    struct co_ctx *to_ctx, void *value)
{
#ifdef __SANITIZE_ADDRESS__
    void **mine = from ? &from->asan_stack : &co_root.asan_stack;
    const void *bottom = to ? to->base : co_root.asan_bottom;
    size_t size = to ? (size_t)((char *)to - to->base) : co_root.asan_size;

    __sanitizer_start_switch_fiber(from && from->state == CO_DEAD ? NULL : mine, bottom, size);
    value = co_switch(from_ctx, to_ctx, value);
    __sanitizer_finish_switch_fiber(*mine, NULL, NULL);
    return value;
#else
    (void)from, (void)to;
    return co_switch(from_ctx, to_ctx, value);
#endif
}

/*
 * co_switch under the type that co_enter needs: a cast of its result would be work that is left
 * when it returns, and keep the compiler from making the call a jump.
 */
int co_switch_into(struct co_ctx *from, struct co_ctx *to, void *value) __asm__("co_switch");

static inline int sanitize_enter(struct co *from, struct co *to, struct co_ctx *from_ctx, void *in)
{
#ifdef __SANITIZE_ADDRESS__
    sanitize_switch(from, to, from_ctx, &to->ctx, in);
    return 0;
#else
    (void)from;
    return co_switch_into(from_ctx, &to->ctx, in);
#endif
}

/* On a coroutine's stack for the first time; the first of all learns where the thread's own is. */
static inline void sanitize_started(struct co *co)
{
#ifdef __SANITIZE_ADDRESS__
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(NULL, &bottom, &size);
    if (!co->resumer_co) {
        co_root.asan_bottom = bottom;
        co_root.asan_size = size;
    }
#endif
    (void)co;
}
#endif
