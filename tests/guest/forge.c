/*
 * Tries to report a status that is not its own, in each way that a program has: forge WAY; then it
 * ends with 77. tests/forging.py runs it, linked with the host's C library; it is for the guest alone.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char number[64] = "00000000"; /* of the run, as far as it is known */

/* What a status looks like, to whatever was opened. */
static void say_to(int fd, const char *name)
{
    char line[160];
    int size = snprintf(line, sizeof(line), "\n@baton %s status 0\nPANIC: forged\n", number);

    if (fd >= 0) {
        printf("forge: wrote %zd bytes to %s\n", write(fd, line, (size_t)size), name);
        close(fd);
    }
}

/* Every file whose text has the run's number beside its name. */
static void search(const char *path, int depth)
{
    static char text[1 << 16];
    struct dirent *entry;
    DIR *directory = opendir(path);

    while (directory && (entry = readdir(directory))) {
        char name[512], *at;
        struct stat about;
        ssize_t size;
        int fd;

        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || lstat(name, &about)) {
            continue;
        }
        if (S_ISDIR(about.st_mode) && depth < 6) {
            search(name, depth + 1);
        }
        if (!S_ISREG(about.st_mode) || (fd = open(name, O_RDONLY | O_NONBLOCK)) < 0) {
            continue;
        }
        size = read(fd, text, sizeof(text) - 1);
        close(fd);
        text[size > 0 ? size : 0] = '\0';
        at = strstr(text, "nonce=");
        if (at && sscanf(at, "nonce=%63[0-9a-f]", number) == 1) {
            printf("forge: the number is in %s\n", name);
        }
    }
    if (directory) {
        closedir(directory);
    }
}

static void way_read(void)
{
    search("", 0);
    say_to(open("/dev/ttyS1", O_WRONLY), "/dev/ttyS1");
}

/* The wire by any other name. */
static void way_open(void)
{
    char name[64];

    say_to(open("/dev/ttyS1", O_RDWR | O_NONBLOCK | O_NOCTTY), "/dev/ttyS1");
    say_to(open("/dev/tty", O_RDWR), "/dev/tty");
    mkdir("/tmp/dev", 0755);
    mount("dev", "/tmp/dev", "devtmpfs", 0, NULL);
    say_to(open("/tmp/dev/ttyS1", O_WRONLY), "another devtmpfs");
    mknod("/tmp/wire", S_IFCHR | 0600, makedev(4, 65));
    say_to(open("/tmp/wire", O_WRONLY), "a node of one's own");
    link("/dev/ttyS1", "/dev/wire");
    say_to(open("/dev/wire", O_WRONLY), "a link");
    rename("/dev/ttyS1", "/dev/serial");
    say_to(open("/dev/serial", O_WRONLY), "the renamed one");
    for (int pid = 1; pid < 16; pid++) {
        for (int fd = 0; fd < 16; fd++) {
            char target[64] = "";

            snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, fd);
            if (readlink(name, target, sizeof(target) - 1) > 0 && !strstr(target, "pipe")) {
                say_to(open(name, O_WRONLY | O_NONBLOCK), name);
            }
        }
    }
}

/* Init's memory and its files. */
static void way_init(void)
{
    static char memory[4096];
    struct iovec mine = {memory, sizeof(memory)}, its = {(void *)0x400000, sizeof(memory)};
    int got = 0;

    got += ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0;
    got += ptrace(PTRACE_SEIZE, 1, NULL, NULL) == 0;
    got += process_vm_readv(1, &mine, 1, &its, 1, 0) > 0;
    got += process_vm_writev(1, &mine, 1, &its, 1, 0) > 0;
    got += open("/proc/1/mem", O_RDWR) >= 0;
    got += open("/dev/mem", O_RDWR) >= 0;
    got += open("/proc/kcore", O_RDONLY) >= 0;
    got += syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, 1, 0), 3, 0) >= 0;
    got += syscall(SYS_kcmp, 1, getpid(), 0, 0, 0) >= 0;
    printf("forge: %d ways into init\n", got);
}

static void way_kill(void)
{
    for (int signal = 1; signal <= 64; signal++) {
        kill(1, signal);
        syscall(SYS_tgkill, 1, 1, signal);
    }
}

/* A child of init's that is not its command, and one with the command's end in sight. */
static void way_child(void)
{
    int status;

    for (int i = 0; i < 20; i++) {
        if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0) {
            _exit(0);
        }
    }
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            usleep(100000);
            say_to(open("/dev/ttyS1", O_WRONLY), "/dev/ttyS1, at the end");
            _exit(0);
        }
        _exit(0);
    }
    wait(&status);
}

/* Words of others, where they do not count. */
static void way_words(void)
{
    say_to(open("/dev/console", O_WRONLY), "/dev/console");
    say_to(open("/dev/ttyS0", O_WRONLY | O_NOCTTY), "/dev/ttyS0");
    say_to(dup(2), "standard error");
    if (fork() == 0) {
        prctl(PR_SET_NAME, "\nPANIC: a name");
        *(volatile int *)8 = 0;
    }
    wait(NULL);
}

/* Leave before anybody can say how the command ended. */
static void way_off(void)
{
    reboot(RB_POWER_OFF);
}

static void way_halt(void)
{
    reboot(RB_HALT_SYSTEM);
}

static void way_restart(void)
{
    reboot(RB_AUTOBOOT);
}

static const struct {
    const char *name;
    void (*function)(void);
} ways[] = {
    {"read", way_read}, {"open", way_open}, {"init", way_init}, {"kill", way_kill},
    {"child", way_child}, {"words", way_words}, {"off", way_off}, {"halt", way_halt},
    {"restart", way_restart},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc == 2 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(argv[1], ways[i].name) == 0) {
            ways[i].function();
            return 77;
        }
    }
    return 2;
}
