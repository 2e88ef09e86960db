/* Lab 4: instead of queue.c if that cannot be compiled: queues_first fails, the others run. */
#include "grade.h"

void queues_first(void);

void queues_first(void)
{
    grade_fail("a kernel/sched/futex.c that takes no more of the kernel than labs/4/doubles.h has",
               "more (build/labs/4/queue.o.errors)");
}
