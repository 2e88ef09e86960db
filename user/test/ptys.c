/* Pseudo-terminals (pty(7)): what each end sees of the other, and what happens when one is gone. */
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "asleep.h"
#include "pty.h"
#include "tasks.h"

static void a_line_goes_through_and_is_echoed(void)
{
    int terminal, master = open_pty(&terminal);

    CHECK(isatty(master) && isatty(terminal));
    CHECK(events(master) == POLLOUT && events(terminal) == POLLOUT);
    types(master, "ab\177c\r");
    wait_for_input(terminal);
    CHECK(events(terminal) == (POLLIN | POLLOUT));
    CHECK(reads(terminal, "ac\n"));
    CHECK(reads(master, "ab\b \bc\r\n"));
    types(terminal, "x\ny");
    CHECK(reads(master, "x\r\ny"));
    types(master, "half\004");
    CHECK(reads(terminal, "half"));
    CHECK(reads(master, "half"));
}

static void settings_are_those_of_both_ends(void)
{
    struct termios settings, other;
    int terminal, master = open_pty(&terminal), waiting;

    CHECK(tcgetattr(terminal, &settings) == 0);
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    CHECK(tcsetattr(master, TCSANOW, &settings) == 0);
    CHECK(tcgetattr(terminal, &other) == 0 && other.c_lflag == settings.c_lflag);
    types(master, "raw");
    wait_for_input(terminal);
    CHECK(ioctl(terminal, FIONREAD, &waiting) == 0 && waiting == 3);
    CHECK(reads(terminal, "raw"));
    CHECK(events(master) == POLLOUT);
}

static void a_new_one_is_locked_and_has_a_name(void)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), number, locked, off = 0, peer;
    struct stat about;

    CHECK(ioctl(master, GET_LOCK, &locked) == 0 && locked);
    CHECK(ioctl(master, GET_NUMBER, &number) == 0);
    snprintf(name, sizeof(name), "/dev/pts/%d", number);
    CHECK_ERROR(open(name, O_RDWR | O_NOCTTY), EIO);
    CHECK(stat(name, &about) == 0 && S_ISCHR(about.st_mode) && about.st_rdev >> 8 == 136);
    CHECK(ioctl(master, SET_LOCK, &off) == 0);
    peer = ioctl(master, GET_PEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(peer >= 0 && fcntl(peer, F_GETFD) == FD_CLOEXEC);
    CHECK(readlink(peer == 4 ? "/proc/self/fd/4" : "", buffer, sizeof(buffer)) == (ssize_t)strlen(name));
    CHECK(strncmp(buffer, name, strlen(name)) == 0);
    CHECK_ERROR(ioctl(peer, SET_LOCK, &off), ENOTTY);
    CHECK(close(master) == 0);
    CHECK_ERROR(open(name, O_RDWR | O_NOCTTY), ENOENT);
}

static void what_is_written_waits_for_the_program(void)
{
    int terminal, master = open_pty(&terminal);
    size_t all = 0;
    ssize_t got;

    CHECK(fcntl(terminal, F_SETFL, O_NONBLOCK) == 0 && fcntl(master, F_SETFL, O_NONBLOCK) == 0);
    memset(buffer, 'x', sizeof(buffer));
    while ((got = write(terminal, buffer, 100)) > 0) {
        all += (size_t)got;
        CHECK(all < 1 << 20);
    }
    CHECK(got == -1 && errno == EAGAIN && events(terminal) == 0);
    while (all > 0) {
        wait_for_input(master);
        got = read(master, buffer, sizeof(buffer));
        CHECK(got > 0);
        all -= (size_t)got;
    }
    CHECK_ERROR(read(master, buffer, 1), EAGAIN);
    CHECK(events(terminal) == POLLOUT);
}

static void what_is_typed_waits_for_a_reader(void)
{
    int terminal, master = open_pty(&terminal), status;
    struct termios settings;
    size_t all = 0;
    pid_t child;

    CHECK(tcgetattr(terminal, &settings) == 0);
    settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    CHECK(tcsetattr(terminal, TCSANOW, &settings) == 0);
    memset(buffer, 'y', sizeof(buffer));
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 10; i++) {
            CHECK(write(master, buffer, 5000) == 5000);
        }
        _exit(0);
    }
    while (all < 50000) {
        ssize_t got = read(terminal, buffer, sizeof(buffer));

        CHECK(got > 0);
        all += (size_t)got;
    }
    CHECK(all == 50000 && waitpid(child, &status, 0) == child && status == 0);
}

static void the_program_reads_what_is_left_and_then_an_error(void)
{
    int terminal, master = open_pty(&terminal), again;

    types(terminal, "last");
    wait_for_input(master);
    CHECK(close(terminal) == 0);
    CHECK(events(master) == (POLLIN | POLLOUT | POLLHUP));
    CHECK(reads(master, "last"));
    CHECK(events(master) == (POLLOUT | POLLHUP));
    CHECK_ERROR(read(master, buffer, 1), EIO);
    again = open(name, O_RDWR | O_NOCTTY);
    CHECK(again >= 0 && events(master) == POLLOUT);
    types(again, "anew");
    CHECK(reads(master, "anew"));
}

static void the_terminal_hangs_up(void)
{
    int terminal, master = open_pty(&terminal), own = open(name, O_RDONLY | O_NOCTTY), number = 0;

    CHECK(close(master) == 0);
    CHECK(read(terminal, buffer, 1) == 0 && read(own, buffer, 1) == 0);
    CHECK_ERROR(write(terminal, "x", 1), EIO);
    CHECK_ERROR(ioctl(terminal, FIONREAD, &number), EIO);
    CHECK(events(terminal) == (POLLIN | POLLOUT | POLLERR | POLLHUP));
}

static volatile sig_atomic_t told;

static void tell(int signal)
{
    __atomic_fetch_or(&told, 1 << signal, __ATOMIC_RELAXED); /* another one may come amidst */
}

/* A child with the terminal: it leads a session, and says when it is ready. */
static pid_t with_terminal(int master, int terminal, void (*run)(int terminal))
{
    char ready;
    int pipe_ends[2];
    pid_t child;

    CHECK(pipe(pipe_ends) == 0);
    child = fork();
    if (child == 0) {
        close(master);
        CHECK(setsid() == getpid() && ioctl(terminal, TIOCSCTTY, 0) == 0);
        for (int i = SIGHUP; i <= SIGWINCH; i += SIGWINCH - SIGHUP) {
            signal(i, tell);
        }
        signal(SIGINT, tell);
        CHECK(write(pipe_ends[1], "r", 1) == 1);
        run(terminal);
        _exit(0);
    }
    CHECK(read(pipe_ends[0], &ready, 1) == 1);
    return child;
}

static void wait_for(int signal)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, &all, NULL);
    while (!(told & 1 << signal)) {
        sigsuspend(&none);
    }
}

static void see_size_and_interrupt(int terminal)
{
    struct winsize size;

    wait_for(SIGWINCH);
    CHECK(ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_row == 7 && size.ws_col == 30);
    wait_for(SIGINT);
}

static int status_of(pid_t child)
{
    int status;

    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void its_group_hears_of_a_new_size_and_of_keys(void)
{
    struct winsize size = {.ws_row = 7, .ws_col = 30}, now;
    int terminal, master = open_pty(&terminal);
    pid_t child = with_terminal(master, terminal, see_size_and_interrupt);

    CHECK(tcgetpgrp(master) == child);
    CHECK(ioctl(master, TIOCSWINSZ, &size) == 0 && ioctl(master, TIOCGWINSZ, &now) == 0 && now.ws_row == 7);
    types(master, "\003");
    CHECK(status_of(child) == 0);
    CHECK(reads(master, "^C"));
}

static void see_hang_up(int terminal)
{
    wait_for(SIGHUP);
    CHECK(read(terminal, buffer, 1) == 0);
    CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
}

static void its_leader_hears_that_the_program_is_gone(void)
{
    int terminal, master = open_pty(&terminal);
    pid_t child = with_terminal(master, terminal, see_hang_up);

    CHECK(close(terminal) == 0 && close(master) == 0);
    CHECK(status_of(child) == 0);
}

static void read_until_the_end(int terminal)
{
    CHECK_ERROR(tcsetpgrp(terminal, 1 << 30), ESRCH);
    CHECK_ERROR(tcsetpgrp(terminal, getpgid(getppid())), EPERM);
    signal(SIGHUP, SIG_IGN);
    CHECK_ERROR(read(terminal, buffer, 1), EIO);
    CHECK(read(terminal, buffer, 1) == 0);
}

static void who_waits_for_input_hears_of_its_end(void)
{
    int terminal, master = open_pty(&terminal);
    pid_t child = with_terminal(master, terminal, read_until_the_end);

    wait_until_asleep(child);
    CHECK(close(terminal) == 0 && close(master) == 0);
    CHECK(ends_well(child));
}

static void open_own_and_end(int terminal)
{
    int own = open("/dev/tty", O_RDWR);

    CHECK(own >= 0);
    types(own, "own");
    CHECK(close(terminal) == 0);
}

static void the_end_of_its_leader_frees_it(void)
{
    int terminal, master = open_pty(&terminal);
    pid_t child = with_terminal(master, terminal, open_own_and_end), next;

    CHECK(status_of(child) == 0);
    CHECK(reads(master, "own"));
    next = with_terminal(master, terminal, open_own_and_end);
    CHECK(status_of(next) == 0);
    CHECK(reads(master, "own") && events(master) == POLLOUT);
}

static int told_of_the_end[2];

/* As a shell that ends beside its job in the foreground, which hears SIGHUP, but is not continued: it was not stopped. */
static void end_beside_a_job(int terminal)
{
    pid_t leader = getpid();
    sigset_t both;
    char ready;

    sigemptyset(&both);
    sigaddset(&both, SIGHUP);
    sigaddset(&both, SIGCONT);
    sigprocmask(SIG_BLOCK, &both, NULL);
    signal(SIGCONT, tell);
    signal(SIGTTOU, SIG_IGN);
    if (fork() == 0) {
        CHECK(setpgid(0, 0) == 0 && tcsetpgrp(terminal, getpid()) == 0);
        CHECK(write(told_of_the_end[1], "r", 1) == 1);
        wait_for(SIGHUP);
        AWAIT(getppid() != leader);
        sigprocmask(SIG_UNBLOCK, &both, NULL);
        CHECK(write(told_of_the_end[1], told & 1 << SIGCONT ? "-" : "+", 1) == 1);
        _exit(0);
    }
    CHECK(read(told_of_the_end[0], &ready, 1) == 1);
}

static void the_end_of_its_leader_is_told_to_the_foreground(void)
{
    int terminal, master = open_pty(&terminal);
    char told_so;

    CHECK(pipe(told_of_the_end) == 0);
    CHECK(status_of(with_terminal(master, terminal, end_beside_a_job)) == 0);
    CHECK(read(told_of_the_end[0], &told_so, 1) == 1 && told_so == '+');
    CHECK(close(master) == 0 && close(terminal) == 0);
}

static void opening_one_takes_it_but_with_noctty(void)
{
    int terminal, master = open_pty(&terminal), status;
    pid_t child = fork();

    if (child == 0) {
        CHECK(setsid() == getpid());
        CHECK(open(name, O_RDWR | O_NOCTTY) >= 0);
        CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
        CHECK(open(name, O_RDWR) >= 0);
        CHECK(open("/dev/tty", O_RDWR) >= 0);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(close(master) == 0);
}

static void nobody_else_makes_or_takes_their_names(void)
{
    int terminal, master = open_pty(&terminal);

    CHECK_ERROR(open("/dev/pts/999", O_RDWR | O_CREAT, 0600), EACCES);
    CHECK_ERROR(mkdir("/dev/pts/999", 0700), EPERM);
    CHECK_ERROR(symlink("/tmp", "/dev/pts/999"), EPERM);
    CHECK_ERROR(unlink(name), EPERM);
    CHECK_ERROR(rename(name, "/dev/pts/999"), EPERM);
    CHECK(access(name, F_OK) == 0 && access("/dev/pts/999", F_OK) == -1);
    CHECK(close(terminal) == 0 && close(master) == 0);
}

static void many_come_and_go(void)
{
    int masters[8], terminals[8];

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++) {
            masters[i] = open_pty(&terminals[i]);
        }
        for (int i = 0; i < 8; i++) {
            CHECK(close(round % 2 ? masters[i] : terminals[i]) == 0);
        }
        for (int i = 0; i < 8; i++) {
            CHECK(close(round % 2 ? terminals[i] : masters[i]) == 0);
        }
    }
}

int main(void)
{
    static const struct test tests[] = {
        TEST(a_line_goes_through_and_is_echoed),
        TEST(settings_are_those_of_both_ends),
        TEST(a_new_one_is_locked_and_has_a_name),
        TEST(what_is_written_waits_for_the_program),
        TEST(what_is_typed_waits_for_a_reader),
        TEST(the_program_reads_what_is_left_and_then_an_error),
        TEST(the_terminal_hangs_up),
        TEST(its_group_hears_of_a_new_size_and_of_keys),
        TEST(its_leader_hears_that_the_program_is_gone), TEST(who_waits_for_input_hears_of_its_end),
        TEST(the_end_of_its_leader_frees_it), TEST(the_end_of_its_leader_is_told_to_the_foreground),
        TEST(opening_one_takes_it_but_with_noctty),
        TEST(nobody_else_makes_or_takes_their_names), TEST(many_come_and_go),
    };

    return RUN_TESTS(tests);
}
