/* The terminal's ioctls: modes, window size, sessions and the foreground group (ioctl_tty(2)). */
#include "fs/tty.h"

#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"

enum {
    TCGETS = 0x5401, TCSETS = 0x5402, TCSETSW = 0x5403, TCSETSF = 0x5404, TCSBRK = 0x5409,
    TCXONC = 0x540a, TCFLSH = 0x540b, TIOCSCTTY = 0x540e, TIOCGPGRP = 0x540f, TIOCSPGRP = 0x5410,
    TIOCOUTQ = 0x5411, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414,
    TIOCNOTTY = 0x5422, TCSBRKP = 0x5425, TIOCGSID = 0x5429,
};

static long set_modes(struct tty *tty, unsigned command, uint64_t argument)
{
    struct termios termios;
    uint64_t flags;

    if (copy_from_user(&termios, (void __user *)argument, sizeof(termios))) {
        return -EFAULT;
    }
    flags = spin_lock_irqsave(&tty->lock);
    if (command == TCSETSF) {
        tty_flush_input(tty);
    }
    /* Bytes of an unfinished line become readable when lines no longer matter. */
    if ((tty->termios.c_lflag ^ termios.c_lflag) & ICANON) {
        tty->ready = tty->head;
    }
    tty->termios = termios;
    spin_unlock_irqrestore(&tty->lock, flags);
    wake_all(&tty->readers);
    return 0;
}

static long set_window(struct tty *tty, uint64_t argument)
{
    struct winsize size;
    bool changed;

    if (copy_from_user(&size, (void __user *)argument, sizeof(size))) {
        return -EFAULT;
    }
    changed = size.rows != tty->size.rows || size.columns != tty->size.columns;
    tty->size = size;
    if (changed && tty->foreground) {
        signal_send_group(tty->foreground, SIGWINCH);
    }
    return 0;
}

static long set_controlling(struct tty *tty, uint64_t steal)
{
    struct thread_group *group = current->group;

    if (group->tty == tty && tty->session == group->session) {
        return 0;
    }
    if (group->session != group->pid || group->tty) {
        return -EPERM;
    }
    if (tty->session && tty->session != group->session && steal != 1) {
        return -EPERM;
    }
    if (tty->session) {
        session_lose_tty(tty->session);
    }
    group->tty = tty;
    tty->session = group->session;
    tty->foreground = group->pgid;
    return 0;
}

static long give_up_controlling(struct tty *tty)
{
    struct thread_group *group = current->group;

    if (group->tty != tty) {
        return -ENOTTY;
    }
    if (group->session == group->pid) {
        pid_t foreground = tty->foreground;

        tty->session = tty->foreground = 0;
        session_lose_tty(group->session);
        if (foreground) {
            signal_send_group(foreground, SIGHUP);
            signal_send_group(foreground, SIGCONT);
        }
    } else {
        group->tty = NULL;
    }
    return 0;
}

static long set_foreground(struct tty *tty, uint64_t argument)
{
    pid_t pgid;

    if (current->group->tty != tty || tty->session != current->group->session) {
        return -ENOTTY;
    }
    if (copy_from_user(&pgid, (void __user *)argument, sizeof(pgid))) {
        return -EFAULT;
    }
    if (pgid < 0) {
        return -EINVAL;
    }
    if (!group_in_session(pgid, tty->session)) {
        return -EPERM;
    }
    tty->foreground = pgid;
    return 0;
}

/* These change the terminal, so a background group is stopped by SIGTTOU first. */
static bool changes_terminal(unsigned command)
{
    return (command >= TCSETS && command <= TCSETSF) || command == TCSBRK || command == TCFLSH ||
           command == TIOCSPGRP || command == TCXONC || command == TCSBRKP;
}

static long flush(struct tty *tty, uint64_t queue)
{
    uint64_t flags;

    if (queue > 2) {
        return -EINVAL;
    }
    if (queue != 1) { /* TCOFLUSH: output never waits here */
        flags = spin_lock_irqsave(&tty->lock);
        tty_flush_input(tty);
        spin_unlock_irqrestore(&tty->lock, flags);
    }
    return 0;
}

static long stop_or_go(struct tty *tty, uint64_t action)
{
    if (action > 3) {
        return -EINVAL;
    }
    if (action < 2) { /* TCOOFF, TCOON */
        tty->output_stop = action == 0;
        if (!tty->output_stop) {
            wake_events(&tty->writers, POLLOUT | POLLWRNORM);
        }
    }
    return 0;
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
        return copy_to_user(user, &tty->termios, sizeof(tty->termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_modes(tty, command, argument);
    case TIOCGWINSZ:
        return copy_to_user(user, &tty->size, sizeof(tty->size));
    case TIOCSWINSZ:
        return set_window(tty, argument);
    case TIOCGPGRP:
        return controls ? copy_to_user(user, &tty->foreground, sizeof(pid_t)) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(tty, argument);
    case TIOCGSID:
        return controls ? copy_to_user(user, &tty->session, sizeof(pid_t)) : -ENOTTY;
    case TIOCSCTTY:
        return set_controlling(tty, argument);
    case TIOCNOTTY:
        return give_up_controlling(tty);
    case FIONREAD:
        count = (int)(tty->ready - tty->tail);
        return copy_to_user(user, &count, sizeof(count));
    case TIOCOUTQ:
        count = 0;
        return copy_to_user(user, &count, sizeof(count));
    case TCFLSH:
        return flush(tty, argument);
    case TCXONC:
        return stop_or_go(tty, argument);
    case TCSBRK:
    case TCSBRKP:
        return 0; /* output is written out before write(2) returns */
    default:
        return -ENOTTY;
    }
}
