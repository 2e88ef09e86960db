/* ps: processes, their state, and what each waits for (from /proc). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int slurp(const char *pid, const char *file, char *buffer, size_t size)
{
    char path[300];
    FILE *f;
    size_t got;

    snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
    f = fopen(path, "r");
    if (!f) {
        return -1;
    }
    got = fread(buffer, 1, size - 1, f);
    buffer[got] = '\0';
    fclose(f);
    return (int)got;
}

static void show(const char *pid)
{
    char stat[1024], wchan[64], command[128], *at;
    long field[40] = {0};
    int size, state;

    if (slurp(pid, "stat", stat, sizeof(stat)) < 0 || !(at = strrchr(stat, ')'))) {
        return;
    }
    *at = '\0';
    state = at[2];
    at += 3;
    for (int i = 0; i < 38; i++) {
        field[i] = strtol(at, &at, 10);
    }
    slurp(pid, "wchan", wchan, sizeof(wchan));
    size = slurp(pid, "cmdline", command, sizeof(command));
    for (int i = 0; i < size - 1; i++) {
        command[i] = command[i] ? command[i] : ' ';
    }
    printf("%5s %5ld %5ld %c %3ld %5ld.%02ld %-12s ", pid, field[0], field[1], state, field[15],
           (field[10] + field[11]) / 100, (field[10] + field[11]) % 100,
           strcmp(wchan, "0") == 0 ? "-" : wchan);
    if (size > 0) {
        puts(command);
    } else {
        printf("[%s]\n", strchr(stat, '(') + 1);
    }
}

int main(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;

    if (!dir) {
        fprintf(stderr, "ps: /proc is not there\n");
        return 1;
    }
    printf("  PID  PPID  PGID S  NI     TIME WAITS FOR    COMMAND\n");
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
            show(entry->d_name);
        }
    }
    return 0;
}
