/*
 * What the fuzzer knows of the ABI: each system call of kernel/syscall/calls.h, what its arguments
 * are and what comes back. A row that stands there twice is called twice as often.
 */
#include "fuzz.h"

#define N ARG(NUMBER, 0)
#define B(bits) ARG(BITS, bits)
#define UP_TO(n) ARG(BELOW, (n) + 1)
#define IS(n) ARG(EXACT, n)
#define L(list) ARG(LIST, list)
#define K(kind) ARG(kind, 0)

enum { FUTEX_OPS, FCNTLS, IOCTLS, ADVICE, CLOCKS, PRCTLS, ARCH_PRCTLS, SOCKET_LEVELS, TIMEOUTS, TYPES, MAGICS };

static const long futex_ops[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 131, 132, 133, 134,
                                 135, 137, 138, 256 | 9, 256 | 137, 256 | 128, LIST_END};
static const long fcntls[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1024, 1025, 1026, 1030, 1031, 1032, 1033,
                              1034, LIST_END};
/* The terminal's but for its hanging up, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX, TIOCGPTN, EPIOCSPARAMS. */
static const long ioctls[] = {0x5401, 0x5402, 0x5403, 0x5404, 0x5409, 0x540a, 0x540b, 0x540e, 0x540f, 0x5410,
                              0x5411, 0x5413, 0x5414, 0x541b, 0x5420, 0x5421, 0x5422, 0x5425, 0x5429, 0x5450,
                              0x5451, 0x5452, 0x80045430, 0x40088a01, LIST_END};
static const long advice[] = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 14, 16, 17, 20, 21, 100, LIST_END};
static const long clocks[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, -1, -2, -6, -10, LIST_END};
static const long prctls[] = {1, 2, 3, 4, 15, 16, 22, 23, 35, 36, 37, 38, 53, LIST_END};
static const long arch_prctls[] = {0x1001, 0x1002, 0x1003, 0x1004, 0x1011, 0x1012, 0x2003, LIST_END};
static const long socket_levels[] = {0, 1, 6, 41, LIST_END};
static const long timeouts[] = {0, 0, 1, 2, 5, -1, 0x7fffffff, -0x80000000l, LIST_END};
static const long types[] = {1, 2, 3, 5, 1 | 04000, 2 | 04000, 5 | 04000, 1 | 02000000, 2 | 02004000, 0xf,
                             0x40000001, LIST_END};
static const long magics[] = {0, 0x28121969, 0x12345678, LIST_END}; /* the first of reboot's is never right */
const long *const lists[] = {
    [FUTEX_OPS] = futex_ops, [FCNTLS] = fcntls, [IOCTLS] = ioctls, [ADVICE] = advice, [CLOCKS] = clocks,
    [PRCTLS] = prctls, [ARCH_PRCTLS] = arch_prctls, [SOCKET_LEVELS] = socket_levels,
    [TIMEOUTS] = timeouts, [TYPES] = types, [MAGICS] = magics,
};

#define OPEN_FLAGS B(07777703) /* all of asm-generic/fcntl.h but O_PATH */
#define MODE UP_TO(07777)
#define MAP_FLAGS B(0x11f33) /* SHARED, PRIVATE, FIXED, ANONYMOUS, GROWSDOWN, ... POPULATE */
#define PROT B(0x7)
#define MESSAGE_FLAGS B(0x4040e7) /* OOB PEEK ... CTRUNC, TRUNC, DONTWAIT, WAITALL, NOSIGNAL */

const struct call calls[] = {
    {"read", 0, 0, 0, {K(FD), K(BUFFER), K(SIZE)}},
    {"write", 1, 0, 0, {K(FD), K(BUFFER), K(SIZE)}},
    {"open", 2, R_FD, 0, {K(PATH), OPEN_FLAGS, MODE}},
    {"open", 2, R_DIRECTORY, 0, {K(PATH), IS(0200000)}},
    {"close", 3, 0, 0, {K(FD)}},
    {"close", 3, 0, 0, {K(FD)}},
    {"stat", 4, 0, 0, {K(PATH), K(BUFFER)}},
    {"fstat", 5, 0, 0, {K(FD), K(BUFFER)}},
    {"lstat", 6, 0, 0, {K(PATH), K(BUFFER)}},
    {"poll", 7, 0, 0, {K(POLLS), UP_TO(8), L(TIMEOUTS)}},
    {"lseek", 8, 0, 0, {K(FD), K(OFFSET), UP_TO(5)}},
    {"lseek", 8, 0, 0, {K(DIRECTORY), K(OFFSET), UP_TO(2)}},
    {"mmap", 9, R_MAP, 0, {K(MAP), K(LENGTH), PROT, MAP_FLAGS, K(FD), K(OFFSET)}},
    {"mmap", 9, R_MAP, 0, {K(MAP), K(LENGTH), IS(3), IS(0x32), IS(0), IS(0)}},
    {"mprotect", 10, 0, 0, {K(MAP), K(LENGTH), PROT}},
    {"munmap", 11, 0, 0, {K(MAP), K(LENGTH)}},
    {"brk", 12, 0, 0, {K(MAP)}},
    {"rt_sigaction", 13, 0, 0, {K(SIGNAL), K(ACTION), K(BUFFER), IS(8)}},
    {"rt_sigprocmask", 14, 0, 0, {UP_TO(3), K(SIGSET), K(BUFFER), IS(8)}},
    {"rt_sigreturn", 15, 0, 8, {0}},
    {"ioctl", 16, 0, 0, {K(FD), L(IOCTLS), K(IO_ARGUMENT)}},
    {"pread64", 17, 0, 0, {K(FD), K(BUFFER), K(SIZE), K(OFFSET)}},
    {"pwrite64", 18, 0, 0, {K(FD), K(BUFFER), K(SIZE), K(OFFSET)}},
    {"readv", 19, 0, 0, {K(FD), K(VECTOR), UP_TO(9)}},
    {"writev", 20, 0, 0, {K(FD), K(VECTOR), UP_TO(9)}},
    {"access", 21, 0, 0, {K(PATH), UP_TO(8)}},
    {"pipe", 22, R_PAIR, 0, {K(BUFFER)}},
    {"select", 23, 0, 0, {UP_TO(70), K(FD_BITS), K(FD_BITS), K(FD_BITS), K(TIMEVAL)}},
    {"sched_yield", 24, 0, 0, {0}},
    {"mremap", 25, R_MAP, 0, {K(MAP), K(LENGTH), K(LENGTH), UP_TO(7), K(MAP)}},
    {"madvise", 28, 0, 0, {K(MAP), K(LENGTH), L(ADVICE)}},
    {"dup", 32, R_FD, 0, {K(FD)}},
    {"dup2", 33, R_FD, 0, {K(FD), K(NEW_FD)}},
    {"pause", 34, 0, 4, {0}},
    {"nanosleep", 35, 0, 0, {K(TIME), K(BUFFER)}},
    {"alarm", 37, 0, 0, {UP_TO(2)}},
    {"setitimer", 38, 0, 0, {UP_TO(3), K(INTERVAL), K(BUFFER)}},
    {"getpid", 39, R_CHILD, 0, {0}},
    {"socket", 41, R_SOCKET, 0, {UP_TO(3), L(TYPES), UP_TO(2)}},
    {"socket", 41, R_SOCKET, 0, {IS(1), L(TYPES), IS(0)}},
    {"connect", 42, 0, 0, {K(SOCKET), K(NAME), K(NAME_SIZE)}},
    {"accept", 43, R_SOCKET, 0, {K(SOCKET), K(BUFFER), K(WORD)}},
    {"sendto", 44, 0, 0, {K(SOCKET), K(BUFFER), K(SIZE), MESSAGE_FLAGS, K(NAME), K(NAME_SIZE)}},
    {"recvfrom", 45, 0, 0, {K(SOCKET), K(BUFFER), K(SIZE), MESSAGE_FLAGS, K(BUFFER), K(WORD)}},
    {"sendmsg", 46, 0, 0, {K(SOCKET), K(MESSAGE), MESSAGE_FLAGS}},
    {"recvmsg", 47, 0, 0, {K(SOCKET), K(MESSAGE), MESSAGE_FLAGS}},
    {"shutdown", 48, 0, 0, {K(SOCKET), UP_TO(3)}},
    {"bind", 49, 0, 0, {K(SOCKET), K(NAME), K(NAME_SIZE)}},
    {"listen", 50, 0, 0, {K(SOCKET), N}},
    {"getsockname", 51, 0, 0, {K(SOCKET), K(BUFFER), K(WORD)}},
    {"getpeername", 52, 0, 0, {K(SOCKET), K(BUFFER), K(WORD)}},
    {"socketpair", 53, R_PAIR, 0, {IS(1), L(TYPES), UP_TO(1), K(BUFFER)}},
    {"setsockopt", 54, 0, 0, {K(SOCKET), L(SOCKET_LEVELS), UP_TO(60), K(BUFFER), K(NAME_SIZE)}},
    {"getsockopt", 55, 0, 0, {K(SOCKET), L(SOCKET_LEVELS), UP_TO(60), K(BUFFER), K(WORD)}},
    {"clone", 56, R_CHILD, 0, {K(CLONE_FLAGS), K(STACK_ADDRESS), K(WORD), K(WORD), K(MAP)}},
    {"clone", 56, R_CHILD, 0, {K(CLONE_FLAGS), IS(0), K(BUFFER), K(CODE_ADDRESS), IS(0)}},
    {"fork", 57, R_CHILD, 0, {0}},
    {"vfork", 58, R_CHILD, 0, {0}},
    {"execve", 59, 0, 4, {K(PROGRAM), K(ARGV), K(ARGV)}},
    {"exit", 60, 0, 24, {N}},
    {"wait4", 61, 0, 0, {K(ANY_PID), K(BUFFER), B(0xe000000b), K(BUFFER)}},
    {"wait4", 61, 0, 0, {IS(0xffffffff), IS(0), IS(1), IS(0)}},
    {"kill", 62, 0, 0, {K(CHILD), K(SIGNAL)}},
    {"uname", 63, 0, 0, {K(BUFFER)}},
    {"fcntl", 72, R_FD, 0, {K(FD), L(FCNTLS), K(IO_ARGUMENT)}},
    {"truncate", 76, 0, 0, {K(PATH), K(OFFSET)}},
    {"ftruncate", 77, 0, 0, {K(FD), K(OFFSET)}},
    {"getcwd", 79, 0, 0, {K(BUFFER), K(SIZE)}},
    {"chdir", 80, 0, 4, {K(OWN_PATH)}},
    {"rename", 82, 0, 0, {K(OWN_PATH), K(OWN_PATH)}},
    {"mkdir", 83, 0, 0, {K(OWN_PATH), MODE}},
    {"rmdir", 84, 0, 0, {K(OWN_PATH)}},
    {"link", 86, 0, 0, {K(OWN_PATH), K(OWN_PATH)}},
    {"unlink", 87, 0, 0, {K(OWN_PATH)}},
    {"symlink", 88, 0, 0, {K(TARGET), K(OWN_PATH)}},
    {"readlink", 89, 0, 0, {K(PATH), K(BUFFER), K(SIZE)}},
    {"umask", 95, 0, 0, {MODE}},
    {"gettimeofday", 96, 0, 0, {K(BUFFER), K(BUFFER)}},
    {"getrlimit", 97, 0, 0, {UP_TO(17), K(BUFFER)}},
    {"getrusage", 98, 0, 0, {B(3), K(BUFFER)}},
    {"sysinfo", 99, 0, 0, {K(BUFFER)}},
    {"times", 100, 0, 0, {K(BUFFER)}},
    {"getuid", 102, 0, 4, {0}},
    {"getgid", 104, 0, 4, {0}},
    {"geteuid", 107, 0, 4, {0}},
    {"getegid", 108, 0, 4, {0}},
    {"setpgid", 109, 0, 0, {K(CHILD), K(ANY_PID)}},
    {"getppid", 110, 0, 4, {0}},
    {"getpgrp", 111, 0, 4, {0}},
    {"setsid", 112, 0, 0, {0}},
    {"getpgid", 121, 0, 0, {K(ANY_PID)}},
    {"getsid", 124, 0, 0, {K(ANY_PID)}},
    {"rt_sigsuspend", 130, 0, 0, {K(SIGSET), IS(8)}},
    {"sigaltstack", 131, 0, 0, {K(ALTSTACK), K(BUFFER)}},
    {"getpriority", 140, 0, 0, {UP_TO(3), K(ANY_PID)}},
    {"setpriority", 141, 0, 0, {UP_TO(3), K(CHILD), N}},
    {"sched_setscheduler", 144, 0, 0, {K(CHILD), UP_TO(7), K(WORD)}},
    {"sched_getscheduler", 145, 0, 0, {K(ANY_PID)}},
    {"prctl", 157, 0, 0, {L(PRCTLS), K(BUFFER)}},
    {"arch_prctl", 158, 0, 0, {L(ARCH_PRCTLS), K(MAP)}},
    {"mount", 165, 0, 0, {K(BUFFER), ARG(TARGET, 1), K(BUFFER), N, K(BUFFER)}},
    {"reboot", 169, 0, 0, {L(MAGICS), N, N, N}},
    {"gettid", 186, R_CHILD, 0, {0}},
    {"futex", 202, 0, 0, {K(WORD), L(FUTEX_OPS), UP_TO(3), K(TIME), K(WORD), UP_TO(3)}},
    {"futex", 202, 0, 0, {K(WORD), L(FUTEX_OPS), UP_TO(1), N, K(WORD), N}},
    {"sched_setaffinity", 203, 0, 0, {K(CHILD), K(NAME_SIZE), K(CPUS)}},
    {"sched_getaffinity", 204, 0, 0, {K(ANY_PID), K(NAME_SIZE), K(BUFFER)}},
    {"epoll_create", 213, R_EPOLL, 0, {UP_TO(2)}},
    {"getdents64", 217, 0, 0, {K(DIRECTORY), K(BUFFER), K(SIZE)}},
    {"getdents64", 217, 0, 0, {K(DIRECTORY), K(BUFFER), IS(2000)}},
    {"set_tid_address", 218, 0, 0, {K(WORD)}},
    {"clock_gettime", 228, 0, 0, {L(CLOCKS), K(BUFFER)}},
    {"clock_nanosleep", 230, 0, 0, {L(CLOCKS), UP_TO(1), K(TIME), K(BUFFER)}},
    {"exit_group", 231, 0, 100, {N}},
    {"epoll_wait", 232, 0, 0, {K(EPOLL), K(BUFFER), UP_TO(9), L(TIMEOUTS)}},
    {"epoll_ctl", 233, 0, 0, {K(EPOLL), UP_TO(4), K(FD), K(EVENT)}},
    {"epoll_ctl", 233, 0, 0, {K(EPOLL), IS(1), K(FD), K(EVENT)}},
    {"tgkill", 234, 0, 0, {K(CHILD), K(CHILD), K(SIGNAL)}},
    {"waitid", 247, 0, 0, {UP_TO(3), K(ANY_PID), K(BUFFER), B(0xe100000f), K(BUFFER)}},
    {"openat", 257, R_FD, 0, {K(DIRECTORY), K(PATH), OPEN_FLAGS, MODE}},
    {"newfstatat", 262, 0, 0, {K(DIRECTORY), K(PATH), K(BUFFER), B(0x1d00)}},
    {"pselect6", 270, 0, 0, {UP_TO(70), K(FD_BITS), K(FD_BITS), K(FD_BITS), K(TIME), K(SIZED_MASK)}},
    {"ppoll", 271, 0, 0, {K(POLLS), UP_TO(8), K(TIME), K(SIGSET), IS(8)}},
    {"set_robust_list", 273, 0, 0, {K(ROBUST), IS(24)}},
    {"get_robust_list", 274, 0, 0, {K(ANY_PID), K(BUFFER), K(BUFFER)}},
    {"epoll_pwait", 281, 0, 0, {K(EPOLL), K(BUFFER), UP_TO(9), L(TIMEOUTS), K(SIGSET), IS(8)}},
    {"timerfd_create", 283, R_TIMER, 0, {L(CLOCKS), B(02004000)}},
    {"eventfd", 284, R_FD, 0, {N}},
    {"timerfd_settime", 286, 0, 0, {K(TIMER), UP_TO(3), K(INTERVAL), K(BUFFER)}},
    {"timerfd_gettime", 287, 0, 0, {K(TIMER), K(BUFFER)}},
    {"accept4", 288, R_SOCKET, 0, {K(SOCKET), K(BUFFER), K(WORD), B(02004000)}},
    {"eventfd2", 290, R_FD, 0, {N, B(02004001)}},
    {"epoll_create1", 291, R_EPOLL, 0, {B(02000000)}},
    {"dup3", 292, R_FD, 0, {K(FD), K(NEW_FD), B(02004000)}},
    {"pipe2", 293, R_PAIR, 0, {K(BUFFER), B(02044000)}},
    {"prlimit64", 302, 0, 0, {K(ANY_PID), UP_TO(17), K(LIMIT), K(BUFFER)}},
    {"getrandom", 318, 0, 0, {K(BUFFER), K(SIZE), B(7)}},
    {"epoll_pwait2", 441, 0, 0, {K(EPOLL), K(BUFFER), UP_TO(9), K(TIME), K(SIGSET), IS(8)}},
    {"unknown", 600, 0, 8, {N, N, N, N, N, N}},
    /* Tricks: what can be done without a call, and files that others are about. */
    {"#flags", T_FLAGS, 0, 0, {B(0x250fd5)}}, /* ID AC RF NT OF DF TF SF ZF AF PF CF */
    {"#segment", T_SEGMENT, 0, 0, {UP_TO(4), N}},
    {"#far", T_FAR, 0, 4, {UP_TO(2), N, K(CODE_ADDRESS)}},
    {"#gs_base", T_GS_BASE, 0, 0, {K(CODE_ADDRESS)}},
    {"#x87", T_X87, 0, 0, {N}},
    {"#mxcsr", T_MXCSR, 0, 0, {N}},
    {"#instruction", T_INSTRUCTION, 0, 0, {UP_TO(15), K(CODE_ADDRESS)}},
    {"#read", T_READ, 0, 0, {K(CODE_ADDRESS)}},
    {"#write", T_WRITE, 0, 0, {K(CODE_ADDRESS)}},
    {"#sigreturn", T_SIGRETURN, 0, 0, {K(FRAME)}},
    {"#elf", T_ELF, 0, 2, {0}},
    {"#script", T_SCRIPT, 0, 4, {0}},
    {"#fail_nth", T_FAIL_NTH, 0, 0, {N}},
    {"#mend", T_MEND, 0, 0, {0}},
};
const int calls_count = sizeof(calls) / sizeof(*calls);
