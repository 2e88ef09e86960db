/* The terminal's ioctls: modes, window size, stopping (ioctl_tty(2)). */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/group.h"
#include "sched/signal.h"
#include "sched/task.h"
#include "tty/tty.h"

enum {
    TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409,
    TCXONC = 0x540a, TCFLSH = 0x540b, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f, TIOCSPGRP = 0x5410,
    TIOCOUTQ = 0x5411, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414,
    TIOCNOTTY = 0x5422, TCSBRKP = 0x5425, TIOCGSID = 0x5429,
    /* With the speeds: C libraries use these alone, glibc since 2.42. */
    TCSETS2 = 0x402c542b, TCSETSW2 = 0x402c542c, TCSETSF2 = 0x402c542d,
};
#define TCGETS2 0x802c542a /* too large for the others' type */
#define TERMIOS_SIZE offsetof(struct termios, c_ispeed) /* of the commands without speeds */

/* Of c_cflag: a speed is an index into the list, of which bit 4 stands apart, or as in c_ospeed. */
enum { CBAUD = 010017, BOTHER = 010000, CBAUDEX = 010000, IBSHIFT = 16 };
enum { CSIZE = 060, CS8 = 060, CREAD = 0200, PARENB = 0400 };
static const uint32_t tty_speeds[] = {
    0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200,
    230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000,
    4000000,
};

static uint32_t speed_by_flags(uint32_t flags, uint32_t other)
{
    uint32_t index = flags & CBAUD & ~CBAUDEX;

    if ((flags & CBAUD) == BOTHER) {
        return other;
    }
    return tty_speeds[flags & CBAUDEX ? index + 15 : index];
}

/* What a terminal without a line to its device makes of it, as on Linux: 8 bits, no parity. */
static void termios_complete(struct termios *termios)
{
    uint32_t flags = (termios->c_cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;

    termios->c_cflag = flags;
    termios->c_ospeed = speed_by_flags(flags, termios->c_ospeed);
    termios->c_ispeed = flags >> IBSHIFT & CBAUD ? speed_by_flags(flags >> IBSHIFT, termios->c_ispeed)
                                                 : termios->c_ospeed;
}

/* Do ^S and ^Q, as these keys, stop and start the output? */
static bool has_usual_stop(const struct termios *termios)
{
    return termios->c_iflag & IXON && termios->c_cc[VSTOP] == 19 && termios->c_cc[VSTART] == 17;
}

/* The first `size` bytes are given; `flush`: what was typed before is thrown away. */
static long set_modes(struct tty *tty, uint64_t argument, size_t size, bool flush)
{
    struct termios termios;
    uint64_t flags;

    if (copy_from_user(&termios, (void __user *)argument, size)) {
        return -EFAULT;
    }
    flags = spin_lock_irqsave(&tty->lock);
    if (size == TERMIOS_SIZE) {
        termios.c_ispeed = tty->termios.c_ispeed;
        termios.c_ospeed = tty->termios.c_ospeed;
    }
    termios_complete(&termios);
    if (flush) {
        tty_flush_input(tty);
    }
    /* Bytes of an unfinished line become readable when lines no longer matter. */
    if ((tty->termios.c_lflag ^ termios.c_lflag) & ICANON) {
        tty->ready = tty->head;
    }
    if (tty->termios.c_iflag & ~termios.c_iflag & IXON) {
        tty_stop_output(tty, false); /* no key could do it any more */
    }
    if (has_usual_stop(&tty->termios) != has_usual_stop(&termios)) {
        tty_tell(tty, has_usual_stop(&termios) ? PACKET_DOSTOP : PACKET_NOSTOP,
                 PACKET_DOSTOP | PACKET_NOSTOP);
    }
    tty->termios = termios;
    spin_unlock_irqrestore(&tty->lock, flags);
    tty_resume_input(tty);
    wake_all(&tty->readers);
    wake_all(&tty->writers);
    return 0;
}

static long set_window(struct tty *tty, uint64_t argument)
{
    struct winsize size;
    uint64_t flags;
    pid_t told;

    if (copy_from_user(&size, (void __user *)argument, sizeof(size))) {
        return -EFAULT;
    }
    flags = spin_lock_irqsave(&tty->lock);
    told = size.rows != tty->size.rows || size.columns != tty->size.columns ? tty->foreground : 0;
    tty->size = size;
    spin_unlock_irqrestore(&tty->lock, flags);
    if (told) {
        signal_send_group(told, SIGWINCH);
    }
    return 0;
}

/* These change the terminal, so a background group is stopped by SIGTTOU first. */
static bool changes_terminal(unsigned command)
{
    return (command >= TCSETS && command <= TCSETSF) || (command >= TCSETS2 && command <= TCSETSF2) ||
           command == TCSBRK || command == TCFLSH ||
           command == TIOCSPGRP || command == TCXONC || command == TCSBRKP;
}

static long tty_flush(struct tty *tty, uint64_t queue)
{
    uint64_t flags;

    if (queue > 2) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&tty->lock);
    if (queue != 1) {
        tty_flush_input(tty);
    }
    if (queue != 0) { /* output never waits here */
        tty_tell(tty, PACKET_FLUSHWRITE, 0);
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    tty_resume_input(tty);
    return 0;
}

static long stop_or_go(struct tty *tty, uint64_t action)
{
    if (action > 3) {
        return -EINVAL;
    }
    if (action < 2) { /* TCOOFF, TCOON */
        uint64_t flags = spin_lock_irqsave(&tty->lock);

        tty_stop_output(tty, action == 0);
        spin_unlock_irqrestore(&tty->lock, flags);
        if (action == 1) {
            wake_events(&tty->writers, POLLOUT | POLLWRNORM);
        }
    }
    return 0;
}

/* Copy a field out as it is at one moment. */
static long tty_put_field(struct tty *tty, void __user *user, const void *field, size_t size)
{
    uint8_t copy[sizeof(tty->termios)];
    uint64_t flags = spin_lock_irqsave(&tty->lock);

    memcpy(copy, field, size);
    spin_unlock_irqrestore(&tty->lock, flags);
    return copy_to_user(user, copy, size);
}

static int count_input(struct tty *tty)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    int count = (int)(tty->ready - tty->tail);

    spin_unlock_irqrestore(&tty->lock, flags);
    return count;
}

long tty_ioctl(struct tty *tty, unsigned command, uint64_t argument)
{
    void __user *user = (void __user *)argument;
    bool controls = current->group->tty == tty;
    int count;

    if (controls && changes_terminal(command)) {
        long error = tty_check_foreground(tty, SIGTTOU);

        if (error) {
            return error;
        }
    }
    switch (command) {
    case TCGETS:
        return tty_put_field(tty, user, &tty->termios, TERMIOS_SIZE);
    case TCGETS2:
        return tty_put_field(tty, user, &tty->termios, sizeof(tty->termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_modes(tty, argument, TERMIOS_SIZE, command == TCSETSF);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return set_modes(tty, argument, sizeof(struct termios), command == TCSETSF2);
    case TIOCGWINSZ:
        return tty_put_field(tty, user, &tty->size, sizeof(tty->size));
    case TIOCSWINSZ:
        return set_window(tty, argument);
    case TIOCGPGRP:
        return controls ? tty_put_field(tty, user, &tty->foreground, sizeof(pid_t)) : -ENOTTY;
    case TIOCSPGRP:
        return tty_set_foreground(tty, argument);
    case TIOCGSID:
        return controls ? tty_put_field(tty, user, &tty->session, sizeof(pid_t)) : -ENOTTY;
    case TIOCSCTTY:
        return tty_set_controlling(tty, argument);
    case TIOCNOTTY:
        return tty_give_up(tty);
    case FIONREAD:
        count = count_input(tty);
        return copy_to_user(user, &count, sizeof(count));
    case TIOCOUTQ:
        count = 0;
        return copy_to_user(user, &count, sizeof(count));
    case TCFLSH:
        return tty_flush(tty, argument);
    case TCXONC:
        return stop_or_go(tty, argument);
    case TCSBRK:
    case TCSBRKP:
        return 0; /* output is written out before write(2) returns */
    default:
        return -ENOTTY;
    }
}
