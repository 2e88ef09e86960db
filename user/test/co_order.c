/* Orders of coroutines by seed and by list: the same each time, and any of them. */
#include <co.h>

#include "ktap.h"

#define MANY 6

static char seen[64];

static void *say(void *letter)
{
    for (int i = 0; i < 2; i++) {
        seen[strlen(seen)] = *(char *)letter;
        co_yield_now();
    }
    return NULL;
}

static const char *order_by(uint64_t seed)
{
    static const char letters[] = "ABCDEF";

    memset(seen, 0, sizeof(seen));
    if (seed) {
        co_order_seed(seed);
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(co_go(say, (void *)&letters[i], NULL));
    }
    CHECK(co_run() == 0);
    return seen;
}

static void without_a_seed_it_is_the_queue(void)
{
    CHECK(strcmp(order_by(0), "ABCDEFABCDEF") == 0);
}

/* In a child each: the choices are counted from its start. */
static void say_order(uint64_t seed, char *text)
{
    int ends[2];
    pid_t child;

    CHECK(pipe(ends) == 0);
    child = fork();
    if (child == 0) {
        write(ends[1], order_by(seed), 2 * MANY);
        _exit(0);
    }
    close(ends[1]);
    CHECK(read(ends[0], text, 2 * MANY) == 2 * MANY && waitpid(child, NULL, 0) == child);
    close(ends[0]);
}

static void seed_means_the_same_each_time(void)
{
    char first[16] = "", again[16] = "", other[16] = "";

    say_order(5, first);
    say_order(5, again);
    say_order(6, other);
    CHECK(strcmp(first, again) == 0 && strcmp(first, other) != 0);
}

static void each_comes_first_with_some_seed(void)
{
    int firsts[MANY] = {0};
    char text[16] = "";

    for (uint64_t seed = 1; seed <= 40; seed++) {
        say_order(seed, text);
        CHECK(strlen(text) == 2 * MANY);
        firsts[text[0] - 'A']++;
        for (int i = 0; i < MANY; i++) { /* everybody has both turns */
            CHECK(strchr(text, 'A' + i) && strchr(strchr(text, 'A' + i) + 1, 'A' + i));
        }
    }
    for (int i = 0; i < MANY; i++) {
        CHECK(firsts[i] > 0);
    }
}

static void *select_one(void *unused)
{
    struct co_chan *chans[3];
    struct co_case cases[3];
    int values[3], taken[3] = {0};

    for (int i = 0; i < 3; i++) {
        chans[i] = co_chan_create(sizeof(int), 1);
        cases[i] = (struct co_case){.chan = chans[i], .element = &values[i]};
    }
    for (int round = 0; round < 60; round++) {
        int index;

        CHECK(co_chan_trysend(chans[0], &round) != -EPIPE && co_chan_trysend(chans[2], &round) != -EPIPE);
        index = co_select(cases, 3, CO_NEVER);
        CHECK((index == 0 || index == 2) && cases[index].result == 0 && values[index] <= round);
        taken[index]++;
    }
    CHECK(taken[0] > 10 && taken[1] == 0 && taken[2] > 10);
    return unused;
}

static void ready_cases_are_chosen_among(void)
{
    co_order_seed(3);
    CHECK(co_go(select_one, NULL, NULL) && co_run() == 0);
}

/* In the environment: of this program, run anew. */
static int order_is(const char *order, const char *expected)
{
    char text[16] = "";
    int ends[2];

    CHECK(pipe(ends) == 0);
    if (fork() == 0) {
        char *arguments[] = {"co_order", "say", NULL};

        dup2(ends[1], 1);
        setenv("CO_ORDER", order, 1);
        execvp("/proc/self/exe", arguments);
        _exit(1);
    }
    close(ends[1]);
    read(ends[0], text, 2 * MANY);
    close(ends[0]);
    wait(NULL);
    return strcmp(text, expected) == 0;
}

static void list_says_who_comes_when(void)
{
    CHECK(order_is("-", "ABCDEFABCDEF"));
    CHECK(order_is("1@1", "BACDEFBACDEF"));
    CHECK(order_is("1@5,2@4", "FEABCDFEABCD"));
    CHECK(order_is("2@9", "ABCDEFABCDEF")); /* there are not so many */
    CHECK(order_is("nonsense", "ABCDEFABCDEF"));
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        TEST(without_a_seed_it_is_the_queue), TEST(seed_means_the_same_each_time),
        TEST(each_comes_first_with_some_seed), TEST(ready_cases_are_chosen_among),
        TEST(list_says_who_comes_when),
    };

    if (argc > 1 && strcmp(argv[1], "say") == 0) {
        write(1, order_by(0), 2 * MANY);
        return 0;
    }
    return RUN_TESTS(tests);
}
