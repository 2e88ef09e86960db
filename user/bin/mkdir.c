/* mkdir [-p] DIRECTORY...: -p makes what is missing above, too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make(char *path, int parents)
{
    for (char *at = path + 1; parents && *at; at++) {
        if (*at == '/') {
            *at = '\0';
            mkdir(path, 0777);
            *at = '/';
        }
    }
    if (mkdir(path, 0777) && !(parents && errno == EEXIST)) {
        fprintf(stderr, "mkdir: %s: %s\n", path, strerror(errno));
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int parents = getopt(argc, argv, "p") == 'p', status = 0;

    if (optind == argc) {
        fprintf(stderr, "usage: mkdir [-p] DIRECTORY...\n");
        return 2;
    }
    for (int i = optind; i < argc; i++) {
        status |= make(argv[i], parents);
    }
    return status;
}
