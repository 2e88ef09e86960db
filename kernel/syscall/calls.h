/* Every system call: its number and its arguments as they are, sys_NAME. All return -errno on failure. */
#ifndef SYSCALL_CALLS_H
#define SYSCALL_CALLS_H
#include "lib/types.h"

struct epoll_event;
struct file;
struct timer_times;
struct msghdr;
struct pollfd;
struct rlimit;
struct sched_attr;
struct iovec;
struct itimerval;

struct timespec {
    int64_t seconds, nanoseconds;
};

struct itimerspec {
    struct timespec interval, value;
};

#define IOVEC_MAX 1024 /* UIO_MAXIOV, readv(2) */

/* futex_waitv(2). */
struct futex_waitv {
    uint64_t value, address;
    uint32_t flags, reserved;
};

/* The last argument of pselect6. */
struct sized_mask {
    const uint64_t __user *set;
    size_t size;
};

/* One line makes a call: its prototype, its place in the table, its name in traces and debuggers. */
#define SYSCALLS \
    SYSCALL(0, read, (int fd, char __user *buffer, size_t size)) \
    SYSCALL(1, write, (int fd, const char __user *buffer, size_t size)) \
    SYSCALL(2, open, (const char __user *path, int flags, mode_t mode)) \
    SYSCALL(3, close, (int fd)) \
    SYSCALL(4, stat, (const char __user *path, void __user *result)) \
    SYSCALL(5, fstat, (int fd, void __user *result)) \
    SYSCALL(6, lstat, (const char __user *path, void __user *result)) \
    SYSCALL(7, poll, (struct pollfd __user *fds, unsigned count, int timeout)) \
    SYSCALL(8, lseek, (int fd, off_t offset, int whence)) \
    SYSCALL(9, mmap, (uint64_t address, size_t size, int prot, int flags, int fd, off_t offset)) \
    SYSCALL(10, mprotect, (uint64_t address, size_t size, uint64_t prot)) \
    SYSCALL(11, munmap, (uint64_t address, size_t size)) \
    SYSCALL(12, brk, (uint64_t brk)) \
    SYSCALL(13, rt_sigaction, (int signal, const void __user *action, void __user *old, \
            size_t size)) \
    SYSCALL(14, rt_sigprocmask, (int how, const uint64_t __user *set, uint64_t __user *old, \
            size_t size)) \
    SYSCALL(15, rt_sigreturn, (void)) \
    SYSCALL(16, ioctl, (int fd, unsigned command, uint64_t argument)) \
    SYSCALL(17, pread64, (int fd, char __user *buffer, size_t size, off_t position)) \
    SYSCALL(18, pwrite64, (int fd, const char __user *buffer, size_t size, off_t position)) \
    SYSCALL(19, readv, (int fd, const struct iovec __user *vector, int count)) \
    SYSCALL(20, writev, (int fd, const struct iovec __user *vector, int count)) \
    SYSCALL(21, access, (const char __user *path, int mode)) \
    SYSCALL(22, pipe, (int __user *fds)) \
    SYSCALL(23, select, (int count, uint64_t __user *reads, uint64_t __user *writes, \
            uint64_t __user *errors, struct timespec __user *timeout)) \
    SYSCALL(24, sched_yield, (void)) \
    SYSCALL(25, mremap, (uint64_t old, size_t old_size, size_t size, uint64_t flags, \
            uint64_t fixed)) \
    SYSCALL(26, msync, (uint64_t address, size_t size, int flags)) \
    SYSCALL(27, mincore, (uint64_t address, size_t size, uint8_t __user *vector)) \
    SYSCALL(28, madvise, (uint64_t address, size_t size, int advice)) \
    SYSCALL(32, dup, (int fd)) \
    SYSCALL(33, dup2, (int fd, int to)) \
    SYSCALL(34, pause, (void)) \
    SYSCALL(35, nanosleep, (const struct timespec __user *time, struct timespec __user *left)) \
    SYSCALL(36, getitimer, (int which, struct itimerval __user *value)) \
    SYSCALL(37, alarm, (unsigned seconds)) \
    SYSCALL(38, setitimer, (int which, const struct itimerval __user *value, \
            struct itimerval __user *old)) \
    SYSCALL(39, getpid, (void)) \
    SYSCALL(40, sendfile, (int out, int in, off_t __user *user, size_t size)) \
    SYSCALL(41, socket, (int family, int type, int protocol)) \
    SYSCALL(42, connect, (int fd, const void __user *user, int size)) \
    SYSCALL(43, accept, (int fd, void __user *user, int __user *user_size)) \
    SYSCALL(44, sendto, (int fd, const char __user *buffer, size_t size, int flags, \
            const void __user *address, int address_size)) \
    SYSCALL(45, recvfrom, (int fd, char __user *buffer, size_t size, int flags, \
            void __user *address, int __user *address_size)) \
    SYSCALL(46, sendmsg, (int fd, const struct msghdr __user *user, int flags)) \
    SYSCALL(47, recvmsg, (int fd, struct msghdr __user *user, int flags)) \
    SYSCALL(48, shutdown, (int fd, int how)) \
    SYSCALL(49, bind, (int fd, const void __user *user, int size)) \
    SYSCALL(50, listen, (int fd, int backlog)) \
    SYSCALL(51, getsockname, (int fd, void __user *user, int __user *user_size)) \
    SYSCALL(52, getpeername, (int fd, void __user *user, int __user *user_size)) \
    SYSCALL(53, socketpair, (int family, int type, int protocol, int __user *fds)) \
    SYSCALL(54, setsockopt, (int fd, int level, int option, const void __user *user, int size)) \
    SYSCALL(55, getsockopt, (int fd, int level, int option, void __user *user, \
            int __user *user_size)) \
    SYSCALL(56, clone, (uint64_t flags, uint64_t stack, int __user *parent_tid, \
            int __user *child_tid, uint64_t tls)) \
    SYSCALL(57, fork, (void)) \
    SYSCALL(58, vfork, (void)) \
    SYSCALL(59, execve, (const char __user *path, uint64_t argv, uint64_t envp)) \
    SYSCALL(60, exit, (int code)) \
    SYSCALL(61, wait4, (pid_t pid, int __user *status, int options, void __user *usage)) \
    SYSCALL(62, kill, (pid_t pid, int signal)) \
    SYSCALL(63, uname, (void __user *name)) \
    SYSCALL(72, fcntl, (int fd, int command, uint64_t argument)) \
    SYSCALL(73, flock, (int fd, int operation)) \
    SYSCALL(74, fsync, (int fd)) \
    SYSCALL(75, fdatasync, (int fd)) \
    SYSCALL(76, truncate, (const char __user *path, off_t size)) \
    SYSCALL(77, ftruncate, (int fd, off_t size)) \
    SYSCALL(79, getcwd, (char __user *buffer, size_t size)) \
    SYSCALL(80, chdir, (const char __user *path)) \
    SYSCALL(81, fchdir, (int fd)) \
    SYSCALL(82, rename, (const char __user *old, const char __user *path)) \
    SYSCALL(83, mkdir, (const char __user *path, mode_t mode)) \
    SYSCALL(84, rmdir, (const char __user *path)) \
    SYSCALL(85, creat, (const char __user *path, mode_t mode)) \
    SYSCALL(86, link, (const char __user *old, const char __user *path)) \
    SYSCALL(87, unlink, (const char __user *path)) \
    SYSCALL(88, symlink, (const char __user *target, const char __user *path)) \
    SYSCALL(89, readlink, (const char __user *path, char __user *buffer, int size)) \
    SYSCALL(90, chmod, (const char __user *path, mode_t mode)) \
    SYSCALL(91, fchmod, (int fd, mode_t mode)) \
    SYSCALL(92, chown, (const char __user *path, uint32_t uid, uint32_t gid)) \
    SYSCALL(93, fchown, (int fd, uint32_t uid, uint32_t gid)) \
    SYSCALL(94, lchown, (const char __user *path, uint32_t uid, uint32_t gid)) \
    SYSCALL(95, umask, (mode_t mask)) \
    SYSCALL(96, gettimeofday, (struct timespec __user *time, void __user *zone)) \
    SYSCALL(97, getrlimit, (int resource, struct rlimit __user *limit)) \
    SYSCALL(98, getrusage, (int who, void __user *usage)) \
    SYSCALL(99, sysinfo, (void __user *info)) \
    SYSCALL(100, times, (void __user *result)) \
    SYSCALL(102, getuid, (void)) \
    SYSCALL(103, syslog, (int action, char __user *buffer, int size)) \
    SYSCALL(104, getgid, (void)) \
    SYSCALL(105, setuid, (uint32_t uid)) \
    SYSCALL(106, setgid, (uint32_t gid)) \
    SYSCALL(107, geteuid, (void)) \
    SYSCALL(108, getegid, (void)) \
    SYSCALL(109, setpgid, (pid_t pid, pid_t pgid)) \
    SYSCALL(110, getppid, (void)) \
    SYSCALL(111, getpgrp, (void)) \
    SYSCALL(112, setsid, (void)) \
    SYSCALL(113, setreuid, (uint32_t real, uint32_t effective)) \
    SYSCALL(114, setregid, (uint32_t real, uint32_t effective)) \
    SYSCALL(115, getgroups, (int count, uint32_t __user *groups)) \
    SYSCALL(116, setgroups, (int count, const uint32_t __user *groups)) \
    SYSCALL(117, setresuid, (uint32_t real, uint32_t effective, uint32_t saved)) \
    SYSCALL(118, getresuid, (uint32_t __user *real, uint32_t __user *effective, \
            uint32_t __user *saved)) \
    SYSCALL(119, setresgid, (uint32_t real, uint32_t effective, uint32_t saved)) \
    SYSCALL(120, getresgid, (uint32_t __user *real, uint32_t __user *effective, \
            uint32_t __user *saved)) \
    SYSCALL(121, getpgid, (pid_t pid)) \
    SYSCALL(122, setfsuid, (uint32_t uid)) \
    SYSCALL(123, setfsgid, (uint32_t gid)) \
    SYSCALL(124, getsid, (pid_t pid)) \
    SYSCALL(127, rt_sigpending, (uint64_t __user *set, size_t size)) \
    SYSCALL(128, rt_sigtimedwait, (const uint64_t __user *set, void __user *info, \
            const struct timespec __user *timeout, size_t size)) \
    SYSCALL(129, rt_sigqueueinfo, (pid_t pid, int signal, const void __user *info)) \
    SYSCALL(130, rt_sigsuspend, (const uint64_t __user *set, size_t size)) \
    SYSCALL(131, sigaltstack, (const void __user *stack, void __user *old)) \
    SYSCALL(132, utime, (const char __user *path, const int64_t __user *user)) \
    SYSCALL(133, mknod, (const char __user *path, mode_t mode, unsigned device)) \
    SYSCALL(137, statfs, (const char __user *path, void __user *result)) \
    SYSCALL(138, fstatfs, (int fd, void __user *result)) \
    SYSCALL(140, getpriority, (int which, int who)) \
    SYSCALL(141, setpriority, (int which, int who, int nice)) \
    SYSCALL(142, sched_setparam, (pid_t pid, const int __user *priority)) \
    SYSCALL(143, sched_getparam, (pid_t pid, int __user *priority)) \
    SYSCALL(144, sched_setscheduler, (pid_t pid, int policy, const int __user *priority)) \
    SYSCALL(145, sched_getscheduler, (pid_t pid)) \
    SYSCALL(146, sched_get_priority_max, (int policy)) \
    SYSCALL(147, sched_get_priority_min, (int policy)) \
    SYSCALL(148, sched_rr_get_interval, (pid_t pid, struct timespec __user *interval)) \
    SYSCALL(149, mlock, (uint64_t address, size_t size)) \
    SYSCALL(150, munlock, (uint64_t address, size_t size)) \
    SYSCALL(151, mlockall, (int flags)) \
    SYSCALL(152, munlockall, (void)) \
    SYSCALL(157, prctl, (int option, uint64_t argument)) \
    SYSCALL(158, arch_prctl, (int code, uint64_t address)) \
    SYSCALL(160, setrlimit, (int resource, const struct rlimit __user *limit)) \
    SYSCALL(161, chroot, (const char __user *path)) \
    SYSCALL(162, sync, (void)) \
    SYSCALL(164, settimeofday, (const struct timespec __user *time, const void __user *zone)) \
    SYSCALL(165, mount, (const char __user *source, const char __user *target, \
            const char __user *type)) \
    SYSCALL(169, reboot, (unsigned magic1, unsigned magic2, unsigned command)) \
    SYSCALL(186, gettid, (void)) \
    SYSCALL(188, setxattr, (const char __user *path)) \
    SYSCALL(189, lsetxattr, (const char __user *path)) \
    SYSCALL(190, fsetxattr, (int fd)) \
    SYSCALL(191, getxattr, (const char __user *path)) \
    SYSCALL(192, lgetxattr, (const char __user *path)) \
    SYSCALL(193, fgetxattr, (int fd)) \
    SYSCALL(194, listxattr, (const char __user *path)) \
    SYSCALL(195, llistxattr, (const char __user *path)) \
    SYSCALL(196, flistxattr, (int fd)) \
    SYSCALL(197, removexattr, (const char __user *path)) \
    SYSCALL(198, lremovexattr, (const char __user *path)) \
    SYSCALL(199, fremovexattr, (int fd)) \
    SYSCALL(200, tkill, (pid_t tid, int signal)) \
    SYSCALL(201, time, (int64_t __user *result)) \
    SYSCALL(202, futex, (int __user *word, int operation, uint32_t value, uint64_t timeout, \
            int __user *word2, uint32_t value3)) \
    SYSCALL(203, sched_setaffinity, (pid_t pid, size_t size, const uint64_t __user *mask)) \
    SYSCALL(204, sched_getaffinity, (pid_t pid, size_t size, uint64_t __user *mask)) \
    SYSCALL(213, epoll_create, (int size)) \
    SYSCALL(217, getdents64, (int fd, void __user *buffer, unsigned size)) \
    SYSCALL(218, set_tid_address, (int __user *word)) \
    SYSCALL(221, fadvise64, (int fd, off_t offset, off_t size, int advice)) \
    SYSCALL(222, timer_create, (int clock, const void __user *event, int __user *id)) \
    SYSCALL(223, timer_settime, (int id, int flags, const struct itimerspec __user *value, \
            struct itimerspec __user *old)) \
    SYSCALL(224, timer_gettime, (int id, struct itimerspec __user *value)) \
    SYSCALL(225, timer_getoverrun, (int id)) \
    SYSCALL(226, timer_delete, (int id)) \
    SYSCALL(227, clock_settime, (int clock, const struct timespec __user *time)) \
    SYSCALL(228, clock_gettime, (int clock, struct timespec __user *time)) \
    SYSCALL(229, clock_getres, (int clock, struct timespec __user *result)) \
    SYSCALL(230, clock_nanosleep, (int clock, int flags, const struct timespec __user *time, \
            struct timespec __user *left)) \
    SYSCALL(231, exit_group, (int code)) \
    SYSCALL(232, epoll_wait, (int fd, struct epoll_event __user *events, int max, int timeout)) \
    SYSCALL(233, epoll_ctl, (int epoll_fd, int operation, int fd, \
            const struct epoll_event __user *user)) \
    SYSCALL(234, tgkill, (pid_t tgid, pid_t tid, int signal)) \
    SYSCALL(235, utimes, (const char __user *path, const struct timespec __user *times)) \
    SYSCALL(247, waitid, (int type, pid_t id, void __user *info, int options, \
            void __user *usage)) \
    SYSCALL(253, inotify_init, (void)) \
    SYSCALL(254, inotify_add_watch, (int fd, const char __user *path, uint32_t mask)) \
    SYSCALL(255, inotify_rm_watch, (int fd, int number)) \
    SYSCALL(257, openat, (int dirfd, const char __user *path, int flags, mode_t mode)) \
    SYSCALL(258, mkdirat, (int dirfd, const char __user *path, mode_t mode)) \
    SYSCALL(259, mknodat, (int dirfd, const char __user *path, mode_t mode, unsigned device)) \
    SYSCALL(260, fchownat, (int dirfd, const char __user *path, uint32_t uid, uint32_t gid, \
            int flags)) \
    SYSCALL(261, futimesat, (int dirfd, const char __user *path, \
            const struct timespec __user *user)) \
    SYSCALL(262, newfstatat, (int dirfd, const char __user *path, void __user *result, \
            int flags)) \
    SYSCALL(263, unlinkat, (int dirfd, const char __user *path, int flags)) \
    SYSCALL(264, renameat, (int old_dirfd, const char __user *old, int dirfd, \
            const char __user *path)) \
    SYSCALL(265, linkat, (int old_dirfd, const char __user *old, int dirfd, \
            const char __user *path, int flags)) \
    SYSCALL(266, symlinkat, (const char __user *target, int dirfd, const char __user *path)) \
    SYSCALL(267, readlinkat, (int dirfd, const char __user *path, char __user *buffer, int size)) \
    SYSCALL(268, fchmodat, (int dirfd, const char __user *path, mode_t mode)) \
    SYSCALL(269, faccessat, (int dirfd, const char __user *path, int mode)) \
    SYSCALL(270, pselect6, (int count, uint64_t __user *reads, uint64_t __user *writes, \
            uint64_t __user *errors, struct timespec __user *timeout, \
            const struct sized_mask __user *mask)) \
    SYSCALL(271, ppoll, (struct pollfd __user *fds, unsigned count, \
            struct timespec __user *timeout, const uint64_t __user *mask, size_t size)) \
    SYSCALL(273, set_robust_list, (uint64_t head, size_t size)) \
    SYSCALL(274, get_robust_list, (pid_t tid, uint64_t __user *head, size_t __user *size)) \
    SYSCALL(280, utimensat, (int dirfd, const char __user *path, \
            const struct timespec __user *user, int flags)) \
    SYSCALL(281, epoll_pwait, (int fd, struct epoll_event __user *events, int max, int timeout, \
            const uint64_t __user *mask, size_t size)) \
    SYSCALL(282, signalfd, (int fd, const uint64_t __user *set, size_t size)) \
    SYSCALL(283, timerfd_create, (int clock, int flags)) \
    SYSCALL(284, eventfd, (unsigned count)) \
    SYSCALL(285, fallocate, (int fd, int mode, off_t offset, off_t size)) \
    SYSCALL(286, timerfd_settime, (int fd, int flags, const struct itimerspec __user *user, \
            struct itimerspec __user *user_old)) \
    SYSCALL(287, timerfd_gettime, (int fd, struct itimerspec __user *user)) \
    SYSCALL(288, accept4, (int fd, void __user *user, int __user *user_size, int flags)) \
    SYSCALL(289, signalfd4, (int fd, const uint64_t __user *set, size_t size, int flags)) \
    SYSCALL(290, eventfd2, (unsigned count, int flags)) \
    SYSCALL(291, epoll_create1, (int flags)) \
    SYSCALL(292, dup3, (int fd, int to, int flags)) \
    SYSCALL(293, pipe2, (int __user *fds, int flags)) \
    SYSCALL(294, inotify_init1, (int flags)) \
    SYSCALL(295, preadv, (int fd, const struct iovec __user *vector, int count, off_t position)) \
    SYSCALL(296, pwritev, (int fd, const struct iovec __user *vector, int count, off_t position)) \
    SYSCALL(297, rt_tgsigqueueinfo, (pid_t tgid, pid_t tid, int signal, \
            const void __user *info)) \
    SYSCALL(302, prlimit64, (pid_t pid, int resource, const struct rlimit __user *limit, \
            struct rlimit __user *old)) \
    SYSCALL(306, syncfs, (int fd)) \
    SYSCALL(309, getcpu, (unsigned __user *cpu, unsigned __user *node)) \
    SYSCALL(314, sched_setattr, (pid_t pid, struct sched_attr __user *user, unsigned flags)) \
    SYSCALL(315, sched_getattr, (pid_t pid, struct sched_attr __user *user, unsigned size, \
            unsigned flags)) \
    SYSCALL(316, renameat2, (int old_dirfd, const char __user *old, int dirfd, \
            const char __user *path, unsigned flags)) \
    SYSCALL(318, getrandom, (char __user *buffer, size_t size, unsigned flags)) \
    SYSCALL(325, mlock2, (uint64_t address, size_t size, int flags)) \
    SYSCALL(332, statx, (int dirfd, const char __user *path, int flags, unsigned mask, \
            void __user *result)) \
    SYSCALL(436, close_range, (unsigned first, unsigned last, unsigned flags)) \
    SYSCALL(439, faccessat2, (int dirfd, const char __user *path, int mode, int flags)) \
    SYSCALL(441, epoll_pwait2, (int fd, struct epoll_event __user *events, int max, \
            const struct timespec __user *timeout, const uint64_t __user *mask, size_t size)) \
    SYSCALL(449, futex_waitv, (const struct futex_waitv __user *user, unsigned count, \
            unsigned flags, const struct timespec __user *timeout, int clock))

#define SYSCALL(number, name, arguments) long sys_##name arguments;
SYSCALLS
#undef SYSCALL

/* Those of fcntl's commands that are about locks; -EINVAL for any other. */
long fcntl_lock(int fd, struct file *file, int command, void __user *argument);
long syscall_unknown(uint64_t number);
void syscall_init(void);
/* Nanoseconds from parts that are not negative; long ones become "very long". */
ktime_t time_duration(int64_t seconds, int64_t nanoseconds);
/* Nanoseconds of a user's timespec, or -EFAULT, -EINVAL. */
ktime_t time_from_user(const struct timespec __user *time);
/* A user's itimerspec, which those of timers have. 0, -EFAULT, -EINVAL. */
long timer_times_from_user(struct timer_times *times, const struct itimerspec __user *user);
long timer_times_to_user(struct itimerspec __user *user, const struct timer_times *times);
/* When a wait of `duration` ends that begins now. If the call was interrupted by what ran no handler
 * (a stop), it ends when it would have: the call has said so by wait_interrupted. */
ktime_t wait_deadline(ktime_t duration);
/* -ERESTARTNOHAND. */
long wait_interrupted(ktime_t deadline);
/* When that much time will be over: 0 for none, KTIME_NEVER for NULL, negative: an error. */
ktime_t deadline_from_user(const struct timespec __user *timeout);
/* Every piece has a size and lies in user memory: nothing is moved before. How many bytes they are, at most
 * TRANSFER_MAX; -EFAULT, -EINVAL. */
ssize_t iovec_check(const struct iovec __user *vector, int count);
/* read(2), write(2) of one piece, at the file's own position (NULL) or at *at. */
ssize_t file_transfer_piece(struct file *file, const struct iovec *piece, off_t *at, bool write);
/* For one call, another set of blocked signals; a NULL `set` changes nothing. 0 or -errno. */
long signal_mask_begin(const uint64_t __user *set, size_t size);
/* `interrupted`: the old set comes back only after the signal's handler. */
void signal_mask_end(const uint64_t __user *set, bool interrupted);
#endif
