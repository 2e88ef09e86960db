/* seq [FIRST [STEP]] LAST: numbers, one a line. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    long first = argc > 2 ? atol(argv[1]) : 1, step = argc > 3 ? atol(argv[2]) : 1;
    long last = argc > 1 ? atol(argv[argc - 1]) : 0;

    if (argc < 2 || argc > 4 || step == 0) {
        fprintf(stderr, "usage: seq [FIRST [STEP]] LAST\n");
        return 2;
    }
    for (long i = first; step > 0 ? i <= last : i >= last; i += step) {
        printf("%ld\n", i);
    }
    return 0;
}
