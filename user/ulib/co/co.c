/*
 * Layer 1: coroutines and who resumed them.
 *
 * Resuming and yielding do all their bookkeeping first and end in a call of co_switch, so that
 * nothing is left to do behind it: the compiler makes it a jump. That is why the one who leaves
 * writes what the other one gets.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "internal.h"
#include "sanitize.h"
#include "trace.h"

_Static_assert(offsetof(struct co, ctx) == 0 && offsetof(struct co_ctx, rsp) == 0, "switch.asm");
_Static_assert(offsetof(struct co, resumer) == 8, "switch.asm: CO_RESUMER");

#define DEFAULT_CONTROL 0x0000037f00001f80ul /* x87 after FNINIT, MXCSR after reset: SDM volume 1 */
#define FRAME_WORDS 8                        /* what co_switch leaves on a stack */

struct co_registry co_registry = {
    .magic = CO_MAGIC, .version = CO_VERSION, .all = {&co_registry.all, &co_registry.all},
};
_Thread_local struct co *co_current;
_Thread_local struct co_root co_root;

void co_entry(void);
void co_main(struct co *co, void *in) __attribute__((noreturn));

void registry_lock(void)
{
    while (__atomic_exchange_n(&co_registry.locked, 1, __ATOMIC_ACQUIRE)) {
        co_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0); /* its holder may be on this CPU */
    }
}

void registry_unlock(void)
{
    __atomic_store_n(&co_registry.locked, 0, __ATOMIC_RELEASE);
}

static void registry_forked(void)
{
    registry_unlock();
    co_trace_fork();
}

/*
 * A fork while another thread is in the registry would leave it locked in the child for good. Before
 * main: the first coroutine may be made by one thread while another one forks.
 */
static void __attribute__((constructor(101))) registry_watch_forks(void) /* 101: the first */
{
    pthread_atfork(registry_lock, registry_unlock, registry_forked);
}

/* "co" and the number. Thousands are made without a name: this is faster than snprintf. */
static void name_by_number(struct co *co)
{
    char digits[10];
    int count = 0, at = 2;

    for (uint32_t left = co->id; left > 0; left /= 10) {
        digits[count++] = (char)('0' + left % 10);
    }
    memcpy(co->name, "co", 2);
    while (count > 0) {
        co->name[at++] = digits[--count];
    }
}

struct co *co_create(co_function function, const struct co_attr *attr)
{
    static uint32_t next_id;
    struct co *co;
    uint64_t *top;

    co = stack_alloc(attr ? attr->stack_size : 0);
    if (!co) {
        return NULL;
    }
    co->magic = CO_MAGIC;
    co->version = CO_VERSION;
    co->id = __atomic_add_fetch(&next_id, 1, __ATOMIC_RELAXED);
    co->thread = co_thread_id();
    co->function = function;
    co->data = attr ? attr->data : NULL;
    if (attr && attr->name) {
        strncpy(co->name, attr->name, sizeof(co->name) - 1);
    } else {
        name_by_number(co);
    }
//@lab 5 frame begin
    top = (uint64_t *)co - 2; /* 16-byte aligned where co_entry calls, as the ABI wants it */
    top[0] = (uint64_t)co;
    top[-1] = (uint64_t)co_entry;
    memset(top - FRAME_WORDS, 0, (FRAME_WORDS - 1) * sizeof(*top));
    top[-FRAME_WORDS] = DEFAULT_CONTROL;
    co->ctx.rsp = top - FRAME_WORDS;
//@lab 5 frame stub
//|     (void)top;
//|     co_print(1, "# seen: lab 5: give a new coroutine its first frame (labs/5/README.md, step 3)\n");
//|     co_call(SYS_exit_group, 1, 0, 0, 0, 0, 0);
//@lab 5 frame end
    sanitize_create(co);
    registry_lock();
    list_add_last(&co_registry.all, &co->all);
    registry_unlock();
    co_trace_spawn(co);
    return co;
}

void co_free(struct co *co)
{
    registry_lock();
    list_take(&co->all);
    registry_unlock();
    sanitize_free(co);
    co->magic = 0; /* whoever still has the handle is told so, as long as the stack is mapped */
    co->state = CO_DEAD;
    stack_free(co);
}

/* The last steps where each switch is traced: of their own, so that without a trace a switch saves no
 * registers for them. */
static __attribute__((noinline)) int enter_traced(struct co *self, struct co *co, struct co_ctx *ctx,
                                                  void *in)
{
    co_traced_switch(self, co);
    co_current = co;
    return sanitize_enter(self, co, ctx, in);
}

static __attribute__((noinline)) void *leave_traced(struct co *self, struct co *resumer, struct co_ctx *ctx)
{
    co_traced_switch(self, resumer);
    co_current = resumer;
    return sanitize_switch(self, resumer, &self->ctx, ctx, NULL);
}

int co_enter(struct co *co, void *in, void **out)
{
    struct co *self = co_current;
    struct co_ctx *ctx = self ? &self->ctx : &co_root.ctx;

//@lab 5 resume begin
    if (self) {
        self->state = CO_NORMAL;
        self->out = out;
    } else {
        co_root.out = out;
    }
    co->resumer = ctx;
    co->resumer_co = self;
    co->state = CO_RUNNING;
//@lab 5 resume stub
//|     (void)out;
//|     co_print(1, "# seen: lab 5: write what co_enter notes down (labs/5/README.md, step 4)\n");
//|     co_call(SYS_exit_group, 1, 0, 0, 0, 0, 0);
//@lab 5 resume end
    if (co_trace_on()) {
        return enter_traced(self, co, ctx, in);
    }
    co_current = co;
    return sanitize_enter(self, co, ctx, in);
}

void *co_leave(void *out)
{
    struct co *self = co_current, *resumer = self->resumer_co;
    struct co_ctx *ctx = self->resumer;
    void **slot = resumer ? resumer->out : co_root.out;

//@lab 5 yield begin
    if (slot) {
        *slot = out;
    }
    if (resumer) {
        resumer->state = CO_RUNNING;
    }
    self->state = self->state == CO_DEAD ? CO_DEAD : CO_SUSPENDED;
    self->resumer_co = NULL;
//@lab 5 yield stub
//|     (void)out, (void)slot;
//|     co_print(1, "# seen: lab 5: write what co_leave notes down (labs/5/README.md, step 4)\n");
//|     co_call(SYS_exit_group, 1, 0, 0, 0, 0, 0);
//@lab 5 yield end
    if (co_trace_on()) {
        return leave_traced(self, resumer, ctx);
    }
    co_current = resumer;
    return sanitize_switch(self, resumer, &self->ctx, ctx, NULL); /* NULL: co_enter returns 0 */
}

/* Where a coroutine begins; called by co_entry. */
void co_main(struct co *co, void *in)
{
    void *result;

    sanitize_started(co);
    result = co->function(in);
    co->preemptible = 0; /* it is in the library now, before anything of it changes: */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    co->state = CO_DEAD;
    co_leave(result);
    __builtin_trap(); /* nobody resumes the dead */
}

int co_resume(struct co *co, void *in, void **out)
{
    if (co->thread != co_thread) {
        return -EXDEV;
    }
    if (co->loop) {
        return -EPERM;
    }
    switch (co->state) {
    case CO_SUSPENDED:
        return co_enter(co, in, out);
    case CO_DEAD:
        return -ESRCH;
    case CO_NORMAL:
        return -EBUSY;
    default:
        return -EINVAL;
    }
}

void *co_yield(void *out)
{
    if (!co_current || co_current->loop) {
        return CO_OUTSIDE;
    }
    return co_leave(out);
}

int co_destroy(struct co *co)
{
    if (co->magic != CO_MAGIC) {
        return -ESRCH;
    }
    if (co->thread != co_thread) {
        return -EXDEV;
    }
    if (co->loop || co->state == CO_RUNNING || co->state == CO_NORMAL) {
        return -EBUSY;
    }
    co_free(co);
    return 0;
}

enum co_state co_status(const struct co *co)
{
    return co->state;
}

struct co *co_self(void)
{
    return co_current;
}

const char *co_name(const struct co *co)
{
    return co->name;
}

void *co_data(const struct co *co)
{
    return co->data;
}
