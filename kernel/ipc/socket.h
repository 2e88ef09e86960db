/*
 * Sockets of this machine (unix(7)): AF_UNIX, SOCK_STREAM.
 *
 * A connected socket owns the ring of what its peer has sent, and a reference to the peer:
 *
 *     file --> socket A [ring: B's bytes]  --peer-->  socket B [ring: A's bytes] <-- file
 *                                         <--peer--
 *
 * The peer is set once, before `state` says so, and stays until the socket's last file is closed,
 * so operations of its files need no lock to follow it. The circle is broken by closing.
 */
#ifndef IPC_SOCKET_H
#define IPC_SOCKET_H
#include "fs/file.h"
#include "ipc/ring.h"
#include "sched/wait.h"

/* socket(2), send(2), recv(2), shutdown(2) */
enum { AF_UNIX = 1, SOCK_STREAM = 1 };
enum {
    MSG_OOB = 1, MSG_PEEK = 2, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000,
};
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

enum socket_state { SOCKET_UNCONNECTED, SOCKET_LISTENING, SOCKET_CONNECTED };

/* Which halves are closed: one more than SHUT_*. */
enum { NO_RECEIVE = 1, NO_SEND = 2, CLOSED = 3 };

#define SOCKET_PATH_MAX 108

/* A path, not terminated; or an abstract name, which begins with a NUL; or (size 0) none. */
struct socket_address {
    size_t size;
    char path[SOCKET_PATH_MAX];
};

struct socket {
    struct inode inode; /* the socket lives as long as it; first: anonymous_create */
    enum socket_state state; /* changed under sockets_lock, only once; read anywhere, atomic */
    int shutdown;            /* atomic: closed halves, by us or by the peer */
    int error;               /* atomic: for the next read or SO_ERROR, once */
    struct socket *peer;
    struct mutex lock; /* protects the ring; held by sender and receiver; before mm->lock */
    struct ring ring;
    struct wait_queue readers, writers; /* they wait for our ring, for the peer's */
    /* sockets_lock, of socket_name.c, protects the rest. */
    struct socket_address address;
    struct inode *name; /* what bind made for a path, referenced */
    struct list bound;  /* all sockets with an address */
    struct list pending; /* of a listening one: who was not accepted. Of those: the link */
    int pending_count, backlog;
    pid_t pid, peer_pid; /* who listened; who is at the other end */
};

/* NULL if the file is none. */
struct socket *socket_of(const struct file *file);
/* A new one without a file; NULL without memory. */
struct socket *socket_create(void);
/* The same with one; or an error pointer. */
struct file *socket_open(int flags);
/* Two connected ones. 0 or -ENOMEM. */
long socket_pair(struct file *ends[2], int flags);
/* Make them each other's peers. Neither has one; sockets_lock is held if others see them. */
void socket_connect_pair(struct socket *one, struct socket *other);
/* Close for good: tell the peer. `reset`: as if something had not been read. */
void socket_disconnect(struct socket *socket, bool reset);

/* Bytes or -errno; `flags` are MSG_*. A write to a closed end sends SIGPIPE, too. */
ssize_t socket_send(struct file *file, const char __user *buffer, size_t size, int flags);
ssize_t socket_receive(struct file *file, char __user *buffer, size_t size, int flags);
long socket_shutdown(struct socket *socket, int how);
/* The error that is waiting, 0 or positive; it is taken. */
int socket_take_error(struct socket *socket);

/* socket_name.c: -EINVAL, -EADDRINUSE, or what walking the path gave. */
long socket_bind(struct socket *socket, const struct socket_address *address);
long socket_listen(struct socket *socket, int backlog);
/* The file of the next connection, opened with `flags`; or an error pointer. */
struct file *socket_accept(struct file *file, int flags);
long socket_connect(struct file *file, const struct socket_address *address);
/* The own address, or the peer's: -ENOTCONN. */
long socket_get_address(struct socket *socket, bool of_peer, struct socket_address *address);
/* On closing: forget the name; refuse those who were not accepted. */
void socket_unbind(struct socket *socket);
#endif
