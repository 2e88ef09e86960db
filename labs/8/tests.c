/* Lab 8: four locks. ways.h: by every schedule; atomic.h: word by word; alone.h: what they cost. */
#include "alone.h"
#include "atomic.h"
#include "ways.h"

static const struct grade_test tests[] = {
    GRADE(ticket_excludes), GRADE(ticket_in_order), GRADE(semaphore_counts),
    GRADE(semaphore_wakes), GRADE(buffer_takes_in), GRADE(buffer_gives_out),
    GRADE(rw_excludes),     GRADE(rw_shares),       GRADE(rw_last_reader),
    GRADE(rw_in_turn),      GRADE(atomic_steps),    GRADE(alone_without_calls),
    GRADE(waiters_sleep),
};
GRADE_MAIN(tests)
