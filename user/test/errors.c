/* Wrong arguments: each call refuses with the error of its man page. */
#include "ktap.h"

struct wrong {
    long number, a[5], error;
};

static long check_all(const struct wrong *wrong, size_t count)
{
    long failed = 0;

    for (size_t i = 0; i < count; i++) {
        const struct wrong *w = &wrong[i];
        long result;

        errno = 0;
        result = syscall(w->number, w->a[0], w->a[1], w->a[2], w->a[3], w->a[4], 0L);
        if (result != -1 || errno != w->error) {
            fprintf(stderr, "# call %ld: result %ld, errno %d, not %ld\n", w->number, result, errno,
                    w->error);
            failed++;
        }
    }
    return failed;
}
#define CHECK_ALL(table) CHECK(check_all(table, sizeof(table) / sizeof(*(table))) == 0)

static char buffer[4096];
#define B ((long)buffer)

static void bad_descriptors(void)
{
    static const int calls[] = {3, 5, 8, 16, 32, 72, 77};
    const struct wrong table[] = {
        {0, {99, B, 1}, EBADF}, {1, {99, B, 1}, EBADF}, {17, {99, B, 1, 0}, EBADF},
        {18, {99, B, 1, 0}, EBADF}, {19, {99, B, 1}, EBADF}, {20, {99, B, 1}, EBADF},
        {33, {99, 5}, EBADF}, {33, {1, -1}, EBADF}, {217, {99, B, 4096}, EBADF},
        {257, {99, (long)"x", 0}, EBADF}, {262, {99, (long)"x", B, 0}, EBADF},
        {41, {1, 99, 0}, EINVAL}, {42, {99, B, 3}, EBADF}, {43, {99, 0, 0}, EBADF},
        {44, {99, B, 1, 0, 0}, EBADF}, {45, {99, B, 1, 0, 0}, EBADF}, {46, {99, B, 0}, EBADF},
        {47, {99, B, 0}, EBADF}, {48, {99, 0}, EBADF}, {49, {99, B, 3}, EBADF},
        {50, {99, 1}, EBADF},
        {51, {99, B, B}, EBADF}, {52, {99, B, B}, EBADF}, {54, {99, 1, 7, B, 4}, EBADF},
        {55, {99, 1, 7, B, B}, EBADF}, {288, {99, 0, 0, 0}, EBADF}, {232, {99, B, 1, 0}, EBADF},
        {233, {99, 1, 1, B}, EBADF}, {281, {99, B, 1, 0, 0}, EBADF}, {286, {99, 0, B, 0}, EBADF},
        {287, {99, B}, EBADF}, {292, {99, 5, 0}, EBADF}, {9, {0, 4096, 1, 2, 99}, EBADF},
    };

    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        const struct wrong one[] = {{calls[i], {99, 0, 0}, EBADF}};

        CHECK_ALL(one);
        const struct wrong minus[] = {{calls[i], {-1, 0, 0}, EBADF}};

        CHECK_ALL(minus);
    }
    CHECK_ALL(table);
}

static void bad_values(void)
{
    const struct wrong table[] = {
        {292, {1, 1, 0}, EINVAL}, {292, {1, 5, 1}, EINVAL}, {293, {B, 1}, EINVAL},
        {72, {1, 999, 0}, EINVAL}, {76, {(long)"/tmp", -1}, EINVAL}, {77, {1, -1}, EINVAL},
        {79, {B, 1}, ERANGE}, {89, {(long)"/", B, 10}, EINVAL}, {21, {(long)"/", 99}, EINVAL},
        {13, {0, 0, 0, 8}, EINVAL}, {13, {10, 0, 0, 4}, EINVAL}, {14, {9, B, 0, 8}, EINVAL},
        {14, {0, B, 0, 4}, EINVAL}, {62, {1, 99}, EINVAL}, {234, {0, 1, 10}, EINVAL},
        {234, {1, 1, 99}, EINVAL}, {61, {-1, 0, 0x100, 0}, EINVAL}, {247, {9, 1, 0, 4, 0}, EINVAL},
        {247, {0, 0, 0, 0, 0}, EINVAL}, {98, {5, B}, EINVAL}, {97, {99, B}, EINVAL},
        {302, {0, 99, 0, B}, EINVAL}, {140, {9, 0}, EINVAL}, {141, {9, 0, 0}, EINVAL},
        {144, {0, 99, B}, EINVAL}, {145, {-1}, EINVAL}, {203, {0, 8, B}, EINVAL},
        {204, {0, 1, B}, EINVAL}, {228, {99, B}, EINVAL}, {230, {99, 0, B, 0}, EINVAL},
        {158, {99, 0}, EINVAL}, {169, {1, 2, 3}, EINVAL}, {202, {B, 9, 0, 0, 0}, EINVAL},
        {273, {B, 1}, EINVAL}, {318, {B, 1, 99}, EINVAL}, {7, {B, 1 << 30, 0}, EINVAL},
        {23, {-1, 0, 0, 0, 0}, EINVAL}, {271, {B, 0, 0, B, 4}, EINVAL}, {130, {B, 4}, EINVAL},
        {25, {1, 4096, 4096, 0}, EINVAL}, {28, {1, 4096, 4}, EINVAL},
        {10, {4096, 4096, 0x1000}, EINVAL}, {11, {1, 1}, EINVAL}, {56, {0x10000}, EINVAL},
    };

    CHECK_ALL(table);
}

/* Of sockets and of files that tell of events: each call with a file of another kind. */
static void wrong_kinds(void)
{
    const struct wrong table[] = {
        {42, {0, B, 3}, ENOTSOCK}, {43, {0, 0, 0}, ENOTSOCK}, {44, {0, B, 1, 0, 0}, ENOTSOCK},
        {45, {0, B, 1, 0, 0}, ENOTSOCK}, {46, {0, B, 0}, ENOTSOCK}, {47, {0, B, 0}, ENOTSOCK},
        {48, {0, 0}, ENOTSOCK}, {49, {0, B, 3}, ENOTSOCK}, {50, {0, 1}, ENOTSOCK},
        {51, {0, B, B}, ENOTSOCK}, {52, {0, B, B}, ENOTSOCK}, {54, {0, 1, 7, B, 4}, ENOTSOCK},
        {55, {0, 1, 7, B, B}, ENOTSOCK}, {288, {0, 0, 0, 1}, EINVAL},
        {53, {1, 1, 9, B}, EPROTONOSUPPORT},
        {53, {100, 1, 0, B}, EAFNOSUPPORT}, {213, {0}, EINVAL}, {291, {1}, EINVAL},
        {232, {0, B, 1, 0}, EINVAL}, {232, {0, B, 0, 0}, EINVAL}, {283, {99, 0}, EINVAL},
        {286, {0, 0, B, 0}, EINVAL}, {287, {0, B}, EINVAL}, {290, {0, 2}, EINVAL},
        {270, {-1, 0, 0, 0, 0}, EINVAL},
    };

    CHECK(pipe((int[2]){0, 0}) == 0);
    CHECK(dup2(3, 0) == 0);
    CHECK_ALL(table);
}

static void missing_things(void)
{
    const struct wrong table[] = {
        {2, {(long)"/no/such", 0}, ENOENT}, {4, {(long)"/no", B}, ENOENT},
        {6, {(long)"/no", B}, ENOENT}, {21, {(long)"/no", 0}, ENOENT},
        {76, {(long)"/no", 0}, ENOENT}, {80, {(long)"/no"}, ENOENT},
        {80, {(long)"/dev/null"}, ENOTDIR}, {82, {(long)"/no", (long)"/tmp/x"}, ENOENT},
        {84, {(long)"/no"}, ENOENT}, {84, {(long)"/dev/null"}, ENOTDIR},
        {86, {(long)"/no", (long)"/tmp/x"}, ENOENT}, {87, {(long)"/no"}, ENOENT},
        {88, {(long)"x", (long)"/no/x"}, ENOENT}, {89, {(long)"/no", B, 10}, ENOENT},
        {61, {99999, 0, 0, 0}, ECHILD}, {62, {99999, 0}, ESRCH}, {121, {99999}, ESRCH},
        {124, {99999}, ESRCH}, {140, {0, 99999}, ESRCH}, {145, {99999}, ESRCH},
        {234, {99999, 99999, 0}, ESRCH}, {247, {1, 99999, B, 4, 0}, ECHILD},
        {302, {99999, 7, 0, B}, ESRCH}, {59, {(long)"/no", 0, 0}, ENOENT}, {400, {0}, ENOSYS},
        {5000, {0}, ENOSYS},
    };

    CHECK_ALL(table);
}

static void names_that_are_too_long(void)
{
    char name[5000];

    memset(name, 'x', sizeof(name));
    name[300] = '\0';
    CHECK_ERROR(access(name, F_OK), ENAMETOOLONG);
    name[300] = 'x';
    name[4999] = '\0';
    CHECK_ERROR(access(name, F_OK), ENAMETOOLONG);
    CHECK_ERROR(access("", F_OK), ENOENT);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(bad_descriptors), TEST(bad_values), TEST(wrong_kinds), TEST(missing_things),
        TEST(names_that_are_too_long),
    };

    return RUN_TESTS(tests);
}
