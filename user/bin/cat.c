/* cat [FILE...]: files one after another to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int copy(int fd, const char *name)
{
    static char buffer[32768];
    ssize_t got;

    while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t done = 0; done < got;) {
            ssize_t part = write(1, buffer + done, (size_t)(got - done));

            if (part < 0) {
                perror("cat: write");
                return 1;
            }
            done += part;
        }
    }
    if (got < 0) {
        fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
    }
    return got < 0;
}

int main(int argc, char **argv)
{
    int status = argc == 1 ? copy(0, "-") : 0;

    for (int i = 1; i < argc; i++) {
        int fd = strcmp(argv[i], "-") == 0 ? 0 : open(argv[i], O_RDONLY);

        if (fd < 0) {
            fprintf(stderr, "cat: %s: %s\n", argv[i], strerror(errno));
            status = 1;
            continue;
        }
        status |= copy(fd, argv[i]);
        if (fd > 0) {
            close(fd);
        }
    }
    return status;
}
