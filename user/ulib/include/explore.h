/* What of a program tools/explore explores: from explore_begin() to explore_end(). Elsewhere they do
 * nothing; a program of another C library may define both itself, empty and not inlined. */
#ifndef ULIB_EXPLORE_H
#define ULIB_EXPLORE_H

/* By the first thread, while it is the only one. */
void explore_begin(void);
void explore_end(void);
#endif
