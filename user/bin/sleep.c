/* sleep SECONDS: fractions are fine. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    char *end;
    double seconds = argc == 2 ? strtod(argv[1], &end) : -1;
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    if (seconds < 0 || *end) {
        fprintf(stderr, "usage: sleep SECONDS\n");
        return 2;
    }
    while (nanosleep(&time, &time)) {
    }
    return 0;
}
