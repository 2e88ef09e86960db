/*
 * Layer 2: other orders than the queue's, for mistakes that show in one of them only.
 *
 * Where several coroutines are ready, or several cases of a select can go through, the order is the
 * library's affair, and a program that is right does not depend on it. Each such place is a choice;
 * they are numbered from 1. CO_ORDER in the environment makes them: a number is a seed, and all
 * choices are made by chance, the same each time; a list such as 12@1,40@3 takes the one behind 1
 * other at choice 12, the one behind 3 others at choice 40, and the first elsewhere. CO_ORDER_LOG
 * names a file for what was chosen (order.h). tools/explore --coroutines tries such lists.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loop.h"
#include "order.h"

#define PLACES_MAX 64

int order_on;

static struct {
    uint64_t seed; /* 0: by the list */
    uint32_t count, used;
    struct {
        uint64_t choice, taken;
    } places[PLACES_MAX];
    uint32_t choices; /* made so far */
    struct order_log *log;
} order;

static void order_parse(const char *text)
{
    char *end;
    uint64_t first = strtoul(text, &end, 10);

    if (end != text && *end == '\0') {
        order.seed = first;
        return;
    }
    while (end != text && *end == '@' && order.count < PLACES_MAX) {
        order.places[order.count].choice = first;
        order.places[order.count++].taken = strtoul(end + 1, &end, 10);
        text = *end == ',' ? end + 1 : end;
        first = strtoul(text, &end, 10);
    }
}

static struct order_log *order_map(const char *path)
{
    enum { READ_WRITE = 2, CLOSE_ON_EXEC = 02000000 };
    long fd = co_call(SYS_open, (long)path, READ_WRITE | CLOSE_ON_EXEC, 0, 0, 0, 0), address;

    if (fd < 0) {
        return NULL;
    }
    address = co_call(SYS_mmap, 0, sizeof(struct order_log), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    co_call(SYS_close, fd, 0, 0, 0, 0, 0);
    return address < 0 ? NULL : (struct order_log *)address;
}

static void __attribute__((constructor)) order_begin(void)
{
    const char *text = getenv("CO_ORDER"), *path = getenv("CO_ORDER_LOG");

    if (text) {
        order_parse(text);
    }
    order.log = path ? order_map(path) : NULL;
    order_on = order.seed || order.count || order.log;
}

void co_order_seed(uint64_t seed)
{
    order.seed = seed;
    order.count = 0;
    order_on = order.seed || order.log;
}

/* In a forked child: the log is its parent's. */
void order_forked(void)
{
    order.log = NULL;
}

/* The next choice: which of `among` ways, from 0. */
static uint32_t order_draw(uint32_t among, uint32_t *number)
{
    uint64_t mixed = *number = __atomic_add_fetch(&order.choices, 1, __ATOMIC_RELAXED);

    if (order.seed) { /* a number of its own for each choice: other threads' choices do not matter */
        mixed = (mixed + order.seed) * 0x9e3779b97f4a7c15ul;
        mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93ul;
        return (uint32_t)((mixed ^ mixed >> 32) % among);
    }
    if (order.used < order.count && order.places[order.used].choice == *number) {
        mixed = order.places[order.used++].taken;
        return mixed < among ? (uint32_t)mixed : 0;
    }
    return 0;
}

static void order_write(struct order_record record, const char *text)
{
    uint64_t at;

    if (!order.log) {
        return;
    }
    at = __atomic_fetch_add(&order.log->count, 1, __ATOMIC_RELAXED);
    if (at < ORDER_RECORDS) {
        strncpy(record.text, text, sizeof(record.text) - 1);
        order.log->records[at] = record;
    }
}

/* tools/explore knows a turn's beginning, and the last one's end, by this place. */
static void __attribute__((noinline)) order_mark(void)
{
    __asm__ volatile("");
}

void order_record(enum order_kind kind, const struct loop_co *co, const char *text)
{
    order_write((struct order_record){.kind = kind, .id = co ? co->co.id : 0}, text);
    if (kind == ORDER_BACK) {
        order_mark();
    }
}

struct loop_co *order_choose(struct co_loop *l, struct loop_co *first)
{
    struct order_record record = {.kind = ORDER_TURN, .among = (uint32_t)l->ready_count};
    struct co_list *node = &first->link;
    struct loop_co *co;

    if (record.among > 1) {
        record.taken = order_draw(record.among, &record.choice);
    }
    for (uint32_t i = 0; i < record.taken; i++) {
        node = node->next;
    }
    co = CO_ENTRY(node, struct loop_co, link);
    record.id = co->co.id;
    order_write(record, co->co.name);
    order_mark();
    return co;
}

int order_case(int ready)
{
    struct order_record record = {.kind = ORDER_SELECT, .id = co_current ? co_current->id : 0,
                                  .among = (uint32_t)ready};

    record.taken = order_draw(record.among, &record.choice);
    order_write(record, "select");
    return (int)record.taken;
}
