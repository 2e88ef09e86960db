/*
 * Processes and threads as /proc shows them: what ps and top have in common. Reads only what Linux
 * has there, too.
 */
#ifndef BIN_TASKS_H
#define BIN_TASKS_H
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct task {
    int pid, tid;
    int state; /* R S D T Z, proc(5) */
    long parent, group, nice;
    long time;              /* on a CPU, in hundredths of a second */
    long voluntary, forced; /* switches: it gave the CPU away, it was taken away */
    char name[32], wait[24];
};

/* The start of a file of the task; -1: it is gone. */
static inline int task_file(int pid, int tid, const char *file, char *buffer, size_t size)
{
    char path[64];
    FILE *f;
    size_t got;

    if (tid) {
        snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, file);
    } else {
        snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
    }
    buffer[0] = '\0';
    f = fopen(path, "r");
    if (!f) {
        return -1;
    }
    got = fread(buffer, 1, size - 1, f);
    buffer[got] = '\0';
    fclose(f);
    return (int)got;
}

static inline long task_status_number(const char *status, const char *label)
{
    const char *at = strstr(status, label);

    return at ? atol(at + strlen(label)) : 0;
}

/* Fill in what is said of a process (tid 0), or of one of its threads. 0: it is gone. */
static inline int task_read(int pid, int tid, struct task *task)
{
    char text[2048], *open, *at;
    long field[17];

    if (task_file(pid, tid, "stat", text, sizeof(text)) < 0 || !(open = strchr(text, '(')) ||
        !(at = strrchr(text, ')'))) {
        return 0;
    }
    *at = '\0';
    snprintf(task->name, sizeof(task->name), "%s", open + 1);
    task->state = at[2];
    at += 3;
    for (int i = 0; i < 17; i++) { /* from the fourth on, proc_pid_stat(5) */
        field[i] = strtol(at, &at, 10);
    }
    task->pid = pid;
    task->tid = tid ? tid : pid;
    task->parent = field[0];
    task->group = field[1];
    task->time = field[10] + field[11];
    task->nice = field[15];
    task_file(pid, tid, "status", text, sizeof(text));
    task->voluntary = task_status_number(text, "\nvoluntary_ctxt_switches:");
    task->forced = task_status_number(text, "\nnonvoluntary_ctxt_switches:");
    task_file(pid, tid, "wchan", text, sizeof(text));
    snprintf(task->wait, sizeof(task->wait), "%s", !text[0] || strcmp(text, "0") == 0 ? "-" : text);
    return 1;
}

/* Call visit(pid, 0) for each process; or visit(pid, tid) for each thread of each. */
static inline void tasks_visit(int threads, void (*visit)(int pid, int tid))
{
    DIR *all = opendir("/proc");
    struct dirent *entry;

    if (!all) {
        fprintf(stderr, "/proc is not there\n");
        exit(1);
    }
    while ((entry = readdir(all))) {
        int pid = atoi(entry->d_name);
        char path[64];
        DIR *group;

        if (pid > 0 && !threads) {
            visit(pid, 0);
        } else if (pid > 0) {
            snprintf(path, sizeof(path), "/proc/%d/task", pid);
            group = opendir(path);
            while (group && (entry = readdir(group))) {
                if (atoi(entry->d_name) > 0) {
                    visit(pid, atoi(entry->d_name));
                }
            }
            if (group) {
                closedir(group);
            }
        }
    }
    closedir(all);
}
#endif
