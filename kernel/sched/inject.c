/*
 * Fault injection: the Nth allocation of a process fails, or each from the Nth.
 *
 * Counted is every attempt to get memory for a task that is in a system call or a fault of its own:
 * pages, page tables, objects, kernel stacks, whether they would have come from a cache or not. So
 * the count depends on what the program does, and under icount it is the same each time. A new
 * process starts without; exec keeps what there is.
 *
 *     inject             on the kernel command line: /proc/PID/fail-nth is there
 *     inject=NAME:N      the same, and the program NAME has its Nth allocation fail
 *     inject=NAME:N+     ... and all after it
 */
#include "sched/inject.h"

#include "arch/boot.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/inject.h"
#include "trace/trace.h"

#define INJECT_EACH 0x80000000u /* in group->inject, beside the number of allocations to come */

bool inject_on;
static char program[sizeof(((struct task *)0)->name)]; /* which the command line names, or "" */
static uint32_t program_inject;

/* "N" or "N+", perhaps with the end of a line. */
static bool inject_parse(const char *text, uint32_t *inject)
{
    const char *end;

    *inject = (uint32_t)parse_number(text, &end);
    if (end == text || end > text + 9) { /* 9 digits: it fits */
        return false;
    }
    if (*end == '+' && *inject > 0) {
        *inject |= INJECT_EACH;
        end++;
    }
    return *end == '\0' || (*end == '\n' && end[1] == '\0');
}

void inject_init(void)
{
    const char *option = boot_option("inject"), *number = option ? strchr(option, ':') : NULL;

    inject_on = option != NULL;
    if (number && inject_parse(number + 1, &program_inject)) {
        size_t size = (size_t)(number - option) + 1;

        strlcpy(program, option, size < sizeof(program) ? size : sizeof(program));
    } else if (option && *option) {
        printk("inject: \"%s\" is not NAME:N or NAME:N+\n", option);
    }
}

long inject_arm(struct thread_group *group, const char *text)
{
    uint32_t inject;

    if (!inject_parse(text, &inject)) {
        return -EINVAL;
    }
    __atomic_store_n(&group->inject, inject, __ATOMIC_RELAXED);
    return 0;
}

uint32_t inject_left(const struct thread_group *group)
{
    return __atomic_load_n(&group->inject, __ATOMIC_RELAXED) & ~INJECT_EACH;
}

void inject_exec(struct task *task)
{
    if (*program && strcmp(task->name, program) == 0) {
        __atomic_store_n(&task->group->inject, program_inject, __ATOMIC_RELAXED);
    }
}

bool inject_due(const void *site)
{
    struct task *task = current;
    uint32_t inject, next;

    if (!task->mm) { /* a kernel thread; or an exit, which has nobody to tell */
        return false;
    }
    inject = __atomic_load_n(&task->group->inject, __ATOMIC_RELAXED);
    do { /* other threads count, too */
        if (inject == 0) {
            return false;
        }
        next = inject == INJECT_EACH ? inject : inject - 1;
    } while (!__atomic_compare_exchange_n(&task->group->inject, &inject, next, false,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    if (next & ~INJECT_EACH) {
        return false;
    }
    trace(TRACE_NOMEM, 0, 0, (uint64_t)site);
    return true;
}
