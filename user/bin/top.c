/* top [-n ROUNDS]: who used the CPU in the last second, again and again; q ends it. */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX 512

struct process {
    int pid, state;
    long time, used;
    char name[32];
};

static struct process now[MAX], before[MAX];
static int count, count_before;

static void read_all(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;

    count_before = count;
    memcpy(before, now, sizeof(now));
    for (count = 0; dir && count < MAX && (entry = readdir(dir));) {
        struct process *p = &now[count];
        char path[300], text[512], *at, *open;
        FILE *file;

        if (entry->d_name[0] < '1' || entry->d_name[0] > '9') {
            continue;
        }
        snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        file = fopen(path, "r");
        if (!file) {
            continue;
        }
        text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
        fclose(file);
        open = strchr(text, '(');
        at = strrchr(text, ')');
        if (!open || !at) {
            continue;
        }
        *at = '\0';
        p->pid = atoi(text);
        p->state = at[2];
        strncpy(p->name, open + 1, sizeof(p->name) - 1);
        at += 3;
        p->time = 0;
        for (int i = 0; i < 12; i++) {
            long value = strtol(at, &at, 10);

            p->time += i >= 10 ? value : 0;
        }
        p->used = p->time;
        for (int i = 0; i < count_before; i++) {
            p->used -= before[i].pid == p->pid ? before[i].time : 0;
        }
        count++;
    }
    if (dir) {
        closedir(dir);
    }
}

static int by_use(const void *a, const void *b)
{
    const struct process *x = a, *y = b;

    return x->used != y->used ? (int)(y->used - x->used) : x->pid - y->pid;
}

int main(int argc, char **argv)
{
    long rounds = argc > 2 && strcmp(argv[1], "-n") == 0 ? atol(argv[2]) : -1;
    struct termios saved, modes;
    int tty = isatty(0) && tcgetattr(0, &saved) == 0, key = 0;

    if (tty) {
        modes = saved;
        modes.c_lflag &= ~(unsigned)(ICANON | ECHO);
        tcsetattr(0, TCSANOW, &modes);
    }
    read_all();
    for (; rounds != 0 && key != 'q'; rounds--) {
        struct pollfd input = {.fd = tty ? 0 : -1, .events = POLLIN};
        char c = 0;

        if (poll(&input, 1, 1000) > 0 && read(0, &c, 1) == 1) {
            key = c;
        }
        read_all();
        qsort(now, (size_t)count, sizeof(*now), by_use);
        printf("%s%d processes\n  PID S  CPU%%     TIME COMMAND\n", isatty(1) ? "\033[H\033[2J" : "",
               count);
        for (int i = 0; i < count && i < 20; i++) {
            printf("%5d %c %4ld%% %5ld.%02ld %s\n", now[i].pid, now[i].state, now[i].used,
                   now[i].time / 100, now[i].time % 100, now[i].name);
        }
        fflush(stdout);
    }
    if (tty) {
        tcsetattr(0, TCSANOW, &saved);
    }
    return 0;
}
