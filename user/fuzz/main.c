/*
 * The fuzzer's two faces: what the user starts is the judge, what the judge and forged execves start
 * is a worker. On somebody's own machine it does nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

static int shared_map(void)
{
    int fd = open(SHARED_PATH, O_RDWR);
    void *at = mmap(shared, sizeof(struct common), 3, MAP_SHARED | MAP_FIXED, fd, 0);

    close(fd);
    return at == (void *)shared;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--worker") == 0) {
        if (!shared_map()) {
            _exit(1);
        }
        worker_main(strtoul(argv[2], NULL, 10), atol(argv[3]));
    }
    if (argc < 5 || strcmp(argv[1], "--seed") != 0) {
        puts("usage: fuzz --seed S --calls N [--round R] [--only NAME,...] [--inject 1]");
        return 2;
    }
    if (access("/proc/unimplemented", F_OK) != 0) {
        puts("fuzz: only under Baton: a machine of one's own is no place for this");
        return 0;
    }
    return judge_main(argc, argv);
}
