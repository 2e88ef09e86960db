/* touch [-c] FILE...: their times are now; a file that is missing is made, but with -c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int touch(const char *path, int create)
{
    int fd = create ? open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0666) : -1;
    int error = create && fd < 0 && errno != EISDIR ? errno : 0; /* a folder has times, too */

    close(fd);
    if (utimensat(AT_FDCWD, path, NULL, 0) == 0 || (!create && errno == ENOENT)) {
        return 0;
    }
    fprintf(stderr, "touch: %s '%s': %s\n", error ? "cannot touch" : "setting times of", path,
            strerror(error ? error : errno));
    return 1;
}

int main(int argc, char **argv)
{
    int create = 1, option, status = 0;

    while ((option = getopt(argc, argv, "c")) != -1) {
        create = 0;
        if (option == '?') {
            return 1;
        }
    }
    if (optind == argc) {
        fprintf(stderr, "touch: missing file operand\nusage: touch [-c] FILE...\n");
        return 1;
    }
    for (int i = optind; i < argc; i++) {
        status |= touch(argv[i], create);
    }
    return status;
}
