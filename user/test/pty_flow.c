/* Pseudo-terminals: what the program is told in packet mode (TIOCPKT of ioctl_tty(2)), and ^S and ^Q. */
#include <sched.h>
#include <termios.h>

#include "pty.h"

enum { SET_PACKETS = 0x5420, GET_PACKETS = 0x80045438, FLOW = 0x540a, FLUSH = 0x540b };
enum { FLUSHED_INPUT = 1, FLUSHED_OUTPUT = 2, STOPPED = 4, STARTED = 8, NO_STOP_KEYS = 16, STOP_KEYS = 32 };
enum { OUTPUT_OFF, OUTPUT_ON };
enum { OF_INPUT, OF_OUTPUT, OF_BOTH };

/* What the program is told in packet mode, by itself before all output. */
static int news_of(int master)
{
    struct pollfd one = {.fd = master, .events = POLLPRI};
    ssize_t got;

    CHECK(poll(&one, 1, 0) == 1 && one.revents == POLLPRI && events(master) == (POLLIN | POLLOUT));
    got = read(master, buffer, sizeof(buffer));
    CHECK(got == 1);
    return buffer[0];
}

static void control(int terminal, unsigned long command, int argument)
{
    CHECK(ioctl(terminal, command, argument) == 0);
}

static void packets_tell_what_happens_at_the_terminal(void)
{
    int terminal, master = open_pty(&terminal), on = 1, off = 0, value;
    struct termios usual, raw;

    CHECK(tcgetattr(terminal, &usual) == 0 && ioctl(master, SET_PACKETS, &on) == 0);
    CHECK(ioctl(master, GET_PACKETS, &value) == 0 && value == 1);
    CHECK_ERROR(ioctl(terminal, SET_PACKETS, &on), ENOTTY);
    types(terminal, "text");
    wait_for_input(master);
    CHECK(read(master, buffer, sizeof(buffer)) == 5 && memcmp(buffer, "\0text", 5) == 0);
    CHECK(events(master) == POLLOUT);
    types(terminal, "more");
    wait_for_input(master);
    CHECK(read(master, buffer, 1) == 1 && buffer[0] == 0);
    control(terminal, FLOW, OUTPUT_OFF);
    CHECK(news_of(master) == STOPPED);
    control(terminal, FLOW, OUTPUT_OFF);
    control(terminal, FLOW, OUTPUT_ON);
    control(terminal, FLOW, OUTPUT_OFF);
    CHECK(news_of(master) == STOPPED);
    control(terminal, FLOW, OUTPUT_ON);
    CHECK(news_of(master) == STARTED);
    control(terminal, FLUSH, OF_INPUT);
    CHECK(news_of(master) == FLUSHED_INPUT);
    CHECK(read(master, buffer, 3) == 3 && memcmp(buffer, "\0mo", 3) == 0);
    CHECK(read(master, buffer, 9) == 3 && memcmp(buffer, "\0re", 3) == 0);
    control(terminal, FLUSH, OF_BOTH);
    CHECK(news_of(master) == (FLUSHED_INPUT | FLUSHED_OUTPUT));
    raw = usual;
    raw.c_iflag &= ~(tcflag_t)IXON;
    CHECK(tcsetattr(terminal, TCSANOW, &raw) == 0 && tcsetattr(terminal, TCSANOW, &raw) == 0);
    CHECK(news_of(master) == NO_STOP_KEYS && events(master) == POLLOUT);
    CHECK(tcsetattr(terminal, TCSAFLUSH, &usual) == 0);
    CHECK(news_of(master) == (STOP_KEYS | FLUSHED_INPUT));
    control(terminal, FLUSH, OF_OUTPUT);
    CHECK(ioctl(master, SET_PACKETS, &off) == 0 && events(master) == POLLOUT);
    control(terminal, FLUSH, OF_OUTPUT);
    CHECK(events(master) == POLLOUT);
    CHECK(close(terminal) == 0 && ioctl(master, SET_PACKETS, &on) == 0 && events(master) == (POLLOUT | POLLHUP));
    CHECK_ERROR(read(master, buffer, 1), EIO);
}

/* The keys are seen to by the kernel later on Linux. */
static void wait_until_stopped(int terminal, int stopped)
{
    struct pollfd one = {.fd = terminal, .events = POLLOUT};

    while (poll(&one, 1, 0) == stopped) {
        sched_yield();
    }
}

static void output_that_was_stopped_goes_on(void)
{
    int terminal, master = open_pty(&terminal);
    struct termios settings;

    CHECK(tcgetattr(terminal, &settings) == 0);
    for (int round = 0; round < 3; round++) {
        types(master, "\023");
        wait_until_stopped(terminal, 1);
        if (round == 0) {
            types(master, "\021");
        } else if (round == 1) {
            types(master, "\003");
        } else {
            settings.c_iflag &= ~(tcflag_t)IXON;
            CHECK(tcsetattr(terminal, TCSANOW, &settings) == 0);
        }
        wait_until_stopped(terminal, 0);
    }
    types(terminal, "x");
    CHECK(reads(master, "^Cx"));
}

int main(void)
{
    static const struct test tests[] = {
        TEST(packets_tell_what_happens_at_the_terminal), TEST(output_that_was_stopped_goes_on),
    };

    return RUN_TESTS(tests);
}
