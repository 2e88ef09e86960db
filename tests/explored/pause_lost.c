/* Two processes: a signal that comes between the look at its flag and pause() is not waited for any
 * more. Right: it is blocked up to sigsuspend(). */
#include "explored.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t came;

static void note(int number)
{
    (void)number;
    came = 1;
}

int main(void)
{
    struct sigaction action = {.sa_handler = note};
    pid_t parent = getpid(), child;
    sigset_t block, before;

    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, IF_RIGHT(&block) IF_WRONG(NULL), &before);
    child = fork();
    if (child == 0) {
        kill(parent, SIGUSR1);
        _exit(0);
    }
    while (!came) {
        IF_WRONG(pause();)
        IF_RIGHT(sigsuspend(&before);)
    }
    waitpid(child, NULL, 0);
    return 0;
}
