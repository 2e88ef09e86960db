/* A rename changes all at once: who looks a name up meanwhile finds what was there, or what comes. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "ktap.h"

#define TURNS 3000

static volatile int ended;
static volatile long missed, looked;

static void make(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0600);

    CHECK(fd >= 0 && close(fd) == 0);
}

static void *look_on(void *name)
{
    struct stat status;

    while (!ended) {
        missed += stat(name, &status) != 0;
        looked++;
    }
    return NULL;
}

static void a_name_that_is_replaced_is_always_there(void)
{
    pthread_t looker;

    CHECK(mkdir("renames", 0700) == 0 && mkdir("renames/other", 0700) == 0);
    make("renames/name");
    CHECK(pthread_create(&looker, NULL, look_on, "renames/name") == 0);
    for (int i = 0; i < TURNS || looked < 100; i++) {
        make(i % 2 ? "renames/new" : "renames/other/new");
        CHECK(rename(i % 2 ? "renames/new" : "renames/other/new", "renames/name") == 0);
    }
    ended = 1;
    pthread_join(looker, NULL);
    CHECK(missed == 0);
    CHECK(unlink("renames/name") == 0 && rmdir("renames/other") == 0 && rmdir("renames") == 0);
}

int main(void)
{
    static const struct test tests[] = {TEST(a_name_that_is_replaced_is_always_there)};

    return RUN_TESTS(tests);
}
