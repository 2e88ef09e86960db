/* Tidying up after a round: processes, files and the terminal that were not there before. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "fuzz.h"

static int console;
static struct termios modes;
static pid_t known[64]; /* processes that are no worker's */
static int known_count;

/* Is it one that `known` has? Each directory of /proc with a number is a process. */
int each_process(void (*visit)(pid_t pid))
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int count = 0;

    while (proc && (entry = readdir(proc))) {
        pid_t pid = atoi(entry->d_name);
        int old = 0;

        for (int i = 0; i < known_count; i++) {
            old |= known[i] == pid;
        }
        if (pid > 0 && !old) {
            count++;
            visit(pid);
        }
    }
    closedir(proc);
    return count;
}

static void remember(pid_t pid)
{
    if (known_count < 64) {
        known[known_count++] = pid;
    }
}

static void kill_it(pid_t pid)
{
    kill(pid, SIGKILL);
}

static void remove_tree(const char *path)
{
    struct dirent *entry;
    struct stat status;
    char below[512];
    DIR *directory;

    if (lstat(path, &status) == 0 && !S_ISDIR(status.st_mode)) {
        unlink(path);
        return;
    }
    directory = opendir(path);
    while (directory && (entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
            remove_tree(below);
        }
    }
    if (directory) {
        closedir(directory);
    }
    rmdir(path);
}

/* Where names may be left: threads that write to each other's paths make any name there is. */
static struct place {
    const char *path;
    char names[2048]; /* those that belong there: "/a/b/c/" */
} places[] = {{.path = "/", .names = "/"}, {.path = "/tmp", .names = "/"}, {.path = "/dev", .names = "/"},
              {.path = "/bin", .names = "/"}};

static void place_visit(struct place *place, int remember)
{
    DIR *directory = opendir(place->path);
    struct dirent *entry;
    char name[300], path[512];

    while (directory && (entry = readdir(directory))) {
        size_t used = strlen(place->names);

        snprintf(name, sizeof(name), "/%s/", entry->d_name);
        if (remember) {
            snprintf(place->names + used, sizeof(place->names) - used, "%s", name + 1);
        } else if (!strstr(place->names, name)) {
            snprintf(path, sizeof(path), "%s/%s", place->path, entry->d_name);
            remove_tree(path);
        }
    }
    if (directory) {
        closedir(directory);
    }
}

static void places_visit(int remember)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        place_visit(&places[i], remember);
    }
}

/* Those of the open files that workers share with others: nobody's end gives them back. */
static void locks_give_back(void)
{
    const struct {
        short type, whence;
        long start, length;
        pid_t pid;
    } all = {.type = 2}; /* F_UNLCK */

    for (int fd = 0; fd < 16; fd++) {
        RAW(73, fd, 8, 0);           /* flock, LOCK_UN */
        RAW(72, fd, 37, (long)&all); /* fcntl, F_OFD_SETLK */
    }
}

int tidy_up(void)
{
    int left = 1;

    for (int tries = 0; tries < 3000 && left; tries++) {
        while (waitpid(-1, NULL, WNOHANG | 0x40000000) > 0) { /* __WALL */
        }
        left = each_process(kill_it);
        if (left) {
            usleep(tries < 100 ? 100 : 1000);
        }
    }
    places_visit(0);
    locks_give_back();
    RAW(90, "/proc/self/exe", 0755, 0); /* chmod: or no worker could be started any more */
    if (shared->ktrace) {
        int fd = open("/dev/ktrace", O_WRONLY);

        write(fd, "off", 3);
        close(fd);
    }
    ioctl(console, 0x540a, 1); /* TCXONC, TCOON */
    tcsetattr(console, TCSANOW, &modes);
    return left;
}

void tidy_remember(void)
{
    console = open("/dev/console", O_RDWR | O_NOCTTY | O_NONBLOCK);
    tcgetattr(console, &modes);
    each_process(remember);
    places_visit(1);
}
