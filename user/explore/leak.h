/* What a run did not give back: tasks, pages, objects of the kernel. */
#ifndef EXPLORE_LEAK_H
#define EXPLORE_LEAK_H
#include "search.h"

/* The last run, which did not fail, has left less than there was `before`. True: so it does each time
 * that it follows `schedule`, though it leaves no files behind; search->lost says what it was. */
int leak_is_found(struct search *search, const struct schedule *schedule, const struct count *before);
#endif
