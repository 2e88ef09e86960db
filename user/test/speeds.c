/*
 * The modes of a terminal with its speeds (struct termios2, ioctl_tty(2)), beside those without. The C
 * libraries of today ask for these, isatty(3) among them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "ktap.h"

enum { SET_LOCK = 0x40045431, GET_PEER = 0x5441 };
enum { GET = 0x5401, SET, SET_WAIT, SET_FLUSH };
#define GET2 0x802c542au
enum { SET2 = 0x402c542b, SET2_WAIT, SET2_FLUSH };
enum { OTHER = 010000, INPUT = 16, SPEED_BITS = 010017, INPUT_READY = 0x541b };

struct modes {
    unsigned input, output, control, local;
    unsigned char line, keys[19];
    unsigned input_speed, output_speed;
};

static int terminal, master;

static struct modes modes_now(void)
{
    struct modes modes, old = {0};

    CHECK(ioctl(terminal, GET2, &modes) == 0 && ioctl(terminal, GET, &old) == 0);
    CHECK(memcmp(&old, &modes, offsetof(struct modes, input_speed)) == 0);
    CHECK(old.input_speed == 0 && old.output_speed == 0); /* not written to */
    return modes;
}

/* The flags of a speed, for output and input; with OTHER the numbers count. */
static struct modes with_speed(unsigned command, unsigned flags, unsigned input_speed, unsigned output_speed)
{
    struct modes modes = modes_now();

    modes.control = (modes.control & ~(SPEED_BITS | SPEED_BITS << INPUT)) | flags;
    modes.input_speed = input_speed;
    modes.output_speed = output_speed;
    CHECK(ioctl(terminal, command, &modes) == 0);
    modes = modes_now();
    CHECK((modes.control & (SPEED_BITS | SPEED_BITS << INPUT)) == flags);
    return modes;
}

static void speeds_are_those_of_the_flags(void)
{
    static const struct {
        unsigned flags, speed;
    } speeds[] = {{0, 0}, {1, 50}, {13, 9600}, {15, 38400}, {OTHER | 1, 57600}, {OTHER | 15, 4000000}};
    struct modes modes = modes_now();

    CHECK(modes.input_speed == 38400 && modes.output_speed == 38400 && (modes.control & SPEED_BITS) == 15);
    for (unsigned i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
        modes = with_speed(i % 2 ? SET2_WAIT : SET2, speeds[i].flags, 1, 2);
        CHECK(modes.input_speed == speeds[i].speed && modes.output_speed == speeds[i].speed);
        modes = with_speed(SET, speeds[i].flags, 1, 2);
        CHECK(modes.output_speed == speeds[i].speed);
        if (speeds[i].flags) {
            modes = with_speed(SET2, 13 | speeds[i].flags << INPUT, 1, 2);
            CHECK(modes.input_speed == speeds[i].speed && modes.output_speed == 9600);
        }
    }
}

static void other_speeds_are_numbers(void)
{
    struct modes modes = with_speed(SET2, OTHER, 1, 4567);

    CHECK(modes.input_speed == 4567 && modes.output_speed == 4567);
    modes = with_speed(SET2, OTHER | OTHER << INPUT, 77, 88);
    CHECK(modes.input_speed == 77 && modes.output_speed == 88);
    modes = with_speed(SET, OTHER | OTHER << INPUT, 1, 2); /* the older command leaves them alone */
    CHECK(modes.input_speed == 77 && modes.output_speed == 88);
}

static void modes_are_set_with_all_commands(void)
{
    static const unsigned commands[] = {SET, SET_WAIT, SET_FLUSH, SET2, SET2_WAIT, SET2_FLUSH};
    enum { LINES = 2, ECHOES = 8 };

    for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        struct modes modes = modes_now();
        struct pollfd arrives = {.fd = terminal, .events = POLLIN};
        int count;

        modes.local = i % 2 ? modes.local | LINES : modes.local & ~(unsigned)(LINES | ECHOES);
        CHECK(write(master, "x\n", 2) == 2 && poll(&arrives, 1, -1) == 1);
        CHECK(ioctl(terminal, commands[i], &modes) == 0 && modes_now().local == modes.local);
        CHECK(ioctl(terminal, INPUT_READY, &count) == 0);
        CHECK((count == 0) == (commands[i] == SET_FLUSH || commands[i] == SET2_FLUSH));
        CHECK(ioctl(terminal, SET2_FLUSH, &modes) == 0);
    }
}

static void eight_bits_is_all_there_is(void)
{
    struct modes modes = modes_now();

    modes.control = 0;
    CHECK(ioctl(terminal, SET2, &modes) == 0 && modes_now().control == 0260 && modes_now().output_speed == 0);
}

static void what_is_wrong_is_told(void)
{
    int pipes[2];
    struct modes modes;

    CHECK_ERROR(ioctl(terminal, GET2, 8), EFAULT);
    CHECK_ERROR(ioctl(terminal, SET2, 8), EFAULT);
    CHECK(pipe(pipes) == 0);
    CHECK_ERROR(ioctl(pipes[0], GET2, &modes), ENOTTY);
}

int main(void)
{
    static const struct test tests[] = {
        TEST(speeds_are_those_of_the_flags), TEST(other_speeds_are_numbers),
        TEST(modes_are_set_with_all_commands), TEST(eight_bits_is_all_there_is), TEST(what_is_wrong_is_told),
    };
    int off = 0;

    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && ioctl(master, SET_LOCK, &off) == 0);
    terminal = ioctl(master, GET_PEER, O_RDWR | O_NOCTTY);
    CHECK(terminal >= 0);
    return RUN_TESTS(tests);
}
