/* See report.h. */
#include "report.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void report_string(const char *text)
{
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\') {
            printf("\\%c", *at);
        } else if (*at >= ' ' && *at < 127) {
            putchar(*at);
        } else {
            printf("\\u%04x", *at);
        }
    }
    putchar('"');
}

void report_program(void)
{
    static char text[65536];
    char path[64];
    int64_t entry;
    int pid;
    FILE *maps;
    size_t got = 0;

    device_where(&entry, &pid);
    snprintf(path, sizeof(path), "/proc/%d/maps", pid);
    maps = fopen(path, "r");
    if (maps) {
        got = fread(text, 1, sizeof(text) - 1, maps);
        fclose(maps);
    }
    text[got] = '\0';
    printf("{\"entry\": %ld, \"maps\": ", entry);
    report_string(text);
    printf("}\n");
    fflush(stdout);
}

void report_coverage(const struct search *search, int found)
{
    printf("{\"found\": %s, \"schedules\": %lu, \"instructions\": %lu, \"covered\": [",
           found ? "true" : "false", search->tried, search->instructions);
    for (unsigned i = 0; i <= search->preemptions; i++) {
        const struct coverage *covered = &search->covered[i];

        printf("%s{\"preemptions\": %u, \"schedules\": %lu, \"of\": %lu, \"diverged\": %lu, \"all\": %s}",
               i ? ", " : "", i, covered->schedules, covered->of, covered->diverged,
               covered->all && !found ? "true" : "false");
    }
    printf("], \"rest\": %lu}\n", search->rest);
    fflush(stdout);
}

static void report_event(const struct event *event)
{
    static const char *const kinds[] = {"runs", "stops", "ready", "step", "closed", "place"};
    static const char *const whys[] = {"taken", "blocks", "ends", "yields", "turn"};

    if (event->kind == STEP && event->nth != (KNOWN | CHANGED)) { /* most are, so in few bytes */
        printf("[%u, %lu, %lu]\n", event->task, event->at, event->rip);
        return;
    }
    printf("{\"event\": \"%s\", \"task\": %u, \"at\": %lu, \"rip\": %lu", kinds[event->kind], event->task,
           event->at, event->rip);
    if (event->kind == STOPS) {
        printf(", \"why\": \"%s\", \"reason\": %u, \"object\": %lu", whys[event->why], event->reason,
               event->object);
    } else if (event->kind == STEP) {
        printf(", \"before\": %lu, \"after\": %lu", event->object, event->ready);
    } else if (event->kind == RUNS) {
        printf(", \"ready\": %lu", event->ready);
    }
    printf("}\n");
}

#define WATCHED_MAX 5000 /* steps that are about a variable: all of them */
#define LAST_STEPS 4 /* before the CPU changes hands: told in any case */

/* Loops come by the same instructions again and again: once is enough. */
static void report_events(const struct event *events, uint32_t count, int64_t mark)
{
    static uint64_t told[1024];
    uint32_t watched = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct event *event = &events[i];
        uint64_t *slot = &told[event->rip % (sizeof(told) / sizeof(*told))];

        if (event->kind == PLACE) {
            continue;
        }
        if (event->kind == RUNS || (event->kind == STEP && event->rip == (uint64_t)mark)) {
            memset(told, 0, sizeof(told));
        }
        if (event->kind == STEP && event->nth && watched++ < WATCHED_MAX) {
            report_event(event);
            continue;
        }
        if (event->kind == STEP && *slot == event->rip && i + LAST_STEPS < count &&
            event[LAST_STEPS].kind == STEP) {
            continue;
        }
        *slot = event->kind == STEP ? event->rip : *slot;
        report_event(event);
    }
}

void report_run(struct search *search, int found)
{
    static const char *const verdicts[] = {"none", "status", "deadlock", "livelock"};
    const struct run *run = &search->run;
    const struct event *events = device_events(run);

    report_events(events, run->events, search->mark);
    printf("{\"schedule\": \"%s\", \"failed\": %s, \"verdict\": \"%s\", ", schedule_text(&search->found),
           found ? "true" : "false", *search->lost ? "leak" : verdicts[run->verdict]);
    printf("\"lost\": \"%s\", ", search->lost);
    printf("\"status\": %d, \"signal\": %d, ", WIFEXITED(run->status) ? WEXITSTATUS(run->status) : 0,
           WIFSIGNALED(run->status) ? WTERMSIG(run->status) : 0);
    printf("\"instructions\": %lu, \"tasks\": %u, \"dropped\": %u, \"diverged\": %s, \"output\": ",
           run->instructions, run->tasks, run->dropped, run->diverged ? "true" : "false");
    report_string(device_output());
    printf("}\n");
}
