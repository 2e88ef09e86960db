/*
 * Terminals: a line discipline between a device and its readers (termios(3)).
 *
 * The device calls tty_receive for each byte that comes in, and gives a function for bytes that
 * go out. The console is one tty on serial port 0, the screen and the keyboard; the wire to
 * tools/run is another on serial port 1.
 */
#ifndef TTY_TTY_H
#define TTY_TTY_H
#include "arch/spinlock.h"
#include "fs/file.h"
#include "sched/wait.h"

/* The kernel's struct termios, asm-generic/termbits.h: 36 bytes. */
struct termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line, c_cc[19];
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
    bool alone, opened; /* open once at a time; is so. For ever `alone`, `opened` is an atomic */
    pid_t session, foreground; /* 0: none */
    struct mutex read_lock;    /* one reader takes at a time, so a line has one reader */
    struct wait_queue readers, writers;
    struct wake_later wake_readers, wake_writers;
    void (*output)(const char *bytes, size_t size);
    void (*resume_input)(void); /* deliver what tty_receive refused */
};

void tty_init(struct tty *tty, void (*output)(const char *, size_t), void (*resume_input)(void));
/* Take one byte from the device; interrupts off. False: no room now, keep it. */
bool tty_receive(struct tty *tty, int byte);
/* The terminal's ioctls (ioctl_tty(2)); -ENOTTY for others. tty_ioctl.c */
long tty_ioctl(struct tty *tty, unsigned command, uint64_t argument);
/* Throw away what was not read. The lock is held. */
void tty_flush_input(struct tty *tty);
/* The current session, whose leader calls, gets the terminal. -EPERM: it has one, or this one is
 * another session's, and is not to be stolen. */
long tty_set_session(struct tty *tty, bool steal);
/* The current session loses the terminal, which is told to its foreground group. */
void tty_hang_up(struct tty *tty);
/* May the current task do this to its terminal? 0, or -ERESTARTSYS after `signal` was sent, -EIO. */
long tty_check_foreground(struct tty *tty, int signal);
extern const struct file_ops tty_file_ops;     /* of a node whose data is the terminal */
extern const struct file_ops tty_own_file_ops; /* of /dev/tty: the session's */

/* Register /dev/console, ttyS0, ttyS1, tty and connect the devices. */
void console_init(void);
#endif
