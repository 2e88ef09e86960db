/*
 * The first program: sets up the console, then runs the shell, or the one command that tools/run
 * put into /etc/baton, whose status it reports on the wire (/dev/ttyS1).
 *
 * Runs under Linux, too: there it mounts /proc and /dev itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char run_file[256], arguments[65536], command_line[1024];
static int wire = -1;
static int leads; /* init itself leads the session of the console */

static int slurp(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY), used = 0, got = 1;

    if (fd < 0) {
        return -1;
    }
    while (got > 0 && used < (int)size - 1) {
        got = (int)read(fd, buffer + used, size - 1 - (size_t)used);
        used += got > 0 ? got : 0;
    }
    close(fd);
    buffer[used] = '\0';
    return used;
}

/* The value of key=... in /etc/baton/run. */
static const char *setting(const char *key)
{
    static char value[64];
    const char *at = strstr(run_file, key);

    value[0] = '\0';
    if (at) {
        size_t size;

        at += strlen(key) + 1;
        size = strcspn(at, "\n");
        size = size < sizeof(value) - 1 ? size : sizeof(value) - 1;
        memcpy(value, at, size);
        value[size] = '\0';
    }
    return value;
}

/* As large as the terminal of the host, if tools/run says how large that is. */
static void set_size(void)
{
    const char *option = strstr(command_line, "baton.size=");
    struct winsize size = {0};
    char *end;

    if (option) {
        size.ws_row = (unsigned short)strtol(option + strlen("baton.size="), &end, 10);
        size.ws_col = *end == 'x' ? (unsigned short)strtol(end + 1, NULL, 10) : 0;
    }
    if (size.ws_row && size.ws_col) {
        ioctl(0, TIOCSWINSZ, &size);
    }
}

/* In the environment of all programs: what `option` says, if it was given. */
static void set_variable(const char *name, const char *option)
{
    const char *at = strstr(command_line, option);
    char value[32];

    if (at) {
        at += strlen(option);
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, " \n"), at);
        setenv(name, value, 1);
    }
}

static void open_console(void)
{
    const char *path = strstr(command_line, "baton.tty=ttyS0") ? "/dev/ttyS0" : "/dev/console";
    int fd = open(path, O_RDWR | O_NOCTTY);

    for (int i = 0; i < 3 && fd >= 0; i++) {
        dup2(fd, i);
    }
    if (fd > 2) {
        close(fd);
    }
    set_size();
}

/* When the leader of a terminal's session ends, Linux drops what the terminal has not sent yet, and lets
 * nobody write there any more. So init, which never ends, has to be the leader there. */
static void lead(void)
{
    leads = 1;
    setsid();
    ioctl(0, TIOCSCTTY, 1);
    signal(SIGTTOU, SIG_IGN); /* it waits for the terminal while the command's group has it */
}

/* The child's part: the console is its terminal, in a session of its own unless init leads. */
static void start(char *const argv[], int input, const int output[2])
{
    char *shell[] = {argv[0], NULL};

    if (leads) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
    } else {
        setsid();
        ioctl(0, TIOCSCTTY, 1);
    }
    if (input >= 0) {
        dup2(input, 0);
        close(input);
    }
    if (output && output[0] >= 0) {
        dup2(output[1], 1);
        dup2(output[1], 2);
        close(output[0]);
        close(output[1]);
    }
    execvp(argv[0], argv[1] ? argv : shell);
    fprintf(stderr, "%s: %s\n", argv[0], errno == ENOENT ? "command not found" : strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
}

static void read_fully(int fd, unsigned char *buffer, size_t size)
{
    while (size > 0) {
        ssize_t got = read(fd, buffer, size);

        if (got <= 0) {
            _exit(1);
        }
        buffer += got;
        size -= (size_t)got;
    }
}

/* Standard input comes over the wire: ask for a frame, pass it on, until an empty one. */
static void feed(int output)
{
    unsigned char frame[1024], head[2];
    char ask[64];
    int length = snprintf(ask, sizeof(ask), "@baton %s more\n", setting("nonce"));

    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        size_t size;

        write(wire, ask, (size_t)length);
        read_fully(wire, head, 2);
        size = head[0] | (size_t)head[1] << 8;
        read_fully(wire, frame, size);
        if (size == 0 || write(output, frame, size) < 0) {
            _exit(0);
        }
    }
}

static int raw(int fd)
{
    struct termios modes;

    if (tcgetattr(fd, &modes)) {
        return -1;
    }
    modes.c_iflag &= ~(unsigned)(ICRNL | IXON);
    modes.c_oflag &= ~(unsigned)OPOST;
    modes.c_lflag &= ~(unsigned)(ICANON | ECHO | ISIG | IEXTEN);
    return tcsetattr(fd, TCSANOW, &modes);
}

/* Where a process of its own feeds the standard input; -1: there is no memory for it. */
static int start_feeder(void)
{
    int fds[2];

    if (pipe(fds)) {
        return -1;
    }
    if (fork() == 0) {
        close(fds[0]);
        feed(fds[1]);
    }
    close(fds[1]);
    return fds[0];
}

static void on_child(int signal)
{
    (void)signal; /* it ends ppoll */
}

/* Standard output is no terminal on the host: neither here. Copy until the command has ended and
 * the pipe is empty; what it left running in the background may hold the pipe open for ever. */
static int copy_output(int fd, pid_t command)
{
    static char buffer[4096];
    struct timespec now = {0};
    struct sigaction action = {.sa_handler = on_child};
    int status = 0, ended = 0;
    sigset_t child, asleep;

    /* SIGCHLD comes only while ppoll sleeps, so none is missed between looking and sleeping. */
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &asleep);
    sigaction(SIGCHLD, &action, NULL);
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready, one;
        pid_t pid;

        while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
            if (pid == command && !ended) { /* later another may get its number */
                status = one;
                ended = 1;
            }
        }
        ready = ppoll(&p, 1, ended ? &now : NULL, &asleep);
        if (ready > 0) {
            ssize_t got = read(fd, buffer, sizeof(buffer));

            if (got > 0) {
                write(1, buffer, (size_t)got);
            } else {
                fd = -1; /* all ends are closed: the command's end is what is left to wait for */
            }
        } else if (ended && ready == 0) {
            return status;
        } else if (ready < 0 && errno == EINVAL) { /* its RLIMIT_NOFILE was set to 0 */
            setrlimit(RLIMIT_NOFILE, &(struct rlimit){64, 64});
        }
    }
}

/* Run what tools/run asked for; never returns. The wire is open and the run's number is gone before
 * the command starts: nobody else can open the wire (EBUSY), or speak in init's name. */
static void run_command(int size)
{
    static char *argv[1024];
    struct termios modes;
    char line[64];
    int argc = 0, status, input = -1, output[2] = {-1, -1}, fed = strcmp(setting("stdin"), "tty") != 0;
    int piped = strcmp(setting("stdout"), "pipe") == 0;
    int whole = strcmp(setting("stdin"), "file") == 0;
    pid_t child, ended;

    for (char *at = arguments; at < arguments + size && argc < 1023; at += strlen(at) + 1) {
        argv[argc++] = at;
    }
    wire = open("/dev/ttyS1", O_RDWR | O_NOCTTY);
    raw(wire);
    if (tcgetattr(0, &modes) == 0) {
        if (fed || piped) { /* the output is passed on as it is; else the host's terminal is raw */
            modes.c_oflag &= ~(unsigned)OPOST;
        }
        modes.c_lflag &= fed ? ~(unsigned)ECHO : ~0u;
        tcsetattr(0, TCSANOW, &modes);
    }
    if (whole) {
        input = open("/etc/baton/stdin", O_RDONLY);
    } else if (fed) {
        input = start_feeder();
    }
    if (piped && pipe(output)) {
        output[0] = -1;
    }
    unlink("/etc/baton/run");
    unlink("/etc/baton/argv");
    child = fork();
    if (child == 0) {
        close(wire);
        start(argv, input, output);
    }
    if (input >= 0) {
        close(input);
    }
    if (output[0] >= 0) {
        close(output[1]);
        status = copy_output(output[0], child);
    } else {
        while ((ended = wait(&status)) != child && (ended > 0 || errno == EINTR)) {
        }
    }
    tcdrain(0);
    snprintf(line, sizeof(line), "\n@baton %s status %d\n", setting("nonce"),
             WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    write(wire, line, strlen(line));
    tcdrain(wire);
    reboot(RB_POWER_OFF);
    _exit(1);
}

/* What programs expect in /dev besides devices: their own descriptors, and shared memory by name. */
static void make_links(void)
{
    static const char *const links[][2] = {
        {"/proc/self/fd", "/dev/fd"}, {"/proc/self/fd/0", "/dev/stdin"},
        {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"},
    };

    for (int i = 0; i < 4; i++) {
        symlink(links[i][0], links[i][1]);
    }
    mkdir("/dev/shm", 01777);
}

/* Where programs of Linux count the CPUs: all are there from the start, for ever. By pwrite, so that who
 * waits for the first write in gdb meets the command's. */
static void list_cpus(void)
{
    static const char *const names[] = {"possible", "present", "online"};
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    char path[64], list[32];
    int length = snprintf(list, sizeof(list), cpus > 1 ? "0-%ld\n" : "%ld\n", cpus - 1);

    mkdir("/sys", 0755);
    mkdir("/sys/devices", 0755);
    mkdir("/sys/devices/system", 0755);
    mkdir("/sys/devices/system/cpu", 0755);
    for (int i = 0; i < 3; i++) {
        int file;

        snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s", names[i]);
        file = open(path, O_WRONLY | O_CREAT, 0444);
        syscall(SYS_pwrite64, file, list, length, 0, 0, 0);
        close(file);
    }
    for (long i = 0; i < cpus; i++) {
        snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld", i);
        mkdir(path, 0755);
    }
}

int main(void)
{
    char *const shell[] = {"sh", NULL};
    int size, status;
    pid_t child;

    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    mkdir("/tmp", 01777);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    make_links();
    list_cpus();
    slurp("/proc/cmdline", command_line, sizeof(command_line));
    open_console();
    if (strstr(command_line, "baton.tty=")) { /* it is Linux */
        lead();
    }
    setenv("PATH", "/bin", 1);
    setenv("HOME", "/", 1);
    setenv("TERM", "linux", 0);
    set_variable("LANG", "baton.lang=");
    set_variable("TERM", "baton.term=");
    set_variable("NO_COLOR", "baton.no_color=");
    size = slurp("/etc/baton/argv", arguments, sizeof(arguments));
    if (slurp("/etc/baton/run", run_file, sizeof(run_file)) > 0 && size > 0) {
        run_command(size);
    }
    if (slurp("/etc/motd", arguments, sizeof(arguments)) > 0) {
        fputs(arguments, stdout);
        fflush(stdout);
    }
    for (;;) {
        child = fork();
        if (child == 0) {
            start(shell, -1, NULL);
        }
        while (wait(&status) != child) {
        }
        if (strstr(command_line, "session=once")) {
            reboot(RB_POWER_OFF);
        }
        puts("init: the shell ended; here is a new one (poweroff ends the machine)");
        fflush(stdout);
    }
}
