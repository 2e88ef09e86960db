/*
 * preempt [--json]: two endless loops that never yield both make progress, for the timer takes
 * the CPU away from each. Coroutines without a yield would not.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int json = argc > 1 && strcmp(argv[1], "--json") == 0, both;
    volatile unsigned long *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child[2];

    if (!json) {
        printf("Two processes count for ever and never give the CPU away.\n"
               "Look at both numbers: each grows, since the timer interrupt switches them.\n\n");
        fflush(stdout);
    }
    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            for (;;) {
                count[i * 64]++;
            }
        }
    }
    for (int step = 1; step <= 4 && !json; step++) {
        usleep(100000);
        printf("  after %d00 ms: %12lu %12lu\n", step, count[0], count[64]);
        fflush(stdout);
    }
    while (count[0] == 0 || count[64] == 0) { /* a busy host may need longer */
        usleep(10000);
    }
    for (int i = 0; i < 2; i++) {
        kill(child[i], SIGKILL);
        waitpid(child[i], NULL, 0);
    }
    both = count[0] > 0 && count[64] > 0;
    if (json) {
        printf("{\"demo\": \"preempt\", \"first\": %lu, \"second\": %lu}\n", count[0], count[64]);
    } else {
        printf("\nBoth made progress: %s.\n", both ? "yes" : "no");
    }
    return !both;
}
