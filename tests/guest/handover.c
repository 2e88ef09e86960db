/* Two processes, each on a CPU of its own, hand a byte to and fro. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 1000

static void stay_on(int cpu)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
        _exit(1);
    }
}

static void hand_over(int from, int to)
{
    char byte = 0;

    for (int i = 0; i < ROUNDS; i++) {
        if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1) {
            _exit(1);
        }
    }
}

int main(void)
{
    int there[2], back[2], status;

    if (pipe(there) || pipe(back)) {
        return 1;
    }
    if (fork() == 0) {
        stay_on(1);
        hand_over(there[0], back[1]);
        _exit(0);
    }
    stay_on(0);
    write(there[1], "", 1); /* the first one; the last one stays */
    hand_over(back[0], there[1]);
    return wait(&status) < 0 || status;
}
