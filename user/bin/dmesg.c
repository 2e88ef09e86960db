/* dmesg: what the kernel has said. Linux may let only root see it, and marks lines by <LEVEL>. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>

enum { READ_ALL = 3, SIZE_BUFFER = 10 }; /* syslog(2) */

int main(int argc, char **argv)
{
    int size = klogctl(SIZE_BUFFER, NULL, 0);
    char *log = size > 0 ? malloc((size_t)size) : NULL, *line = log;

    if (argc > 1) {
        fprintf(stderr, "dmesg: no use for '%s'\nusage: dmesg\n", argv[1]);
        return 1;
    }
    size = log ? klogctl(READ_ALL, log, size) : -1;
    if (size < 0) {
        fprintf(stderr, "dmesg: read kernel buffer failed: %s\n", strerror(errno));
        return 1;
    }
    while (line < log + size) {
        char *end = memchr(line, '\n', (size_t)(log + size - line)), *level = line;

        end = end ? end : log + size;
        if (*level == '<') {
            level += 1 + strspn(level + 1, "0123456789");
            line = *level == '>' ? level + 1 : line;
        }
        printf("%.*s\n", (int)(end - line), line);
        line = end + 1;
    }
    return 0;
}
