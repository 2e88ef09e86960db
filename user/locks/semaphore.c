/* A semaphore. See locks.h. */
#include "locks.h"

//@lab 8 semaphore-try begin
/* False: there is nothing to take. */
static int semaphore_try(struct semaphore *semaphore)
{
    unsigned count = __atomic_load_n(&semaphore->count, __ATOMIC_SEQ_CST);

    while (count > 0) {
        if (__atomic_compare_exchange_n(&semaphore->count, &count, count - 1, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return 1;
        }
    }
    return 0;
}
//@lab 8 semaphore-try stub
//@lab 8 semaphore-try end

void semaphore_down(struct semaphore *semaphore)
{
//@lab 8 semaphore-down begin
    if (semaphore_try(semaphore)) {
        return;
    }
    __atomic_fetch_add(&semaphore->sleepers, 1, __ATOMIC_SEQ_CST);
    while (!semaphore_try(semaphore)) {
        word_wait(&semaphore->count, 0);
    }
    __atomic_fetch_sub(&semaphore->sleepers, 1, __ATOMIC_SEQ_CST);
//@lab 8 semaphore-down stub
//|     (void)semaphore; /* lab 8, step 3: there is always something */
//@lab 8 semaphore-down end
}

void semaphore_up(struct semaphore *semaphore)
{
//@lab 8 semaphore-up begin
    __atomic_fetch_add(&semaphore->count, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&semaphore->sleepers, __ATOMIC_SEQ_CST) > 0) {
        word_wake(&semaphore->count, 1);
    }
//@lab 8 semaphore-up stub
//|     (void)semaphore; /* lab 8, step 3 */
//@lab 8 semaphore-up end
}
