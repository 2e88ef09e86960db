/* tee [-a] FILE...: standard input to standard output and to files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int append = getopt(argc, argv, "a") == 'a', fds[16], count = 0, status = 0;
    char buffer[4096];
    ssize_t got;

    for (int i = optind; i < argc && count < 16; i++) {
        fds[count] = open(argv[i], O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0666);
        if (fds[count] < 0) {
            fprintf(stderr, "tee: %s: %s\n", argv[i], strerror(errno));
            status = 1;
        } else {
            count++;
        }
    }
    while ((got = read(0, buffer, sizeof(buffer))) > 0) {
        for (int i = -1; i < count; i++) {
            if (write(i < 0 ? 1 : fds[i], buffer, (size_t)got) != got) {
                status = 1;
            }
        }
    }
    return status;
}
