/* Who we are, in uname(2) and /proc. The release is that of the Linux whose ABI this is. */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H
#define SYSTEM_NAME "Linux"
#define SYSTEM_RELEASE "6.1.0-baton"
#define SYSTEM_HOST "baton"
#endif
