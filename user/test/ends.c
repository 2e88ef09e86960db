/*
 * How a process with threads ends; and, as the first program (tests/scenarios.py), how init does:
 * signals of others do not touch it, then it ends in the way that end= on the kernel's command line
 * says, in a thread or not, and another thread of it must end, too.
 */
#include "ktap.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

static void *sleeper(void *unused)
{
    for (;;) {
        pause();
    }
    return unused;
}

static void *crash(void *unused)
{
    *(volatile int *)unused = 1;
    return NULL;
}

static void end(const char *how)
{
    pthread_t thread;

    if (strncmp(how, "thread-", 7) == 0) {
        pthread_create(&thread, NULL, sleeper, NULL);
        how += 7;
    }
    if (strcmp(how, "crash") == 0) {
        pthread_create(&thread, NULL, crash, NULL);
        pause();
    } else if (strcmp(how, "memory") == 0) {
        for (;;) {
            char *page = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

            if (page == MAP_FAILED) {
                crash(NULL);
            }
            memset(page, 1, 1 << 20);
        }
    }
    _exit(strcmp(how, "exit-3") == 0 ? 3 : 0);
}

static void check_end(const char *how, int wanted)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        end(how);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == wanted);
}

static void exit_ends_all_threads(void)
{
    check_end("exit-3", 3 << 8);
    check_end("thread-exit-3", 3 << 8);
}

static void crash_of_a_thread_ends_all(void)
{
    check_end("crash", SIGSEGV);
    check_end("thread-crash", SIGSEGV);
}

/* None of these may do anything to the first program, which has no handlers. */
static void hit(void)
{
    static const int signals[] = {SIGKILL, SIGSTOP, SIGTERM, SIGSEGV, SIGTSTP, SIGALRM};

    for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
        kill(1, signals[i]);
    }
}

static void as_init(void)
{
    static char line[1024];
    char *how;
    pid_t child = fork();

    if (child == 0) {
        hit();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    hit();
    mkdir("/proc", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    read(open("/proc/cmdline", O_RDONLY), line, sizeof(line) - 1);
    how = strstr(line, "end=");
    if (how) {
        how[strcspn(how, " \n")] = '\0';
        end(how + 4);
    }
    _exit(99);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(exit_ends_all_threads), TEST(crash_of_a_thread_ends_all),
    };

    if (getpid() == 1) {
        as_init();
    }
    return RUN_TESTS(tests);
}
