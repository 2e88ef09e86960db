/*
 * Lanes: what each task did, in cells of equal time from left to right.
 *
 * They are in shared memory: owners mark them, the painter reads them. Each lane has one owner at
 * a time, and a picture that is a cell behind does no harm, so nothing is locked.
 */
#include <stdio.h>
#include <string.h>

#include "lesson.h"

static struct lanes *shown;

struct lanes *lanes_create(long long span, long long quiet)
{
    if (!shown) {
        shown = shared_memory(sizeof(*shown));
    }
    memset(shown, 0, sizeof(*shown));
    shown->start = now_ns();
    shown->span = span;
    shown->quiet = quiet;
    return shown;
}

struct lane *lane_add(struct lanes *lanes, const char *name)
{
    struct lane *lane = &lanes->lane[lanes->count++];

    snprintf(lane->name, sizeof(lane->name), "%s", name);
    return lane;
}

static int cell_at(const struct lanes *lanes, long long time)
{
    long long cell = (time - lanes->start) * LANE_CELLS / lanes->span;

    return cell < 0 ? 0 : cell >= LANE_CELLS ? LANE_CELLS - 1 : (int)cell;
}

void lane_mark(struct lanes *lanes, struct lane *lane, char mark)
{
    long long now = now_ns();

    if (lane->last && now - lane->last > lane->longest) {
        lane->longest = now - lane->last;
    }
    lane->last = now;
    lane->ticks++;
    lane->cells[cell_at(lanes, now)] = mark;
}

void lane_wait(struct lane *lane)
{
    lane->from = now_ns();
}

long long lane_go_on(struct lanes *lanes, struct lane *lane)
{
    long long now = now_ns(), waited = now - lane->from;

    for (int cell = cell_at(lanes, lane->from); cell <= cell_at(lanes, now); cell++) {
        lane->cells[cell] = LANE_WAIT;
    }
    lane->from = 0;
    return waited;
}

/* An empty cell between two marks: is this silence, or just the pause that it always makes? */
static char between(const struct lanes *lanes, const struct lane *lane, int cell, int now)
{
    int before = cell, after = cell;

    while (before >= 0 && !lane->cells[before]) {
        before--;
    }
    while (after < now && !lane->cells[after]) {
        after++;
    }
    if (before < 0 || lane->cells[before] == LANE_WAIT) {
        return ' ';
    }
    return (after - before) * (lanes->span / LANE_CELLS) > lanes->quiet ? LANE_SILENCE
                                                                        : LANE_PAUSE;
}

static enum colour colour_of(char cell)
{
    switch (cell) {
    case LANE_TICK:
    case LANE_RUN:
        return GREEN;
    case LANE_WAIT:
        return YELLOW;
    case LANE_SILENCE:
        return RED;
    default:
        return DIM;
    }
}

/* The longest time between two marks, and while somebody waits, the time since the last one. */
static double silence(const struct lanes *lanes, const struct lane *lane)
{
    long long now = now_ns(), longest = lane->longest;

    for (int i = 0; i < lanes->count; i++) {
        if (lanes->lane[i].from && lane->last && now - lane->last > longest) {
            longest = now - lane->last;
        }
    }
    return (double)longest;
}

static void draw_lane(const struct lanes *lanes, const struct lane *lane, int now)
{
    int waits = lane->from ? cell_at(lanes, lane->from) : LANE_CELLS;
    char before = ' ';

    say("  %s ", cell(-11, lane->name));
    for (int cell = 0; cell < LANE_CELLS; cell++) {
        char c = cell > now ? ' ' : cell >= waits ? (char)LANE_WAIT : lane->cells[cell];

        c = c ? c : between(lanes, lane, cell, now);
        if (c != before) {
            say("%s%s", paint(PLAIN), paint(colour_of(c)));
        }
        say("%c", c);
        before = c;
    }
    say("%s %s\n", paint(PLAIN),
        *lane->note ? translate(lane->note) : duration(silence(lanes, lane)));
}

/* "0 s        1 s": a label each quarter of the span. */
static void draw_axis(const struct lanes *lanes)
{
    char line[LANE_CELLS + 24];
    int used = 0;

    for (int quarter = 0; quarter <= 4; quarter++) {
        int at = quarter * LANE_CELLS / 4;

        used += snprintf(line + used, sizeof(line) - (size_t)used, "%*s%s",
                         at > used ? at - used : 0, "",
                         quarter ? duration((double)lanes->span * quarter / 4) : "0 s");
    }
    say("  %s%-11s %s%s\n", paint(DIM), "", line, paint(PLAIN));
}

void lanes_draw(void)
{
    int now = cell_at(shown, now_ns());

    for (int i = 0; i < shown->count; i++) {
        draw_lane(shown, &shown->lane[i], now);
    }
    draw_axis(shown);
}
