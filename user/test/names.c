/*
 * Names are any bytes: of a task, and of coroutines. Nobody who shows them may stumble over one;
 * gdb stops this program in names_are_set (tests/debugging.py).
 */
#include <co.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "asleep.h"
#include "ktap.h"

enum { PR_SET_NAME = 15, PR_GET_NAME = 16 };

static const char *const names[] = {
    "größe", "z\xe4hler", "\x1b[31mred", "two\nlines", "<!--<script>", "\"&'\\", "",
    "一二三四五六七", "as long as one may ever be",
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };
static int ended;

__attribute__((noinline)) void names_are_set(void);
void names_are_set(void)
{
    __asm__ volatile("");
}

static void *sleeper(void *last)
{
    co_sleep(1000000);
    if (last) {
        names_are_set();
    }
    co_sleep(50000000); /* so the thread sleeps, too, however long gdb takes */
    ended++;
    return NULL;
}

/* Waits in a pipe that nobody reads. */
static pid_t waiter(const char *name, int full)
{
    pid_t child = fork();

    if (child == 0) {
        syscall(SYS_prctl, PR_SET_NAME, name);
        for (;;) {
            write(full, names, 1);
        }
    }
    return child;
}

static void names_may_be_any_bytes(void)
{
    static const char task[] = "t\xe4sk\n\x1b[2J";
    char back[16] = "";
    pid_t children[2];
    int ends[2];

    CHECK(pipe(ends) == 0);
    children[0] = waiter("fifteen_letters", ends[1]);
    children[1] = waiter("一二三四五", ends[1]);
    wait_until_asleep(children[0]);
    wait_until_asleep(children[1]);
    CHECK(syscall(SYS_prctl, PR_SET_NAME, task) == 0);
    CHECK(syscall(SYS_prctl, PR_GET_NAME, back) == 0 && strcmp(back, task) == 0);
    for (int i = 0; i < NAMES; i++) {
        CHECK(co_go(sleeper, i == NAMES - 1 ? &ended : NULL, names[i]));
    }
    CHECK(co_run() == 0 && ended == NAMES);
    for (int i = 0; i < 2; i++) {
        CHECK(kill(children[i], SIGKILL) == 0 && waitpid(children[i], NULL, 0) == children[i]);
    }
}

int main(void)
{
    static const struct test tests[] = {TEST(names_may_be_any_bytes)};

    return run_tests(tests, 1);
}
