/*
 * Threads for tests that are explored: as lean as can be, for each instruction of theirs is a place
 * at which the explorer tries to take the CPU. They have the first thread's errno, and no id of
 * pthreads.
 */
#ifndef LABS_CREW_H
#define LABS_CREW_H
#include <explore.h>
#include <sched.h>
#include <sys/syscall.h>

#include "grade.h"

#define CREW 3
#define CREW_STACK (32 << 10)

static char crew_stacks[CREW][CREW_STACK] __attribute__((aligned(16)));
static int at_work[CREW]; /* by the kernel: the thread's id, and 0 when it has ended */

/* From here on each instruction is a place. A run is a process of its own, whose deaths are told. */
static void ways_begin(void)
{
    explore_begin();
    grade_pid = getpid();
}

/* Start a thread that is told its index. */
static void go(long index, int (*work)(void *))
{
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                      CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

    clone(work, crew_stacks[index] + CREW_STACK, flags, (void *)index, &at_work[index], NULL,
          &at_work[index]);
}

/* Wait for the end of all of them. */
static void all_back(void)
{
    for (int i = 0; i < CREW; i++) {
        int tid;

        while ((tid = __atomic_load_n(&at_work[i], __ATOMIC_SEQ_CST)) != 0) {
            syscall(SYS_futex, &at_work[i], 0, tid, NULL, NULL, 0);
        }
    }
}

/* Give the CPU away, without a preemption. */
static void others_may_come(void)
{
    sched_yield();
}
#endif
