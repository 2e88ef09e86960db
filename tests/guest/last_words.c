/* Several processes write at the same time; the first one, which waited for them, switches off at once. */
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char line[32];

    for (int child = 0; child < 4; child++) {
        if (fork() == 0) {
            for (int i = 0; i < 300; i++) {
                int size = snprintf(line, sizeof(line), "%d of %d\n", i, child);

                if (write(1, line, (size_t)size) != size) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
    }
    return reboot(RB_POWER_OFF);
}
