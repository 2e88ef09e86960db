/*
 * Linked to each program in /bin: did all that it wrote to standard output arrive? What a stream holds back
 * is written at the end, where nobody looks at errors any more, and `ls >list` on a full disk would say that
 * all is well.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name;

static void check_output(void)
{
    if (fflush(stdout)) { /* now, or before */
        fprintf(stderr, "%s: write error: %s\n", name, strerror(errno));
        _exit(1);
    }
}

/* In .text, behind the program itself: so it moves nothing of that. */
static void __attribute__((constructor, section(".text"))) watch_output(int argc, char **argv)
{
    name = argc > 0 ? argv[0] : "";
    if (atexit(check_output)) {
        abort();
    }
}
