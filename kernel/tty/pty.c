/*
 * Pseudo-terminals (pty(7), pts(4)): a terminal whose device is a program, as tmux and script(1) are.
 *
 * Opening /dev/ptmx makes one. What the program writes there is typed at the terminal /dev/pts/N;
 * what is written to the terminal waits in `output` until the program reads it. If the program
 * closes its end, the terminal hangs up; if nobody has the terminal open any more, the program
 * reads what is left and then EIO, until somebody opens it again. In packet mode (TIOCPKT) each
 * read begins with a byte: 0 before output, or, alone, what happened at the terminal.
 */
#include "event/poll.h"
#include "fs/device.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"
#include "tty/tty.h"

#define PTYS_MAX 64
#define PTY_OUTPUT 2048
#define PTMX_MAJOR 5 /* Linux: devices.txt */
#define PTMX_MINOR 2
#define PTS_MAJOR 136

enum {
    TIOCGPGRP = 0x540f, TIOCGSID = 0x5429, TIOCGPTN = 0x80045430, TIOCSPTLCK = 0x40045431,
    TIOCGPTLCK = 0x80045439, TIOCGPTPEER = 0x5441, TIOCPKT = 0x5420, TIOCGPKT = 0x80045438,
};

struct pty {
    struct tty tty;     /* its lock protects the rest, but for what is never changed */
    struct inode *node; /* in /dev/pts */
    int number;
    bool locked; /* nobody may open it yet: unlockpt(3) */
    bool opened; /* once: nobody having it open means something then */
    uint32_t head, tail; /* of `output`: [tail, head) is to be read */
    char output[PTY_OUTPUT];
    struct wait_queue readers, writers; /* at the program's end */
    struct wake_later wake_readers;
};

static struct spinlock ptys_lock = SPINLOCK_INIT; /* protects ptys; a leaf */
static struct pty *ptys[PTYS_MAX];                /* whose program's end is open */
static struct inode *pts;                         /* the directory; who opens /dev/ptmx alone changes it */
static const struct inode_ops *pts_writer;        /* by these; its own have nothing that changes it */

static bool pty_ended(const struct pty *pty)
{
    return pty->opened && !pty->tty.users;
}

static bool pty_readable(const struct pty *pty)
{
    return pty->head != pty->tail || pty->tty.news;
}

static void pty_output(struct tty *tty, const char *bytes, size_t size)
{
    struct pty *pty = container_of(tty, struct pty, tty);

    assert_held(&tty->lock);
    for (size_t i = 0; i < size && tty->output_room > 0; i++, tty->output_room--) {
        pty->output[pty->head++ % PTY_OUTPUT] = bytes[i];
    }
    wake_in_turns(&pty->wake_readers, POLLIN | POLLRDNORM | POLLPRI);
}

static void pty_resume(struct tty *tty)
{
    wake_events(&container_of(tty, struct pty, tty)->writers, POLLOUT | POLLWRNORM);
}

static void pty_closed(struct tty *tty)
{
    wake_all(&container_of(tty, struct pty, tty)->readers);
}

static void pty_free(struct tty *tty)
{
    struct pty *pty = container_of(tty, struct pty, tty);

    wake_later_cancel(&tty->wake_readers);
    wake_later_cancel(&tty->wake_writers);
    wake_later_cancel(&pty->wake_readers);
    kfree(pty);
}

/* A free number for it, or -ENOSPC. */
static int pty_enter(struct pty *pty)
{
    int number = 0;

    spin_lock(&ptys_lock);
    while (number < PTYS_MAX && ptys[number]) {
        number++;
    }
    if (number < PTYS_MAX) {
        ptys[number] = pty;
    }
    spin_unlock(&ptys_lock);
    return number < PTYS_MAX ? number : -ENOSPC;
}

static void pty_leave(struct pty *pty)
{
    spin_lock(&ptys_lock);
    ptys[pty->number] = NULL;
    spin_unlock(&ptys_lock);
}

static long pty_open(struct file *file)
{
    static const struct tty_device device = {
        .output = pty_output, .resume_input = pty_resume, .closed = pty_closed, .free = pty_free,
    };
    struct pty *pty = kzalloc(sizeof(*pty));
    uint64_t rdev;
    char name[8];
    long error;

    if (!pty) {
        return -ENOMEM;
    }
    wait_queue_init(&pty->readers);
    wait_queue_init(&pty->writers);
    wake_later_init(&pty->wake_readers, &pty->readers, false);
    error = pty->number = pty_enter(pty);
    if (error < 0) {
        goto out_free;
    }
    rdev = device_number(PTS_MAJOR, (uint32_t)pty->number);
    tty_init(&pty->tty, &device, rdev);
    pty->tty.size = (struct winsize){0};
    pty->tty.termios.c_cflag = 0277; /* as Linux's: 8 bits, and this speed */
    pty->tty.termios.c_ispeed = pty->tty.termios.c_ospeed = 38400;
    pty->tty.output_room = PTY_OUTPUT;
    pty->locked = true;
    snprintf(name, sizeof(name), "%d", pty->number);
    pty->node = pts_writer->create(pts, name, S_IFCHR | 0620, rdev);
    if (is_error(pty->node)) {
        error = pointer_error(pty->node);
        goto out_leave;
    }
    file->data = pty;
    return 0;

out_leave:
    pty_leave(pty);
out_free:
    kfree(pty);
    return error;
}

static void pty_release(struct file *file)
{
    struct pty *pty = file->data;
    char name[8];

    snprintf(name, sizeof(name), "%d", pty->number);
    (void)pts_writer->unlink(pts, name, false);
    inode_put(pty->node);
    pty_leave(pty);
    tty_hang_up(&pty->tty);
    tty_put(&pty->tty);
}

static size_t pty_take(struct pty *pty, char *buffer, size_t size)
{
    uint64_t flags = spin_lock_irqsave(&pty->tty.lock);
    size_t done = 0;
    uint32_t tail = pty->tail;

    if (pty->tty.packets && pty_readable(pty)) {
        buffer[done++] = (char)pty->tty.news;
        size = pty->tty.news ? 1 : size;
        pty->tty.news = 0;
    }
    while (done < size && pty->tail != pty->head) {
        buffer[done++] = pty->output[pty->tail++ % PTY_OUTPUT];
    }
    pty->tty.output_room += pty->tail - tail;
    spin_unlock_irqrestore(&pty->tty.lock, flags);
    if (done) {
        wake_events(&pty->tty.writers, POLLOUT | POLLWRNORM);
    }
    return done;
}

static ssize_t pty_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct pty *pty = file->data;
    size_t done = 0, taken;
    char part[256];
    long error = 0;

    (void)position;
    while (done < size && !error) {
        taken = pty_take(pty, part, size - done < sizeof(part) ? size - done : sizeof(part));
        if (taken) {
            error = copy_to_user(buffer + done, part, taken);
            done += error ? 0 : taken;
            if (pty->tty.packets) {
                break;
            }
        } else if (done) {
            break;
        } else if (pty_ended(pty)) {
            error = -EIO;
        } else {
            error = file_wait(file->flags, &pty->readers, WAIT_TTY_READ, pty->number,
                              pty_readable(pty) || pty_ended(pty));
        }
    }
    return done ? (ssize_t)done : error;
}

/* Type them; how many the terminal has taken. */
static size_t pty_type(struct pty *pty, const char *bytes, size_t size)
{
    size_t done = 0;

    while (done < size && tty_receive(&pty->tty, (uint8_t)bytes[done])) {
        done++;
    }
    return done;
}

static ssize_t pty_write(struct file *file, const char __user *buffer, size_t size,
                         off_t *position)
{
    struct pty *pty = file->data;
    size_t done = 0;
    char part[256];
    long error = 0;

    (void)position;
    while (done < size && !error && !(done && signal_pending(current))) { /* all may be thrown away */
        size_t now = size - done < sizeof(part) ? size - done : sizeof(part), taken;

        error = copy_from_user(part, buffer + done, now);
        taken = error ? 0 : pty_type(pty, part, now);
        done += taken;
        if (!error && taken < now) {
            error = file_wait(file->flags, &pty->writers, WAIT_TTY_WRITE, pty->number,
                              !pty->tty.held);
        }
    }
    return done ? (ssize_t)done : error;
}

static int pty_poll(struct file *file, struct poll_table *table)
{
    struct pty *pty = file->data;
    int events = 0;

    poll_wait(table, &pty->readers);
    poll_wait(table, &pty->writers);
    if (pty_readable(pty)) {
        events |= POLLIN | POLLRDNORM | (pty->tty.news ? POLLPRI : 0);
    }
    if (!pty->tty.held) {
        events |= POLLOUT | POLLWRNORM;
    }
    return pty_ended(pty) ? events | POLLHUP : events;
}

static long pty_ioctl(struct file *file, unsigned command, uint64_t argument)
{
    struct pty *pty = file->data;
    uint64_t flags;
    int value;

    switch (command) {
    case TIOCGPTN:
        value = pty->number;
        break;
    case TIOCSPTLCK:
    case TIOCPKT:
        if (copy_from_user(&value, (void __user *)argument, sizeof(value))) {
            return -EFAULT;
        }
        if (command == TIOCSPTLCK) {
            pty->locked = value;
            return 0;
        }
        flags = spin_lock_irqsave(&pty->tty.lock);
        pty->tty.news = value && pty->tty.packets ? pty->tty.news : 0;
        pty->tty.packets = value;
        spin_unlock_irqrestore(&pty->tty.lock, flags);
        return 0;
    case TIOCGPKT:
        value = pty->tty.packets;
        break;
    case TIOCGPTLCK:
        value = pty->locked;
        break;
    case TIOCGPTPEER:
        return fd_install_new(file_open_inode(pty->node, (int)argument), argument & O_CLOEXEC);
    case TIOCGPGRP: /* as the terminal's own users see it */
        value = pty->tty.foreground;
        break;
    case TIOCGSID:
        value = pty->tty.session;
        break;
    case FIONREAD:
        value = (int)(pty->head - pty->tail);
        break;
    default:
        return tty_ioctl(&pty->tty, command, argument);
    }
    return copy_to_user((void __user *)argument, &value, sizeof(value));
}

static long pts_open(struct file *file)
{
    uint32_t number = device_minor(file->inode->rdev);
    struct pty *pty;
    long error = -EIO;

    spin_lock(&ptys_lock);
    pty = number < PTYS_MAX ? ptys[number] : NULL;
    if (pty) {
        ref_get(&pty->tty.references);
    }
    spin_unlock(&ptys_lock);
    if (!pty) {
        return error;
    }
    if (!pty->locked) {
        file->data = &pty->tty;
        file->ops = &tty_file_ops;
        error = tty_open(file);
    }
    pty->opened |= !error;
    tty_put(&pty->tty);
    return error;
}

void pty_init(void)
{
    static const struct file_ops master_ops = {
        .open = pty_open, .read = pty_read, .write = pty_write, .ioctl = pty_ioctl,
        .poll = pty_poll, .release = pty_release,
    };
    static const struct file_ops pts_ops = {.open = pts_open};

    device_register(PTMX_MAJOR, PTMX_MINOR, "ptmx", 0666, &master_ops, NULL);
    device_register(PTS_MAJOR, 0, NULL, 0, &pts_ops, NULL);
}

void pty_fill(struct inode *devices)
{
    static struct inode_ops reader;

    pts = devices->ops->create(devices, "pts", S_IFDIR | 0755, 0);
    assert(!is_error(pts));
    pts_writer = pts->ops;
    reader = *pts_writer;
    reader.create = NULL;
    reader.symlink = NULL;
    reader.link = NULL;
    reader.unlink = NULL;
    reader.rename = NULL;
    pts->ops = &reader;
}
