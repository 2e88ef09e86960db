/*
 * explore [options] -- COMMAND...: run it by many schedules until one fails.
 *
 * For tools/explore, which knows the program's symbols and source lines: what comes out is one JSON
 * object a line. Status 0 (with --passes that one): nothing found, 1: found, 2: wrong use, 3: it could
 * not go on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "orders.h"
#include "report.h"
#include "search.h"

static const char usage[] =
    "usage: explore [--begin N] [--end N] [--range N:N]... [--watch N:N:N,...] [--preemptions N] [--runs N]\n"
    "               [--samples N] [--seed S] [--in user|kernel|both] [--limit N] [--avoid SCHEDULE]...\n"
    "               [--passes STATUS]\n"
    "               [--replay SCHEDULE [--once]] -- COMMAND...\n"
    "       explore --coroutines [--mark N] ... -- COMMAND...    orders of coroutines instead of schedules\n"
    "Addresses are relative to the program's entry point. tools/explore on the host fills them in.\n";

struct options {
    struct setup setup;
    struct search search;
    struct schedule replay;
    int replays, once, coroutines;
    uint32_t ranges;
    char **command;
};

static _Noreturn void wrong_use(const char *word)
{
    fprintf(stderr, "explore: %s\n%s", word, usage);
    exit(2);
}

static int64_t number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 0);

    if (end == text || *end) {
        wrong_use(text);
    }
    return value;
}

static void take_range(struct options *options, const char *text)
{
    char *end;
    struct range range = {.low = strtol(text, &end, 0)};

    if (*end != ':' || options->ranges == RANGES_MAX) {
        wrong_use(text);
    }
    range.high = number(end + 1);
    options->setup.ranges[options->ranges++] = range;
}

/* AT:ADDRESS:SIZE,... */
static void take_watches(struct options *options, const char *text)
{
    char *end = (char *)text - 1;

    for (int i = 0; i == 0 || *end == ','; i++) {
        struct watch watch = {.at = strtol(end + 1, &end, 0)};

        if (*end == ':') {
            watch.address = strtol(end + 1, &end, 0);
        }
        if (*end != ':' || i == WATCHES_MAX) {
            wrong_use(text);
        }
        watch.size = (uint32_t)strtol(end + 1, &end, 0);
        options->setup.watches[i] = watch;
    }
}

static void take_option(struct options *options, const char *name, const char *value)
{
    struct search *search = &options->search;

    if (strcmp(name, "--range") == 0) {
        take_range(options, value);
    } else if (strcmp(name, "--watch") == 0) {
        take_watches(options, value);
    } else if (strcmp(name, "--begin") == 0) {
        options->setup.begin = number(value);
    } else if (strcmp(name, "--end") == 0) {
        options->setup.end = number(value);
    } else if (strcmp(name, "--mark") == 0) {
        search->mark = number(value);
    } else if (strcmp(name, "--preemptions") == 0) {
        search->preemptions = (unsigned)number(value);
    } else if (strcmp(name, "--runs") == 0) {
        search->runs = (uint64_t)number(value);
    } else if (strcmp(name, "--samples") == 0) {
        search->samples = (uint64_t)number(value);
    } else if (strcmp(name, "--in") == 0) {
        search->in_user = strcmp(value, "kernel") != 0;
        search->in_kernel = strcmp(value, "user") != 0;
    } else if (strcmp(name, "--seed") == 0) {
        search->seed = (unsigned)number(value);
    } else if (strcmp(name, "--limit") == 0) {
        search->limit = (uint64_t)number(value);
    } else if (strcmp(name, "--avoid") == 0 && search->avoid_count < AVOID_MAX &&
               schedule_parse(value, &search->avoid[search->avoid_count])) {
        search->avoid_count++;
    } else if (strcmp(name, "--passes") == 0) {
        search->passes = (int)number(value);
    } else if (strcmp(name, "--replay") == 0 && schedule_parse(value, &options->replay)) {
        options->replays = 1;
    } else {
        wrong_use(name);
    }
}

static void parse(struct options *options, char **argv)
{
    for (argv++; *argv && strcmp(*argv, "--") != 0; argv++) {
        if (strcmp(*argv, "--once") == 0) {
            options->once = 1;
        } else if (strcmp(*argv, "--coroutines") == 0) {
            options->coroutines = 1;
        } else if (argv[1]) {
            take_option(options, argv[0], argv[1]);
            argv++;
        } else {
            wrong_use(*argv);
        }
    }
    if (!*argv || !argv[1]) {
        wrong_use("which COMMAND?");
    }
    if (options->search.preemptions > PREEMPTIONS_MAX) {
        wrong_use("--preemptions takes 0 to 8");
    }
    options->command = argv + 1;
}

/* True: one was found. */
static int explore_schedules(struct options *options)
{
    struct search *search = &options->search;
    int found;

    device_start(options->command, &options->setup);
    report_program();
    if (options->replays) {
        search->limit = search->limit ? search->limit : FIRST_LIMIT;
        search->run.steps = !options->once;
        found = search_try(search, &options->replay);
        search->found = options->replay;
    } else {
        found = search_go(search);
        report_coverage(search, found);
        if (found) {
            search_shrink(search);
            search->run.steps = 1;
            search_try(search, &search->found);
        }
    }
    if (found || options->replays) {
        report_run(search, found);
    }
    return found;
}

static int explore_orders(struct options *options)
{
    struct search *search = &options->search;
    int found;

    orders_begin();
    if (options->replays) {
        found = orders_try(search, &options->replay, options->command);
        search->found = options->replay;
    } else {
        found = orders_go(search, options->command);
        report_coverage(search, found);
    }
    if ((found || options->replays) && !options->once) {
        orders_tell(search, options->command, &options->setup, found);
    }
    return found;
}

int main(int argc, char **argv)
{
    static struct options options = {
        .setup = {.end = NOWHERE},
        .search = {.in_user = 1, .preemptions = 3, .runs = 1000000, .samples = 500, .seed = 1},
    };
    int found;

    (void)argc;
    parse(&options, argv);
    found = options.coroutines ? explore_orders(&options) : explore_schedules(&options);
    return found || options.replays ? found : options.search.passes;
}
