/* ps [-L]: processes, their state, and what each waits for; with -L the threads of each. */
#include <sys/ioctl.h>
#include <unistd.h>

#include "tasks.h"

static int width; /* of the terminal; 0: lines may be as long as they are */

static void show_process(int pid, int tid)
{
    char command[256];
    struct task task;
    int size, room = width ? width - 53 : (int)sizeof(command);

    if (!task_read(pid, tid, &task)) {
        return;
    }
    size = task_file(pid, 0, "cmdline", command, sizeof(command));
    for (int i = 0; i < size - 1; i++) {
        command[i] = command[i] ? command[i] : ' ';
    }
    if (size <= 0) {
        snprintf(command, sizeof(command), "[%s]", task.name);
    }
    printf("%5d %5ld %5ld %c %3ld %5ld.%02ld %-18.18s %.*s\n", pid, task.parent, task.group,
           task.state, task.nice, task.time / 100, task.time % 100, task.wait, room, command);
}

static void show_thread(int pid, int tid)
{
    struct task task;

    if (task_read(pid, tid, &task)) {
        printf("%5d %5d %c %-20.20s %7ld %7ld %5ld.%02ld %s\n", pid, tid, task.state, task.wait,
               task.voluntary, task.forced, task.time / 100, task.time % 100, task.name);
    }
}

int main(int argc, char **argv)
{
    int threads = argc > 1 && strcmp(argv[1], "-L") == 0;
    struct winsize size;

    if (argc > 1 + threads) {
        fprintf(stderr, "usage: ps [-L]\n");
        return 2;
    }
    if (isatty(1)) {
        width = ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 60 ? size.ws_col : 80;
    }
    if (threads) {
        printf("  PID   TID S WAITS FOR                VOL  FORCED     TIME NAME\n");
        tasks_visit(1, show_thread);
    } else {
        printf("  PID  PPID  PGID S  NI     TIME WAITS FOR          COMMAND\n");
        tasks_visit(0, show_process);
    }
    return 0;
}
