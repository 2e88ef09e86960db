/*
 * A guest test: ordinary Linux code, checked on the host and in the guest.
 *
 * Each TEST runs in a child with a time limit, so a crash or a hang fails that test alone. The
 * output is KTAP without anything that differs between machines; details go to standard error.
 */
#ifndef KTAP_H
#define KTAP_H
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            fprintf(stderr, "# %s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            _exit(1);                                                                  \
        }                                                                              \
    } while (0)

/* The call fails with this error. */
#define CHECK_ERROR(call, error)  \
    do {                          \
        errno = 0;                \
        CHECK((call) == -1);      \
        CHECK(errno == (error));  \
    } while (0)

struct test {
    const char *name;
    void (*run)(void);
};
#define TEST(name) {#name, name}

static inline int run_tests(const struct test *tests, int count)
{
    int failed = 0;

    printf("KTAP version 1\n1..%d\n", count);
    for (int i = 0; i < count; i++) {
        int status = 1;
        pid_t child;

        fflush(stdout);
        child = fork();
        if (child == 0) {
            alarm(120);
            tests[i].run();
            _exit(0);
        }
        waitpid(child, &status, 0);
        failed += status != 0;
        printf("%sok %d - %s\n", status ? "not " : "", i + 1, tests[i].name);
    }
    fflush(stdout);
    return failed != 0;
}
#define RUN_TESTS(tests) run_tests(tests, (int)(sizeof(tests) / sizeof(*(tests))))
#endif
