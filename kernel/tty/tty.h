/*
 * Terminals: a line discipline between a device and its readers (termios(3)).
 *
 * The device calls tty_receive for each byte that comes in, and gives a function for bytes that
 * go out. The console is one tty on serial port 0, the screen and the keyboard; the wire to
 * tools/run is another on serial port 1; and behind each one of /dev/pts is a program (pty.c).
 */
#ifndef TTY_TTY_H
#define TTY_TTY_H
#include "arch/spinlock.h"
#include "fs/file.h"
#include "lib/refcount.h"
#include "sched/wait.h"

/* struct termios2 of asm-generic/termbits.h, ioctl_tty(2); struct termios is the same without the speeds. */
struct termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line, c_cc[19];
    uint32_t c_ispeed, c_ospeed; /* bits a second: what c_cflag says, in numbers. Nothing here goes by them */
};

enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN, VSWTC, VSTART, VSTOP, VSUSP, VEOL,
       VREPRINT, VDISCARD, VWERASE, VLNEXT, VEOL2 };
enum { INLCR = 0100, IGNCR = 0200, ICRNL = 0400, IXON = 02000 };
enum { OPOST = 1, ONLCR = 4 };
enum { ISIG = 1, ICANON = 2, ECHO = 010, ECHOE = 020, ECHOK = 040, ECHONL = 0100, NOFLSH = 0200,
       TOSTOP = 0400, ECHOCTL = 01000, ECHOKE = 04000, IEXTEN = 0100000 };

struct winsize {
    uint16_t rows, columns, width, height;
};

#define TTY_BUFFER 4096

/* What a program behind a terminal is told in packet mode (TIOCPKT of ioctl_tty(2)). */
enum { PACKET_FLUSHREAD = 1, PACKET_FLUSHWRITE = 2, PACKET_STOP = 4, PACKET_START = 8,
       PACKET_NOSTOP = 16, PACKET_DOSTOP = 32 };

struct tty;

struct tty_device {
    /* At most `output_room` bytes; the terminal's lock is held. */
    void (*output)(struct tty *tty, const char *bytes, size_t size);
    void (*resume_input)(struct tty *tty); /* deliver what tty_receive refused */
    /* Nobody has it open any more; may be missing. */
    void (*closed)(struct tty *tty);
    void (*free)(struct tty *tty); /* the last reference is gone */
};

struct tty {
    /* Protects all below but `read_lock` and what is never changed; taken by interrupts. Single
     * words are looked at without it where a stale one does no harm. Below it: tasks_lock, the
     * device. */
    struct spinlock lock;
    struct termios termios;
    struct winsize size;
    /* A ring. [tail, ready) may be read; [ready, head) is the line being edited. */
    uint8_t input[TTY_BUFFER];
    uint64_t end_of_file[TTY_BUFFER / 64]; /* this byte is a ^D: it ends a read, and is not seen */
    uint32_t head, ready, tail;
    bool held;        /* a byte was refused: ask the device again when there is room */
    bool literal;     /* ^V: take the next byte as it is */
    bool output_stop; /* ^S */
    bool packets;     /* the program behind it wants to be told */
    uint8_t news;     /* PACKET_*: what it was not told yet */
    bool alone;       /* open once at a time; never changed */
    bool hung_up;     /* its device is gone for ever: reads end, and nothing else can be done with it */
    int users;        /* open files */
    uint32_t output_room;      /* what the device takes now; more than there will ever be, if it waits */
    int references;            /* atomic: open files and the device */
    uint32_t number;           /* the device's, for ps */
    pid_t session, foreground; /* 0: none */
    struct mutex read_lock;    /* one reader takes at a time, so a line has one reader */
    struct wait_queue readers, writers;
    struct wake_later wake_readers, wake_writers;
    const struct tty_device *device;
};

/* With one reference, the device's. */
void tty_init(struct tty *tty, const struct tty_device *device, uint64_t number);
static inline void tty_put(struct tty *tty)
{
    if (ref_put(&tty->references)) {
        tty->device->free(tty);
    }
}
/* Take one byte from the device. False: no room now, keep it. Any context. */
bool tty_receive(struct tty *tty, int byte);
/* The terminal's ioctls (ioctl_tty(2)); -ENOTTY for others. tty_ioctl.c */
long tty_ioctl(struct tty *tty, unsigned command, uint64_t argument);
/* The lock of all three is held. Throw away what was not read. */
void tty_flush_input(struct tty *tty);
/* Stop output, or let it go on. Then who waits in `writers` is to be woken. */
void tty_stop_output(struct tty *tty, bool stop);
/* In packet mode: tell the program behind it `news` (PACKET_*), and no longer `outdated`. */
void tty_tell(struct tty *tty, int news, int outdated);
/* There is room again for what was refused. */
void tty_resume_input(struct tty *tty);

/* tty_session.c: whose it is. */
/* file_ops of all terminals; tty_open where file->data is the terminal. -EBUSY, -EIO: hung up. */
long tty_open(struct file *file);
void tty_release(struct file *file);
/* The terminal of the current process, referenced, or NULL. Takes tasks_lock. */
struct tty *tty_get_own(void);
/* TIOCSCTTY, TIOCNOTTY, TIOCSPGRP of ioctl_tty(2). */
long tty_set_controlling(struct tty *tty, uint64_t steal);
long tty_give_up(struct tty *tty);
long tty_set_foreground(struct tty *tty, uint64_t argument);
/* Its device goes: its session loses it, and nobody can use it any more. */
void tty_hang_up(struct tty *tty);
/* The current process, the leader of a session, ends, and its session loses its terminal. */
void tty_leader_ends(void);
/* May the current task do this to its terminal? 0, or -ERESTARTSYS after `signal` was sent, -EIO. */
long tty_check_foreground(struct tty *tty, int signal);
extern const struct file_ops tty_file_ops;     /* of a node whose data is the terminal */
extern const struct file_ops tty_own_file_ops; /* of /dev/tty: the session's */

/* Register /dev/console, ttyS0, ttyS1, tty and connect the devices. */
void console_init(void);
/* Register /dev/ptmx, and the terminals of /dev/pts. Before /dev is filled; once it is: make pts. */
void pty_init(void);
void pty_fill(struct inode *devices);
#endif
