/*
 * What it costs to make n coroutines, to start each, and to end them; and the memory that each
 * takes while it is suspended. The process must have made no coroutine before.
 */
#include <co.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

/* Bytes of memory this process uses (statm: in pages, the second number); 0 where not told. */
static long resident(void)
{
    char text[128] = "";
    long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY);

    if (fd >= 0) {
        if (read(fd, text, sizeof(text) - 1) > 0) {
            char *second;

            strtol(text, &second, 10);
            pages = strtol(second, NULL, 10);
        }
        close(fd);
    }
    return pages * 4096;
}

static void *suspend(void *in)
{
    return co_yield(in);
}

int creation(long n)
{
    struct co **all = malloc((size_t)n * sizeof(*all)); /* untouched: 8 of the bytes of each */
    long before = resident(), after;
    double start = now(), created, started, ended;

    for (long i = 0; i < n; i++) {
        all[i] = co_create(suspend, NULL);
        if (!all[i]) {
            fprintf(stderr, "bench: no memory for coroutine %ld\n", i);
            return 1;
        }
    }
    created = now();
    for (long i = 0; i < n; i++) {
        co_resume(all[i], NULL, NULL);
    }
    started = now();
    after = resident();
    for (long i = 0; i < n; i++) {
        co_resume(all[i], NULL, NULL);
        co_destroy(all[i]);
    }
    ended = now();
    printf("create_%ld %.1f\n", n, (created - start) / (double)n);
    printf("first_resume_%ld %.1f\n", n, (started - created) / (double)n);
    printf("end_%ld %.1f\n", n, (ended - started) / (double)n);
    if (before) {
        printf("bytes_%ld %.0f\n", n, (double)(after - before) / (double)n);
    }
    return 0;
}
