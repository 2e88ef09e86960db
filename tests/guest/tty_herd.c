/*
 * Many read one terminal: what is typed wakes one, and no reader and no byte is forgotten. The program
 * says what to type; tests/terminal.py does. On one CPU who has been woken does not run before we wait.
 */
#include "../../user/test/asleep.h"

#include <poll.h>
#include <sched.h>
#include <termios.h>

enum { HERD = 200, SOME = 8 };

struct result {
    pid_t who;
    char byte; /* '-': nothing */
};

static pid_t herd[HERD];
static long switches[HERD];
static int results[2];

static void modes(int minimum, int time)
{
    struct termios raw;

    CHECK(tcgetattr(0, &raw) == 0);
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = (cc_t)minimum;
    raw.c_cc[VTIME] = (cc_t)time;
    CHECK(tcsetattr(0, TCSANOW, &raw) == 0);
}

static pid_t reader_start(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct result result = {getpid(), '-'};

        alarm(120); /* it ends where the test fails */
        _exit(read(0, &result.byte, 1) >= 0 && write(results[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
    }
    return pid;
}

static void herd_start(int count)
{
    for (int i = 0; i < count; i++) {
        herd[i] = reader_start();
    }
    for (int i = 0; i < count; i++) {
        wait_until_asleep(herd[i]);
        switches[i] = voluntary_switches(herd[i]);
    }
}

static void ask(const char *text)
{
    printf("type %s\n", text);
    fflush(stdout);
}

/* Who got `wanted` (0: any); it has ended. */
static pid_t served(char wanted)
{
    struct result result;

    CHECK(read(results[0], &result, sizeof(result)) == sizeof(result));
    CHECK((!wanted || result.byte == wanted) && ends_well(result.who));
    for (int i = 0; i < HERD; i++) {
        herd[i] = herd[i] == result.who ? 0 : herd[i];
    }
    return result.who;
}

/* How many of those that are left have been woken. */
static int woken(void)
{
    int count = 0;

    for (int i = 0; i < HERD; i++) {
        count += herd[i] && !slept_on(herd[i], switches[i]);
    }
    return count;
}

static void herd_end(void)
{
    for (int i = 0; i < HERD; i++) {
        if (herd[i]) {
            kill(herd[i], SIGKILL);
            CHECK(exit_code(herd[i]) == -1);
        }
        herd[i] = 0;
    }
}

static void a_byte_wakes_one(void)
{
    modes(1, 0);
    herd_start(HERD);
    ask("a");
    served('a');
    CHECK(woken() == 0);
    ask("bcd");
    for (int i = 0; i < 3; i++) {
        served(0);
    }
    CHECK(woken() <= 3); /* each byte one, and who saw the next one there already, another one */
    herd_end();
}

/* The byte wakes us and the first reader, and we run first: before that one looks, it gets a signal. */
static void when_the_first_is_woken(const char *text, int signal)
{
    struct sched_param important = {.sched_priority = 1}, usual = {0};
    struct pollfd input = {.fd = 0, .events = POLLIN};

    CHECK(sched_setscheduler(0, SCHED_FIFO, &important) == 0);
    ask(text);
    CHECK(poll(&input, 1, -1) == 1);
    CHECK(kill(herd[0], signal) == 0 && sched_setscheduler(0, SCHED_OTHER, &usual) == 0);
}

/* The first one is asleep first. */
static void two_start(void)
{
    modes(1, 0);
    for (int i = 0; i < 2; i++) {
        herd[i] = reader_start();
        wait_until_asleep(herd[i]);
    }
}

static void who_is_killed_hands_on(void)
{
    pid_t first, second;

    two_start();
    first = herd[0];
    second = herd[1];
    when_the_first_is_woken("e", SIGKILL);
    CHECK(exit_code(first) == -1 && served('e') == second);
}

static void nothing(int signal)
{
    (void)signal;
}

/* Whether it takes the byte or hands it on: one of them has it. */
static void who_is_interrupted_hands_on(void)
{
    struct sigaction action = {.sa_handler = nothing};

    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    two_start();
    when_the_first_is_woken("f", SIGUSR1);
    served('f');
    kill(herd[0] ?: herd[1], SIGKILL);
}

/* The first sleeper is in the background when its byte comes: it is stopped, and the next one reads. */
static void who_is_in_the_background_hands_on(void)
{
    pid_t own = getpgrp(), second;
    int status;

    signal(SIGTTOU, SIG_IGN);
    two_start();
    second = herd[1];
    CHECK(setpgid(herd[0], herd[0]) == 0 && setpgid(second, second) == 0 && tcsetpgrp(0, second) == 0);
    ask("g");
    CHECK(served('g') == second);
    CHECK(waitpid(herd[0], &status, WUNTRACED) == herd[0] && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    CHECK(tcsetpgrp(0, own) == 0);
    herd_end();
}

/* Who gives up by itself is not the one who is woken later. */
static void who_gives_up_is_out_of_the_way(void)
{
    modes(0, 1);
    for (int i = 0; i < SOME; i++) {
        herd[i] = reader_start();
    }
    for (int i = 0; i < SOME; i++) {
        served('-');
    }
    modes(1, 0);
    herd_start(1);
    ask("h");
    served('h');
}

int main(void)
{
    CHECK(pipe(results) == 0);
    a_byte_wakes_one();
    who_is_killed_hands_on();
    who_is_interrupted_hands_on();
    who_is_in_the_background_hands_on();
    who_gives_up_is_out_of_the_way();
    puts("all are served");
    return 0;
}
