/*
 * The line discipline: from bytes to lines, echo, and the keys that send signals.
 *
 * Input is worked on as it arrives, in the device's interrupt, so ^C works while nobody reads.
 * A full buffer refuses bytes as long as somebody can still read from it, so nothing that is
 * typed ahead is lost; one endless line drops what does not fit, but never its end.
 */
#include "tty/tty.h"

#include "event/poll.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"

static bool tty_flag(const struct tty *tty, uint32_t bits)
{
    return tty->termios.c_lflag & bits;
}

void tty_init(struct tty *tty, const struct tty_device *device, uint64_t number)
{
    /* The defaults of Linux, tty_std_termios. */
    static const struct termios defaults = {
        .c_iflag = ICRNL | IXON, .c_oflag = OPOST | ONLCR, .c_cflag = 0x10b2 | 0200 | 0x800,
        .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
        .c_cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0},
        .c_ispeed = 115200, .c_ospeed = 115200,
    };

    *tty = (struct tty){.termios = defaults, .size = {.rows = 24, .columns = 80},
                        .device = device, .number = (uint32_t)number, .references = 1,
                        .output_room = UINT32_MAX};
    mutex_init(&tty->read_lock);
    wait_queue_init(&tty->readers);
    wait_queue_init(&tty->writers);
    wake_later_init(&tty->wake_readers, &tty->readers, true);
    wake_later_init(&tty->wake_writers, &tty->writers, false);
}

static void tty_output_byte(struct tty *tty, char byte)
{
    if (byte == '\n' && (tty->termios.c_oflag & (OPOST | ONLCR)) == (OPOST | ONLCR)) {
        tty->device->output(tty, "\r\n", 2);
    } else {
        tty->device->output(tty, &byte, 1);
    }
}

static void tty_echo(struct tty *tty, uint8_t byte)
{
    if (tty_flag(tty, ECHOCTL) && byte < 32 && byte != '\n' && byte != '\t') {
        char text[2] = {'^', (char)(byte + 64)};

        tty->device->output(tty, text, 2);
    } else {
        tty_output_byte(tty, (char)byte);
    }
}

/* Take back the last byte of the line being edited, and what echo showed of it. */
static void erase_byte(struct tty *tty)
{
    uint8_t byte = tty->input[--tty->head % TTY_BUFFER];
    int columns = (byte & 0xc0) != 0x80; /* what goes on in UTF-8 has none of its own */

    if (byte < 32 && tty_flag(tty, ECHOCTL)) {
        columns = 2; /* ^X */
    }
    while (tty_flag(tty, ECHO) && tty_flag(tty, ECHOE) && columns-- > 0) {
        tty->device->output(tty, "\b \b", 3);
    }
}

static uint8_t last_byte(const struct tty *tty)
{
    return tty->input[(tty->head - 1) % TTY_BUFFER];
}

/* The keys that edit a line. True: it was one. */
static bool edit_line(struct tty *tty, uint8_t byte)
{
    const uint8_t *cc = tty->termios.c_cc;

    if (byte == cc[VERASE] || (byte == '\b' && cc[VERASE] == 127)) {
        while (tty->head != tty->ready) {
            bool continuation = (last_byte(tty) & 0xc0) == 0x80; /* the rest of a UTF-8 letter */

            erase_byte(tty);
            if (!continuation) {
                break;
            }
        }
    } else if (byte == cc[VKILL]) {
        while (tty->head != tty->ready) {
            erase_byte(tty);
        }
    } else if (byte == cc[VWERASE] && tty_flag(tty, IEXTEN)) {
        while (tty->head != tty->ready && last_byte(tty) == ' ') {
            erase_byte(tty);
        }
        while (tty->head != tty->ready && last_byte(tty) != ' ') {
            erase_byte(tty);
        }
    } else if (byte == cc[VLNEXT] && tty_flag(tty, IEXTEN)) {
        tty->literal = true;
    } else {
        return false;
    }
    return true;
}

static void tty_store(struct tty *tty, uint8_t byte, bool end_of_file)
{
    uint32_t at = tty->head++ % TTY_BUFFER;
    uint64_t bit = 1ul << (at % 64);

    tty->input[at] = byte;
    tty->end_of_file[at / 64] = (tty->end_of_file[at / 64] & ~bit) | (end_of_file ? bit : 0);
}

void tty_flush_input(struct tty *tty)
{
    assert_held(&tty->lock);
    tty->tail = tty->ready = tty->head;
    tty_tell(tty, PACKET_FLUSHREAD, 0);
}

void tty_tell(struct tty *tty, int news, int outdated)
{
    assert_held(&tty->lock);
    if (tty->packets) {
        tty->news = (uint8_t)((tty->news & ~outdated) | news);
        tty->device->output(tty, NULL, 0); /* wakes it */
    }
}

void tty_stop_output(struct tty *tty, bool stop)
{
    if (stop != tty->output_stop) {
        tty->output_stop = stop;
        if (stop) {
            tty_tell(tty, PACKET_STOP, PACKET_START);
        } else {
            tty_tell(tty, PACKET_START, PACKET_STOP);
        }
    }
}

/* The signal that this key sends, or 0. */
static int key_signal(const struct tty *tty, uint8_t byte)
{
    const uint8_t *cc = tty->termios.c_cc;

    if (!tty_flag(tty, ISIG) || byte == 0) {
        return 0;
    }
    if (byte == cc[VINTR]) {
        return SIGINT;
    }
    if (byte == cc[VQUIT]) {
        return SIGQUIT;
    }
    return byte == cc[VSUSP] ? SIGTSTP : 0;
}

/* One byte of input, the lock held. Returns false when it must wait; *signal is to be sent. */
static bool tty_edit(struct tty *tty, uint8_t byte, int *signal)
{
    const uint8_t *cc = tty->termios.c_cc;
    uint32_t flags = tty->termios.c_iflag;
    bool canonical = tty_flag(tty, ICANON), literal = tty->literal, room, ends;

    assert_held(&tty->lock);
    room = tty->head - tty->tail < TTY_BUFFER - 1;
    if (!literal) {
        *signal = key_signal(tty, byte);
        if (*signal) {
            if (!tty_flag(tty, NOFLSH)) {
                tty_flush_input(tty);
                tty_tell(tty, PACKET_FLUSHWRITE, 0);
            }
            if (flags & IXON) {
                tty_stop_output(tty, false);
            }
            if (tty_flag(tty, ECHO)) {
                tty_echo(tty, byte);
            }
            return true;
        }
        if (flags & IXON && (byte == cc[VSTART] || byte == cc[VSTOP])) {
            tty_stop_output(tty, byte == cc[VSTOP]);
            return true;
        }
        if (byte == '\r' && flags & IGNCR) {
            return true;
        }
        if (byte == '\r' && flags & ICRNL) {
            byte = '\n';
        } else if (byte == '\n' && flags & INLCR) {
            byte = '\r';
        }
        if (canonical && byte && edit_line(tty, byte)) {
            return true;
        }
    }
    ends = canonical && !literal &&
           (byte == '\n' || byte == cc[VEOF] || (byte && (byte == cc[VEOL] || byte == cc[VEOL2])));
    if (!room && tty->tail != tty->ready) {
        return false;
    }
    tty->literal = false;
    if (!room && !ends) {
        tty->device->output(tty, "\a", 1);
        return true;
    }
    if (!room) {
        tty->head--; /* the end of a line that is too long takes the place of its last byte */
    }
    tty_store(tty, byte, ends && byte == cc[VEOF]);
    if (!(ends && byte == cc[VEOF]) &&
        (tty_flag(tty, ECHO) || (byte == '\n' && canonical && tty_flag(tty, ECHONL)))) {
        tty_echo(tty, byte);
    }
    if (!canonical || ends) {
        tty->ready = tty->head;
    }
    return true;
}

bool tty_receive(struct tty *tty, int byte)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    uint32_t ready = tty->ready;
    bool stopped = tty->output_stop;
    int signal = 0;
    bool taken = tty_edit(tty, (uint8_t)byte, &signal);
    pid_t group = tty->foreground;
    bool more = tty->ready != ready, resumed = stopped && !tty->output_stop;

    tty->held |= !taken;
    spin_unlock_irqrestore(&tty->lock, flags);
    if (signal && group) {
        signal_send_group_at_once(group, signal);
    }
    if (more) {
        wake_in_turns(&tty->wake_readers, POLLIN | POLLRDNORM);
    }
    if (resumed) {
        wake_in_turns(&tty->wake_writers, POLLOUT | POLLWRNORM);
    }
    return taken;
}

/* Take what a read may have, at most `size`. -EAGAIN: nothing yet. The lock is held. */
static ssize_t tty_take(struct tty *tty, char *buffer, size_t size)
{
    size_t done = 0;

    assert_held(&tty->lock);
    if (tty->tail == tty->ready) {
        return -EAGAIN;
    }
    while (done < size && tty->tail != tty->ready) {
        uint32_t at = tty->tail % TTY_BUFFER;
        bool end_of_file = tty->end_of_file[at / 64] >> (at % 64) & 1;

        tty->tail++;
        if (end_of_file) {
            break;
        }
        buffer[done++] = (char)tty->input[at];
        if (tty_flag(tty, ICANON) && tty->input[at] == '\n') {
            break;
        }
    }
    return (ssize_t)done;
}

void tty_resume_input(struct tty *tty)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    bool resume = tty->held;

    tty->held = false;
    spin_unlock_irqrestore(&tty->lock, flags);
    if (resume) {
        tty->device->resume_input(tty);
    }
}

static ssize_t take_and_resume(struct tty *tty, char *buffer, size_t size)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    ssize_t done = tty_take(tty, buffer, size);
    bool resume = tty->held;

    assert_held(&tty->read_lock);
    spin_unlock_irqrestore(&tty->lock, flags);
    if (resume) {
        tty_resume_input(tty);
    }
    return done;
}

/* Sleep until there is input, or the time is over that VMIN and VTIME give. */
static long tty_wait_for_input(struct tty *tty, size_t have)
{
    const uint8_t *cc = tty->termios.c_cc;
    ktime_t deadline = KTIME_NEVER;

    if (!tty_flag(tty, ICANON)) {
        if (have >= cc[VMIN] && (have > 0 || cc[VTIME] == 0)) {
            return -ETIMEDOUT;
        }
        if (cc[VTIME] && (have > 0 || cc[VMIN] == 0)) {
            deadline = clock_now() + cc[VTIME] * 100000000l;
        }
    }
    return wait_event_timeout(&tty->readers, WAIT_TTY_READ, 0,
                              tty->tail != tty->ready || tty->hung_up, deadline);
}

/*
 * Take a line, or what there is, at most `size`, after `*done` bytes, which it counts on. 1: a line,
 * an end of file or a piece that is long enough ends the read. 0: nothing more now. Or -EFAULT.
 */
static long read_some(struct tty *tty, char __user *buffer, size_t size, size_t *done)
{
    char part[256];
    ssize_t taken = 0;
    long result = 0;

    mutex_lock(&tty->read_lock);
    while (!result && *done < size) {
        size_t want = size - *done < sizeof(part) ? size - *done : sizeof(part);

        taken = take_and_resume(tty, part, want);
        if (taken < 0) {
            break;
        }
        if (copy_to_user(buffer + *done, part, (size_t)taken)) {
            result = -EFAULT;
            break;
        }
        *done += (size_t)taken;
        result = taken == 0 || (tty_flag(tty, ICANON) && part[taken - 1] == '\n') ||
                 (!tty_flag(tty, ICANON) && *done >= tty->termios.c_cc[VMIN] &&
                  tty->tail == tty->ready);
    }
    mutex_unlock(&tty->read_lock);
    return result;
}

static ssize_t tty_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct tty *tty = file->data;
    size_t done = 0;
    long error = 0;

    (void)position;
    while (done < size && !error) {
        long ended;

        if (tty->hung_up) {
            return (ssize_t)done;
        }
        /* Who is killed takes nothing along that another one can have. */
        error = signal_kill_pending(current) ? -EINTR : tty_check_foreground(tty, SIGTTIN);
        if (error) {
            break;
        }
        ended = read_some(tty, buffer, size, &done);
        if (ended < 0) {
            done = 0;
            error = ended;
        }
        if (ended || done == size || (tty_flag(tty, ICANON) && done)) {
            break;
        }
        error = file->flags & O_NONBLOCK ? -EAGAIN : tty_wait_for_input(tty, done);
        error = !error && tty->hung_up ? -EIO : error; /* while it waited */
    }
    /* What came woke one reader. If it leaves some of it, or all, it is another one's turn. */
    if (tty->tail != tty->ready) {
        wake_next(&tty->readers);
    }
    return done || error == -ETIMEDOUT ? (ssize_t)done : error;
}

/* Is it not stopped, and is there room for what a line's end may become? */
static bool tty_takes_output(const struct tty *tty)
{
    return !tty->output_stop && tty->output_room >= 2;
}

/* Put out what may go now; how many bytes. */
static size_t write_some(struct tty *tty, const char *part, size_t size)
{
    uint64_t flags = spin_lock_irqsave(&tty->lock);
    size_t i = 0;

    while (i < size && tty_takes_output(tty)) {
        size_t plain = 0;

        while (i + plain < size && plain < tty->output_room && part[i + plain] != '\n') {
            plain++;
        }
        if (plain > 0) {
            tty->device->output(tty, part + i, plain);
            i += plain;
        } else {
            tty_output_byte(tty, '\n');
            i++;
        }
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    return i;
}

static ssize_t tty_write(struct file *file, const char __user *buffer, size_t size,
                         off_t *position)
{
    struct tty *tty = file->data;
    char part[256];
    size_t done = 0;

    (void)position;
    if (tty_flag(tty, TOSTOP)) {
        long error = tty_check_foreground(tty, SIGTTOU);

        if (error) {
            return error;
        }
    }
    while (done < size && !(done && signal_pending(current))) { /* who reads may be fast: we never wait then */
        size_t now = size - done < sizeof(part) ? size - done : sizeof(part);
        long error = copy_from_user(part, buffer + done, now);

        error = !error && tty->hung_up ? -EIO : error;
        if (!error) {
            now = write_some(tty, part, now);
            done += now;
        }
        if (!error && !now) {
            error = file_wait(file->flags, &tty->writers, WAIT_TTY_WRITE, 0,
                              tty_takes_output(tty) || tty->hung_up);
        }
        if (error) {
            return done ? (ssize_t)done : error;
        }
    }
    return (ssize_t)done;
}

static int tty_poll(struct file *file, struct poll_table *table)
{
    struct tty *tty = file->data;
    const uint8_t *cc = tty->termios.c_cc;
    /* Raw and without a time limit, a read waits for VMIN bytes: so does poll. */
    uint32_t wanted = !tty_flag(tty, ICANON) && !cc[VTIME] && cc[VMIN] ? cc[VMIN] : 1;

    uint64_t flags;
    int events = 0;

    poll_wait(table, &tty->readers);
    poll_wait(table, &tty->writers);
    flags = spin_lock_irqsave(&tty->lock);
    if (tty->ready - tty->tail >= wanted) {
        events |= POLLIN | POLLRDNORM;
    }
    if (tty_takes_output(tty)) {
        events |= POLLOUT | POLLWRNORM;
    }
    if (tty->hung_up) {
        events |= POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
    }
    spin_unlock_irqrestore(&tty->lock, flags);
    return events;
}

static long file_tty_ioctl(struct file *file, unsigned command, uint64_t argument)
{
    struct tty *tty = file->data;

    return tty->hung_up ? -EIO : tty_ioctl(tty, command, argument);
}

const struct file_ops tty_file_ops = {
    .open = tty_open, .read = tty_read, .write = tty_write, .ioctl = file_tty_ioctl,
    .poll = tty_poll, .release = tty_release,
};
