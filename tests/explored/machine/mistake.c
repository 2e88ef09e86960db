/* A lost update; where it shows, the kernel makes the mistake that is named, with crash=device. */
#include "../explored.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static volatile int counter;

static void *add(void *unused)
{
    int value = counter;

    BETWEEN(value);
    counter = value + 1;
    return unused;
}

int main(int argc, char **argv)
{
    int device = open("/dev/crash", O_WRONLY);

    two_threads(add, add);
    if (counter != 2 && argc > 1) {
        write(device, argv[1], strlen(argv[1]));
    }
    return 0;
}
