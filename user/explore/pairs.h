/* Two preemptions, both in the program's own code: some by chance. */
#ifndef EXPLORE_PAIRS_H
#define EXPLORE_PAIRS_H
#include "search.h"

/* True: search->found fails. */
int pairs_try(struct search *search);
#endif
