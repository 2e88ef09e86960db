/* mv FROM... TO: rename; to a directory under the own names. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
    struct stat st;
    int status = 0, into;

    if (argc < 3) {
        fprintf(stderr, "usage: mv FROM... TO\n");
        return 2;
    }
    into = stat(argv[argc - 1], &st) == 0 && S_ISDIR(st.st_mode);
    for (int i = 1; i < argc - 1; i++) {
        char path[4096];
        const char *name = strrchr(argv[i], '/');

        snprintf(path, sizeof(path), into ? "%s/%s" : "%s", argv[argc - 1], name ? name + 1 : argv[i]);
        if (rename(argv[i], path)) {
            fprintf(stderr, "mv: %s: %s\n", argv[i], strerror(errno));
            status = 1;
        }
    }
    return status;
}
