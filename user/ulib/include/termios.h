#ifndef ULIB_TERMIOS_H
#define ULIB_TERMIOS_H
#include <sys/types.h>
enum { NCCS = 32 };
typedef unsigned tcflag_t;
struct termios {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    unsigned char c_line, c_cc[NCCS];
    unsigned c_ispeed, c_ospeed;
};
enum { VINTR, VQUIT, VERASE, VKILL, VEOF, VTIME, VMIN };
enum { ICRNL = 0400, IXON = 02000, OPOST = 1, ONLCR = 4 };
enum { ISIG = 1, ICANON = 2, ECHO = 010, IEXTEN = 0100000 };
enum { TCSANOW, TCSADRAIN, TCSAFLUSH };
int tcgetattr(int fd, struct termios *termios);
int tcsetattr(int fd, int action, const struct termios *termios);
int tcdrain(int fd);
#endif
