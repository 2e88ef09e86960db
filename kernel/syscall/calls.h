/* Every system call: its number and its arguments as they are. All return -errno on failure. */
#ifndef SYSCALL_CALLS_H
#define SYSCALL_CALLS_H
#include "lib/types.h"

struct epoll_event;
struct file;
struct itimerspec;
struct msghdr;
struct pollfd;
struct rlimit;
struct itimerval;

struct timespec {
    int64_t seconds, nanoseconds;
};

struct iovec {
    uint64_t base, size;
};
#define TRANSFER_MAX 0x7ffff000ul /* what Linux moves in one call, read(2) */
#define IOVEC_MAX 1024 /* UIO_MAXIOV, readv(2) */

/* The last argument of pselect6. */
struct sized_mask {
    const uint64_t __user *set;
    size_t size;
};

#define SYSCALLS \
    SYSCALL(0, read) \
    SYSCALL(1, write) \
    SYSCALL(2, open) \
    SYSCALL(3, close) \
    SYSCALL(4, stat) \
    SYSCALL(5, fstat) \
    SYSCALL(6, lstat) \
    SYSCALL(7, poll) \
    SYSCALL(8, lseek) \
    SYSCALL(9, mmap) \
    SYSCALL(10, mprotect) \
    SYSCALL(11, munmap) \
    SYSCALL(12, brk) \
    SYSCALL(13, rt_sigaction) \
    SYSCALL(14, rt_sigprocmask) \
    SYSCALL(15, rt_sigreturn) \
    SYSCALL(16, ioctl) \
    SYSCALL(17, pread64) \
    SYSCALL(18, pwrite64) \
    SYSCALL(19, readv) \
    SYSCALL(20, writev) \
    SYSCALL(21, access) \
    SYSCALL(22, pipe) \
    SYSCALL(23, select) \
    SYSCALL(24, sched_yield) \
    SYSCALL(25, mremap) \
    SYSCALL(28, madvise) \
    SYSCALL(32, dup) \
    SYSCALL(33, dup2) \
    SYSCALL(34, pause) \
    SYSCALL(35, nanosleep) \
    SYSCALL(37, alarm) \
    SYSCALL(38, setitimer) \
    SYSCALL(39, getpid) \
    SYSCALL(56, clone) \
    SYSCALL(57, fork) \
    SYSCALL(58, vfork) \
    SYSCALL(59, execve) \
    SYSCALL(60, exit) \
    SYSCALL(61, wait4) \
    SYSCALL(62, kill) \
    SYSCALL(63, uname) \
    SYSCALL(72, fcntl) \
    SYSCALL(76, truncate) \
    SYSCALL(77, ftruncate) \
    SYSCALL(79, getcwd) \
    SYSCALL(80, chdir) \
    SYSCALL(82, rename) \
    SYSCALL(83, mkdir) \
    SYSCALL(84, rmdir) \
    SYSCALL(86, link) \
    SYSCALL(87, unlink) \
    SYSCALL(88, symlink) \
    SYSCALL(89, readlink) \
    SYSCALL(95, umask) \
    SYSCALL(96, gettimeofday) \
    SYSCALL(97, getrlimit) \
    SYSCALL(99, sysinfo) \
    SYSCALL(100, times) \
    SYSCALL(102, getuid) \
    SYSCALL(104, getgid) \
    SYSCALL(107, geteuid) \
    SYSCALL(108, getegid) \
    SYSCALL(109, setpgid) \
    SYSCALL(110, getppid) \
    SYSCALL(111, getpgrp) \
    SYSCALL(112, setsid) \
    SYSCALL(121, getpgid) \
    SYSCALL(124, getsid) \
    SYSCALL(130, rt_sigsuspend) \
    SYSCALL(131, sigaltstack) \
    SYSCALL(140, getpriority) \
    SYSCALL(141, setpriority) \
    SYSCALL(157, prctl) \
    SYSCALL(158, arch_prctl) \
    SYSCALL(165, mount) \
    SYSCALL(169, reboot) \
    SYSCALL(186, gettid) \
    SYSCALL(202, futex) \
    SYSCALL(217, getdents64) \
    SYSCALL(218, set_tid_address) \
    SYSCALL(228, clock_gettime) \
    SYSCALL(230, clock_nanosleep) \
    SYSCALL(231, exit_group) \
    SYSCALL(234, tgkill) \
    SYSCALL(257, openat) \
    SYSCALL(262, newfstatat) \
    SYSCALL(273, set_robust_list) \
    SYSCALL(274, get_robust_list) \
    SYSCALL(292, dup3) \
    SYSCALL(293, pipe2) \
    SYSCALL(302, prlimit64) \
    SYSCALL(98, getrusage) \
    SYSCALL(144, sched_setscheduler) \
    SYSCALL(145, sched_getscheduler) \
    SYSCALL(203, sched_setaffinity) \
    SYSCALL(204, sched_getaffinity) \
    SYSCALL(247, waitid) \
    SYSCALL(270, pselect6) \
    SYSCALL(271, ppoll) \
    SYSCALL(318, getrandom) \
    SYSCALL(41, socket) \
    SYSCALL(42, connect) \
    SYSCALL(43, accept) \
    SYSCALL(44, sendto) \
    SYSCALL(45, recvfrom) \
    SYSCALL(46, sendmsg) \
    SYSCALL(47, recvmsg) \
    SYSCALL(48, shutdown) \
    SYSCALL(49, bind) \
    SYSCALL(50, listen) \
    SYSCALL(51, getsockname) \
    SYSCALL(52, getpeername) \
    SYSCALL(53, socketpair) \
    SYSCALL(54, setsockopt) \
    SYSCALL(55, getsockopt) \
    SYSCALL(288, accept4) \
    SYSCALL(213, epoll_create) \
    SYSCALL(232, epoll_wait) \
    SYSCALL(233, epoll_ctl) \
    SYSCALL(281, epoll_pwait) \
    SYSCALL(291, epoll_create1) \
    SYSCALL(441, epoll_pwait2) \
    SYSCALL(283, timerfd_create) \
    SYSCALL(286, timerfd_settime) \
    SYSCALL(287, timerfd_gettime) \
    SYSCALL(284, eventfd) \
    SYSCALL(290, eventfd2) \

long sys_read(int fd, char __user *buffer, size_t size);
long sys_write(int fd, const char __user *buffer, size_t size);
long sys_open(const char __user *path, int flags, mode_t mode);
long sys_close(int fd);
long sys_stat(const char __user *path, void __user *result);
long sys_fstat(int fd, void __user *result);
long sys_lstat(const char __user *path, void __user *result);
long sys_poll(struct pollfd __user *fds, unsigned count, int timeout);
long sys_lseek(int fd, off_t offset, int whence);
long sys_mmap(uint64_t address, size_t size, int prot, int flags, int fd, off_t offset);
long sys_mprotect(uint64_t address, size_t size, uint64_t prot);
long sys_munmap(uint64_t address, size_t size);
long sys_brk(uint64_t brk);
long sys_rt_sigaction(int signal, const void __user *action, void __user *old, size_t size);
long sys_rt_sigprocmask(int how, const uint64_t __user *set, uint64_t __user *old, size_t size);
long sys_rt_sigreturn(void);
long sys_ioctl(int fd, unsigned command, uint64_t argument);
long sys_pread64(int fd, char __user *buffer, size_t size, off_t position);
long sys_pwrite64(int fd, const char __user *buffer, size_t size, off_t position);
long sys_readv(int fd, const struct iovec __user *vector, int count);
long sys_writev(int fd, const struct iovec __user *vector, int count);
long sys_access(const char __user *path, int mode);
long sys_pipe(int __user *fds);
long sys_sched_yield(void);
long sys_mremap(uint64_t old, size_t old_size, size_t size, uint64_t flags, uint64_t fixed);
long sys_madvise(uint64_t address, size_t size, int advice);
long sys_dup(int fd);
long sys_dup2(int fd, int to);
long sys_pause(void);
long sys_nanosleep(const struct timespec __user *time, struct timespec __user *left);
long sys_alarm(unsigned seconds);
long sys_setitimer(int which, const struct itimerval __user *value, struct itimerval __user *old);
long sys_getpid(void);
long sys_clone(uint64_t flags, uint64_t stack, int __user *parent_tid, int __user *child_tid,
    uint64_t tls);
long sys_fork(void);
long sys_vfork(void);
long sys_execve(const char __user *path, uint64_t argv, uint64_t envp);
long sys_exit(int code);
long sys_wait4(pid_t pid, int __user *status, int options, void __user *usage);
long sys_kill(pid_t pid, int signal);
long sys_uname(void __user *name);
long sys_fcntl(int fd, int command, uint64_t argument);
long sys_truncate(const char __user *path, off_t size);
long sys_ftruncate(int fd, off_t size);
long sys_getcwd(char __user *buffer, size_t size);
long sys_chdir(const char __user *path);
long sys_rename(const char __user *old, const char __user *path);
long sys_mkdir(const char __user *path, mode_t mode);
long sys_rmdir(const char __user *path);
long sys_link(const char __user *old, const char __user *path);
long sys_unlink(const char __user *path);
long sys_symlink(const char __user *target, const char __user *path);
long sys_readlink(const char __user *path, char __user *buffer, int size);
long sys_umask(mode_t mask);
long sys_gettimeofday(struct timespec __user *time, void __user *zone);
long sys_getrlimit(int resource, struct rlimit __user *limit);
long sys_sysinfo(void __user *info);
long sys_times(void __user *result);
long sys_getuid(void);
long sys_getgid(void);
long sys_geteuid(void);
long sys_getegid(void);
long sys_setpgid(pid_t pid, pid_t pgid);
long sys_getppid(void);
long sys_getpgrp(void);
long sys_setsid(void);
long sys_getpgid(pid_t pid);
long sys_getsid(pid_t pid);
long sys_rt_sigsuspend(const uint64_t __user *set, size_t size);
long sys_sigaltstack(const void __user *stack, void __user *old);
long sys_getpriority(int which, int who);
long sys_setpriority(int which, int who, int nice);
long sys_prctl(int option, uint64_t argument);
long sys_arch_prctl(int code, uint64_t address);
long sys_mount(const char __user *source, const char __user *target, const char __user *type);
long sys_reboot(unsigned magic1, unsigned magic2, unsigned command);
long sys_gettid(void);
long sys_futex(int __user *word, int operation, uint32_t value, uint64_t timeout, int __user
    *word2, uint32_t value3);
long sys_getdents64(int fd, void __user *buffer, unsigned size);
long sys_set_tid_address(int __user *word);
long sys_clock_gettime(int clock, struct timespec __user *time);
long sys_clock_nanosleep(int clock, int flags, const struct timespec __user *time, struct timespec
    __user *left);
long sys_exit_group(int code);
long sys_tgkill(pid_t tgid, pid_t tid, int signal);
long sys_openat(int dirfd, const char __user *path, int flags, mode_t mode);
long sys_newfstatat(int dirfd, const char __user *path, void __user *result, int flags);
long sys_set_robust_list(uint64_t head, size_t size);
long sys_get_robust_list(pid_t tid, uint64_t __user *head, size_t __user *size);
long sys_dup3(int fd, int to, int flags);
long sys_pipe2(int __user *fds, int flags);
long sys_prlimit64(pid_t pid, int resource, const struct rlimit __user *limit, struct rlimit
    __user *old);
long sys_getrandom(char __user *buffer, size_t size, unsigned flags);
long sys_select(int count, uint64_t __user *reads, uint64_t __user *writes, uint64_t __user
    *errors, struct timespec __user *timeout);
long sys_getrusage(int who, void __user *usage);
long sys_sched_setscheduler(pid_t pid, int policy, const int __user *priority);
long sys_sched_getscheduler(pid_t pid);
long sys_sched_setaffinity(pid_t pid, size_t size, const uint64_t __user *mask);
long sys_sched_getaffinity(pid_t pid, size_t size, uint64_t __user *mask);
long sys_waitid(int type, pid_t id, void __user *info, int options, void __user *usage);
long sys_pselect6(int count, uint64_t __user *reads, uint64_t __user *writes, uint64_t __user
    *errors, struct timespec __user *timeout, const struct sized_mask __user *mask);
long sys_ppoll(struct pollfd __user *fds, unsigned count, struct timespec __user *timeout,
    const uint64_t __user *mask, size_t size);
long sys_socket(int family, int type, int protocol);
long sys_connect(int fd, const void __user *user, int size);
long sys_accept(int fd, void __user *user, int __user *user_size);
long sys_sendto(int fd, const char __user *buffer, size_t size, int flags,
    const void __user *address, int address_size);
long sys_recvfrom(int fd, char __user *buffer, size_t size, int flags, void __user *address,
    int __user *address_size);
long sys_sendmsg(int fd, const struct msghdr __user *user, int flags);
long sys_recvmsg(int fd, struct msghdr __user *user, int flags);
long sys_shutdown(int fd, int how);
long sys_bind(int fd, const void __user *user, int size);
long sys_listen(int fd, int backlog);
long sys_getsockname(int fd, void __user *user, int __user *user_size);
long sys_getpeername(int fd, void __user *user, int __user *user_size);
long sys_socketpair(int family, int type, int protocol, int __user *fds);
long sys_setsockopt(int fd, int level, int option, const void __user *user, int size);
long sys_getsockopt(int fd, int level, int option, void __user *user, int __user *user_size);
long sys_accept4(int fd, void __user *user, int __user *user_size, int flags);
long sys_epoll_create(int size);
long sys_epoll_create1(int flags);
long sys_epoll_ctl(int epoll_fd, int operation, int fd, const struct epoll_event __user *user);
long sys_epoll_wait(int fd, struct epoll_event __user *events, int max, int timeout);
long sys_epoll_pwait(int fd, struct epoll_event __user *events, int max, int timeout,
    const uint64_t __user *mask, size_t size);
long sys_epoll_pwait2(int fd, struct epoll_event __user *events, int max,
    const struct timespec __user *timeout, const uint64_t __user *mask, size_t size);
long sys_timerfd_create(int clock, int flags);
long sys_timerfd_settime(int fd, int flags, const struct itimerspec __user *user, struct itimerspec
    __user *user_old);
long sys_timerfd_gettime(int fd, struct itimerspec __user *user);
long sys_eventfd(unsigned count);
long sys_eventfd2(unsigned count, int flags);

long syscall_unknown(uint64_t number);
void syscall_init(void);
/* Nanoseconds from parts that are not negative; long ones become "very long". */
ktime_t time_duration(int64_t seconds, int64_t nanoseconds);
/* Nanoseconds of a user's timespec, or -EFAULT, -EINVAL. */
ktime_t time_from_user(const struct timespec __user *time);
/* When a wait of `duration` ends that begins now. If the call was interrupted by what ran no handler
 * (a stop), it ends when it would have: the call has said so by wait_interrupted. */
ktime_t wait_deadline(ktime_t duration);
/* -ERESTARTNOHAND. */
long wait_interrupted(ktime_t deadline);
/* When that much time will be over: 0 for none, KTIME_NEVER for NULL, negative: an error. */
ktime_t deadline_from_user(const struct timespec __user *timeout);
/* Every piece has a size and lies in user memory: nothing is moved before. 0, -EFAULT, -EINVAL. */
long iovec_check(const struct iovec __user *vector, int count);
/* For one call, another set of blocked signals; a NULL `set` changes nothing. 0 or -errno. */
long signal_mask_begin(const uint64_t __user *set, size_t size);
/* `interrupted`: the old set comes back only after the signal's handler. */
void signal_mask_end(const uint64_t __user *set, bool interrupted);
#endif
