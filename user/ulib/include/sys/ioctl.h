#ifndef ULIB_SYS_IOCTL_H
#define ULIB_SYS_IOCTL_H
enum { TIOCSCTTY = 0x540e, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414,
       FIONREAD = 0x541b, FIONBIO = 0x5421 };
struct winsize {
    unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};
int ioctl(int fd, unsigned long request, ...);
#endif
