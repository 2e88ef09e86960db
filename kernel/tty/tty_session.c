/*
 * Whose a terminal is: opening it, the session that it controls, the group in the foreground, and
 * what happens when it is gone (credentials(7), ioctl_tty(2)).
 *
 * A process knows its terminal by a pointer without a reference (group->tty, tasks_lock): before a
 * terminal is freed, it is hung up, and no process has it after that.
 */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "sched/group.h"
#include "sched/signal.h"
#include "sched/task.h"
#include "tty/tty.h"

/* The current session, whose leader calls, gets the terminal. -EPERM: it has one, or this one is
 * another session's, and is not to be stolen. */
static long tty_set_session(struct tty *tty, bool steal)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    pid_t lost = 0;
    long error = 0;

    if (tty->hung_up) {
        error = -EIO;
    } else if (tty->session && tty->session != group->session && !steal) {
        error = -EPERM;
    } else if (!session_take_tty(tty)) {
        error = -EPERM;
    } else {
        lost = tty->session != group->session ? tty->session : 0;
        tty->session = group->session;
        tty->foreground = group->pgid;
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    if (lost) {
        session_lose_tty(lost);
    }
    return error;
}

/* The session has no terminal any more. Its foreground hears of it, and goes on if it was stopped; not when the
 * leader's end is the cause (`ends`): then orphans_go_on looks whether somebody is left to continue it. */
static void tty_lose_session(struct tty *tty, pid_t session, bool ends)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    pid_t foreground = 0;

    if (tty->session == session) {
        foreground = tty->foreground;
        tty->session = tty->foreground = 0;
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    session_lose_tty(session);
    if (foreground) {
        signal_send_group(foreground, SIGHUP);
    }
    if (foreground && !ends) {
        signal_send_group(foreground, SIGCONT);
    }
}

void tty_hang_up(struct tty *tty)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    pid_t session = tty->session; /* if its leader ends just now, there is none any more */

    tty->hung_up = true;
    spin_unlock_irqrestore(&tty->lock, flags);
    wake_all(&tty->readers);
    wake_all(&tty->writers);
    if (session) {
        (void)signal_kill(session, SIGHUP);
        tty_lose_session(tty, session, false);
    }
}

void tty_leader_ends(void)
{
    struct tty *tty = tty_get_own();

    if (tty) {
        tty_lose_session(tty, current->group->session, true);
        tty_put(tty);
    }
}

long tty_set_controlling(struct tty *tty, uint64_t steal)
{
    return current->group->tty == tty ? 0 : tty_set_session(tty, steal == 1);
}

long tty_give_up(struct tty *tty)
{
    struct thread_group *group = current->group;

    if (group->tty != tty) {
        return -ENOTTY;
    }
    if (group->session == group->pid) {
        tty_lose_session(tty, group->session, false);
    } else {
        group_leave_tty();
    }
    return 0;
}

long tty_set_foreground(struct tty *tty, uint64_t argument)
{
    long error = 0;
    uint64_t flags;
    pid_t pgid;

    if (copy_from_user(&pgid, (void __user *)argument, sizeof(pgid))) {
        return -EFAULT;
    }
    if (pgid < 0) {
        return -EINVAL;
    }
    flags = spin_lock_irqsave(&tty->lock);
    if (current->group->tty != tty || tty->session != current->group->session) {
        error = -ENOTTY;
    } else {
        error = group_check_session(pgid, tty->session);
    }
    if (!error) {
        tty->foreground = pgid;
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    return error;
}

long tty_check_foreground(struct tty *tty, int signal)
{
    struct thread_group *group = current->group;
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    bool background = tty->session == group->session && tty->foreground != 0 &&
                      tty->foreground != group->pgid;

    spin_unlock_irqrestore(&tty->lock, flags);
    if (!background) {
        return 0;
    }
    if (signal_ignored(current, signal)) {
        return signal == SIGTTIN ? -EIO : 0;
    }
    if (group_orphaned(group->pgid)) {
        return -EIO;
    }
    signal_send_group(group->pgid, signal);
    return -ERESTARTSYS;
}

struct tty *tty_get_own(void)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock);
    struct tty *tty = current->group->tty;

    if (tty) {
        ref_get(&tty->references);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    return tty;
}

long tty_open(struct file *file)
{
    struct tty *tty = file->data;
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    long error = tty->hung_up ? -EIO : 0;

    if (tty->alone && tty->users) {
        error = -EBUSY;
    }
    if (!error) {
        ref_get(&tty->references);
        tty->users++;
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    /* A session leader without a terminal gets this one, if it is free (credentials(7)). */
    if (!error && !(file->flags & O_NOCTTY)) {
        (void)tty_set_session(tty, false);
    }
    return error;
}

void tty_release(struct file *file)
{
    struct tty *tty = file->data;
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    bool last = --tty->users == 0;

    spin_unlock_irqrestore(&tty->lock, flags);
    if (last && tty->device->closed) {
        tty->device->closed(tty);
    }
    tty_put(tty);
}

static long tty_open_own(struct file *file)
{
    struct tty *tty = tty_get_own();
    long error;

    if (!tty) {
        return -ENXIO;
    }
    file->data = tty;
    file->ops = &tty_file_ops;
    error = tty_open(file);
    tty_put(tty);
    return error;
}

const struct file_ops tty_own_file_ops = {.open = tty_open_own};
