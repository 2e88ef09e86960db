/* What a test must know of its children: do they sleep, and how often did they go to sleep? */
#ifndef ASLEEP_H
#define ASLEEP_H
#include "ktap.h"

/* Wait until the process sleeps; nothing is to wake it but what the test does next. */
static inline void wait_until_asleep(pid_t pid)
{
    for (char state = 0; state != 'S'; usleep(1000)) {
        char path[64], line[256], *end;
        FILE *file;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        file = fopen(path, "r");
        CHECK(file && fgets(line, sizeof(line), file));
        fclose(file);
        end = strrchr(line, ')');
        CHECK(end && end[2] != 'Z');
        state = end[2];
    }
}

static inline long voluntary_switches(pid_t pid)
{
    char path[64], line[256];
    long count = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0) {
            count = atol(line + 24);
        }
    }
    CHECK(count >= 0);
    fclose(file);
    return count;
}

/* Has nothing woken it since its voluntary switches were counted? */
static inline int slept_on(pid_t pid, long switches)
{
    wait_until_asleep(pid); /* if it was woken, it goes to sleep again, which counts */
    return voluntary_switches(pid) == switches;
}

/* The child's exit code; -1 if it did not exit by itself. */
static inline int exit_code(pid_t pid)
{
    int status;

    CHECK(waitpid(pid, &status, 0) == pid);
    return status & 0x7f ? -1 : status >> 8 & 0xff;
}

static inline int ends_well(pid_t pid)
{
    return exit_code(pid) == 0;
}
#endif
