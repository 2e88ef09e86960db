#ifndef ULIB_SYS_WAIT_H
#define ULIB_SYS_WAIT_H
#include <sys/types.h>
enum { WNOHANG = 1, WUNTRACED = 2, WCONTINUED = 8 };
#define WIFEXITED(s) (((s) & 0x7f) == 0)
#define WEXITSTATUS(s) ((s) >> 8 & 0xff)
#define WIFSIGNALED(s) (((s) & 0x7f) != 0 && ((s) & 0x7f) != 0x7f)
#define WTERMSIG(s) ((s) & 0x7f)
#define WIFSTOPPED(s) (((s) & 0xff) == 0x7f)
#define WSTOPSIG(s) WEXITSTATUS(s)
#define WIFCONTINUED(s) ((s) == 0xffff)
struct rusage;
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
pid_t wait(int *status);
pid_t waitpid(pid_t pid, int *status, int options);
#endif
