/*
 * Sockets of this machine (unix(7)): AF_UNIX, streams, datagrams and SOCK_SEQPACKET.
 *
 * A connected socket owns the ring of what its peer has sent, and a reference to the peer:
 *
 *     file --> socket A [ring: B's bytes]  --peer-->  socket B [ring: A's bytes] <-- file
 *                                         <--peer--
 *
 * The peer is set once, before `state` says so, and stays until the socket's last file is closed,
 * so operations of its files need no lock to follow it. The circle is broken by closing. Only that of
 * datagrams may change, under sockets_lock.
 *
 * Where bytes belong together, or something came along with them, a `struct message` says so
 * (message.c). In a stream that is so for descriptors and names of senders alone.
 */
#ifndef IPC_SOCKET_H
#define IPC_SOCKET_H
#include "fs/file.h"
#include "ipc/ring.h"
#include "lib/errno.h"
#include "sched/wait.h"


/* socket(2), send(2), recv(2), shutdown(2) */
enum { AF_UNSPEC, AF_UNIX };
enum { SOCK_STREAM = 1, SOCK_DGRAM, SOCK_SEQPACKET = 5 };
enum {
    MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40,
    MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000, MSG_CMSG_CLOEXEC = 0x40000000,
};
enum { SO_PASSCRED = 16 }; /* who sends is told to who receives, in control data */
enum { SHUT_RD, SHUT_WR, SHUT_RDWR };

#define SOCKET_EVENTS_IN (POLLIN | POLLRDNORM)
#define SOCKET_EVENTS_OUT (POLLOUT | POLLWRNORM | POLLWRBAND)

enum socket_state { SOCKET_UNCONNECTED, SOCKET_LISTENING, SOCKET_CONNECTED };

/* Which halves are closed: one more than SHUT_*. */
enum { NO_RECEIVE = 1, NO_SEND = 2, CLOSED = 3 };

#define SOCKET_PATH_MAX 108

/* A path, not terminated; or an abstract name, which begins with a NUL; or (size 0) none. */
struct socket_address {
    size_t size;
    char path[SOCKET_PATH_MAX];
};

#define MESSAGE_FILES 253 /* SCM_MAX_FD, unix(7) */

struct message {
    struct list list;
    uint64_t start; /* of its bytes, in the ring's count */
    size_t size;
    pid_t pid; /* the sender's, if somebody asked for it; or 0 */
    struct socket_address from;
    struct socket *holder; /* whose queue its files' sockets are counted for, or NULL */
    int count;
    struct file *files[]; /* referenced */
};

/* One call to send or receive. */
struct socket_io {
    const struct iovec __user *vector; /* of `count` pieces; NULL: `piece` is the one */
    struct iovec piece;
    size_t count;
    int flags;                      /* MSG_* */
    struct socket_address *address; /* to whom; NULL: to the peer */
    struct message *message;        /* what goes along; or what came along, and is the caller's then */
    int told;                       /* MSG_*, for recvmsg */
    bool ended;                     /* nothing more is received with what came along */
};

struct socket {
    struct inode inode; /* the socket lives as long as it; first: anonymous_create */
    int type;
    uint32_t options;    /* atomic: by number, those that are on */
    ktime_t timeouts[2]; /* atomic: of receiving, of sending; 0: none */
    enum socket_state state; /* changed under sockets_lock, only once; read anywhere, atomic */
    int shutdown;            /* atomic: closed halves, by us or by the peer */
    int error;               /* atomic: for the next read or SO_ERROR, once */
    struct socket *peer;
    struct mutex lock; /* protects ring and messages; held by sender and receiver; before mm->lock */
    struct ring ring;
    struct list messages;
    int message_count; /* atomic */
    int in_flight, holding;  /* flight_lock, of message.c; a listening one holds what its pending ones do */
    struct socket *listener; /* the same lock: where it waits to be accepted, or NULL */
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
struct socket *socket_create(int type);
/* The same with one; or an error pointer. */
struct file *socket_open(int type, int flags);
/* Two connected ones. 0 or -ENOMEM. */
long socket_pair(struct file *ends[2], int type, int flags);
/* Make them each other's peers. Neither has one; sockets_lock is held if others see them. */
void socket_connect_pair(struct socket *one, struct socket *other);
/* Close for good: tell the peer. `reset`: as if something had not been read. */
void socket_disconnect(struct socket *socket, bool reset);

/* Bytes or -errno. All pieces lie in user memory. A write to a closed stream sends SIGPIPE, too. */
ssize_t socket_send(struct file *file, struct socket_io *io);
ssize_t socket_receive(struct file *file, struct socket_io *io);
/* Piece `i`; -EFAULT: it has been written to since. */
long socket_piece(const struct socket_io *io, size_t i, char __user **base, size_t *size);
long socket_total(const struct socket_io *io, size_t *total); /* 0, or -EFAULT in the same way */
long socket_shutdown(struct socket *socket, int how);
/* The error that is waiting, 0 or positive; it is taken. */
int socket_take_error(struct socket *socket);

/* socket_name.c: -EINVAL, -EADDRINUSE, or what walking the path gave. */
long socket_bind(struct socket *socket, const struct socket_address *address);
long socket_listen(struct socket *socket, int backlog);
/* The file of the next connection, opened with `flags`; or an error pointer. */
struct file *socket_accept(struct file *file, int flags);
long socket_connect(struct file *file, const struct socket_address *address);
/* To whom a datagram goes, referenced: the peer without an address. Or an error pointer. */
struct socket *socket_target(struct socket *socket, const struct socket_address *address);
/* A datagram's peer from now on, or (NULL) none. */
long socket_set_peer(struct socket *socket, const struct socket_address *address);
/* The own address, or the peer's: -ENOTCONN. */
long socket_get_address(struct socket *socket, bool of_peer, struct socket_address *address);
/* On closing: forget the name; refuse those who were not accepted. */
void socket_unbind(struct socket *socket);

/* stream.c. What is read comes in pieces one after the other; only the first waits, unless all is to be read. */
ssize_t stream_transfer(struct file *file, struct socket_io *io, bool send);

/* message.c. One with room for so many files; NULL without memory. */
struct message *message_create(int files);
void message_free(struct message *message); /* closes its files; no lock is held. NULL is fine */
/* Before it is sent to `to`. -ETOOMANYREFS: sockets that are in queues would be in queues of such. */
long message_depart(struct message *message, struct socket *to);
/* Its bytes begin here. to->lock is held. */
void message_push(struct socket *to, struct message *message);
/* It does not wait to be accepted any more. */
void message_leave_listener(struct socket *server);
/* The first one: out of the queue, or with MSG_PEEK a copy. NULL: without memory. socket->lock is held. */
struct message *message_take(struct socket *socket, int flags);
/* For sockets that are no streams. */
ssize_t message_send(struct file *file, struct socket_io *io);
ssize_t message_receive(struct file *file, struct socket_io *io);
/* May a message of `size` be sent to `to`? */
bool message_fits(const struct socket *socket, const struct socket *to, size_t size);

static inline int socket_shutdown_of(const struct socket *socket)
{
    return __atomic_load_n(&socket->shutdown, __ATOMIC_ACQUIRE);
}

static inline enum socket_state socket_state_of(const struct socket *socket)
{
    return __atomic_load_n(&socket->state, __ATOMIC_ACQUIRE);
}

static inline bool socket_has(const struct socket *socket, int option)
{
    return __atomic_load_n(&socket->options, __ATOMIC_RELAXED) >> option & 1;
}

/* Does nothing more go from `socket` to `to`? */
static inline bool socket_is_broken(const struct socket *socket, const struct socket *to)
{
    return socket_shutdown_of(socket) & NO_SEND || socket_shutdown_of(to) & NO_RECEIVE;
}

/* A call with these MSG_* waits for `condition`, as long as SO_RCVTIMEO or (`sends`) SO_SNDTIMEO lets it. */
#define socket_wait(file, call_flags, sends, queue, reason, object, condition)                      \
    ({                                                                                              \
        ktime_t socket_time = __atomic_load_n(&((struct socket *)(file)->data)->timeouts[sends],    \
                                              __ATOMIC_RELAXED);                                    \
        long socket_waited = -EAGAIN;                                                               \
                                                                                                    \
        if (!((call_flags)&MSG_DONTWAIT || (file)->flags & O_NONBLOCK)) {                           \
            socket_waited = wait_event_timeout(queue, reason, object, condition,                    \
                                               socket_time ? clock_now() + socket_time : KTIME_NEVER); \
        }                                                                                           \
        if (socket_waited == -ETIMEDOUT) {                                                          \
            socket_waited = -EAGAIN;                                                                \
        } else if (socket_waited == -ERESTARTSYS && socket_time) {                                  \
            socket_waited = -EINTR;                                                                 \
        }                                                                                           \
        socket_waited;                                                                              \
    })
#endif
