/* socket(7): what the kernel has is AF_UNIX. */
#ifndef ULIB_SYS_SOCKET_H
#define ULIB_SYS_SOCKET_H
#include <sys/types.h>
#include <sys/uio.h>
typedef unsigned socklen_t;
typedef unsigned short sa_family_t;
struct sockaddr {
    sa_family_t sa_family;
    char sa_data[14];
};
struct sockaddr_storage {
    sa_family_t ss_family;
    char __padding[118];
    unsigned long __align;
};
struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};
struct cmsghdr {
    size_t cmsg_len;
    int cmsg_level, cmsg_type;
};
#define CMSG_ALIGN(size) (((size) + 7) & ~7ul)
#define CMSG_SPACE(size) (sizeof(struct cmsghdr) + CMSG_ALIGN(size))
#define CMSG_LEN(size) (sizeof(struct cmsghdr) + (size))
#define CMSG_DATA(message) ((unsigned char *)((message) + 1))
#define CMSG_FIRSTHDR(header)                                                            \
    ((header)->msg_controllen >= sizeof(struct cmsghdr) ? (struct cmsghdr *)(header)->msg_control \
                                                        : (struct cmsghdr *)0)
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS };
struct ucred {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};
enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_LOCAL = 1, PF_UNIX = 1 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_SEQPACKET = 5 };
enum { SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000 };
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };
enum {
    MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_CMSG_CLOEXEC = 0x40000000, MSG_DONTWAIT = 0x40,
    MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000,
};
enum {
    SOL_SOCKET = 1, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_BROADCAST = 6, SO_SNDBUF, SO_RCVBUF,
    SO_KEEPALIVE, SO_PASSCRED = 16, SO_PEERCRED, SO_RCVTIMEO = 20, SO_SNDTIMEO, SO_ACCEPTCONN = 30, SO_PROTOCOL = 38,
    SO_DOMAIN = 39,
};
#define SOMAXCONN 4096
int socket(int family, int type, int protocol);
int socketpair(int family, int type, int protocol, int fds[2]);
int bind(int fd, const struct sockaddr *address, socklen_t size);
int listen(int fd, int backlog);
int connect(int fd, const struct sockaddr *address, socklen_t size);
int accept(int fd, struct sockaddr *address, socklen_t *size);
int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags);
int shutdown(int fd, int how);
int getsockname(int fd, struct sockaddr *address, socklen_t *size);
int getpeername(int fd, struct sockaddr *address, socklen_t *size);
ssize_t send(int fd, const void *buffer, size_t size, int flags);
ssize_t recv(int fd, void *buffer, size_t size, int flags);
ssize_t sendto(int fd, const void *buffer, size_t size, int flags, const struct sockaddr *address,
               socklen_t address_size);
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                 socklen_t *address_size);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvmsg(int fd, struct msghdr *message, int flags);
int getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int setsockopt(int fd, int level, int option, const void *value, socklen_t size);
#endif
