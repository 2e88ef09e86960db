/* Round robin: a queue, each task for the same slice. That is what a policy has by itself. */
#include "sched/sched.h"

const struct sched_class rr_class = {.name = "rr"};
