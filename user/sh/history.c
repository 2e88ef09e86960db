/* The lines that were typed, the newest ones of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sh.h"

#define HISTORY_MAX 200

static char *lines[HISTORY_MAX]; /* a ring: the newest is number `count` */
static int count;

const char *history_entry(int back)
{
    return back < 1 || back > count || back > HISTORY_MAX ? NULL : lines[(count - back) % HISTORY_MAX];
}

void history_add(const char *line)
{
    const char *newest = history_entry(1);

    if (!line[strspn(line, " \t")] || (newest && strcmp(newest, line) == 0)) {
        return;
    }
    free(lines[count % HISTORY_MAX]);
    lines[count++ % HISTORY_MAX] = strdup(line);
}

void history_print(void)
{
    for (int back = HISTORY_MAX; back > 0; back--) {
        if (history_entry(back)) {
            printf("%5d  %s\n", count - back + 1, history_entry(back));
        }
    }
}
