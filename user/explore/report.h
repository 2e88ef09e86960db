/* What tools/explore is told, one JSON object a line. */
#ifndef EXPLORE_REPORT_H
#define EXPLORE_REPORT_H
#include "search.h"

void report_string(const char *text);
/* Where the program is, and what is mapped. Waits until it is where its runs begin. */
void report_program(void);
/* How many schedules were tried, of how many. */
void report_coverage(const struct search *search, int found);
/* The last run: its schedule, how it ended, what it wrote, and all its events. */
void report_run(struct search *search, int found);
#endif
