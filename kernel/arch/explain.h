/* What the CPU says of a trap that it took in the kernel, in words. */
#ifndef ARCH_EXPLAIN_H
#define ARCH_EXPLAIN_H
#include "arch/frame.h"

/* A line or two of the log about the error code, and for a page fault about `address`, its CR2. For
 * panics: any context. */
void trap_explain(const struct trap_frame *frame, vaddr_t address);

#endif
