/* cp FROM... TO: copy files; to a directory under their own names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy(const char *from, const char *to)
{
    static char buffer[32768];
    struct stat st;
    int in = open(from, O_RDONLY), out = -1;
    ssize_t got = -1;

    if (in >= 0 && fstat(in, &st) == 0) {
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC, st.st_mode & 0777);
    }
    while (out >= 0 && (got = read(in, buffer, sizeof(buffer))) > 0) {
        if (write(out, buffer, (size_t)got) != got) {
            got = -1;
            break;
        }
    }
    if (got < 0) {
        fprintf(stderr, "cp: %s: %s\n", in < 0 ? from : to, strerror(errno));
    }
    close(in);
    close(out);
    return got < 0;
}

int main(int argc, char **argv)
{
    struct stat st;
    int status = 0, into;

    if (argc < 3) {
        fprintf(stderr, "usage: cp FROM... TO\n");
        return 2;
    }
    into = stat(argv[argc - 1], &st) == 0 && S_ISDIR(st.st_mode);
    if (argc > 3 && !into) {
        fprintf(stderr, "cp: %s is not a directory\n", argv[argc - 1]);
        return 1;
    }
    for (int i = 1; i < argc - 1; i++) {
        char path[4096];
        const char *name = strrchr(argv[i], '/');

        snprintf(path, sizeof(path), into ? "%s/%s" : "%s", argv[argc - 1], name ? name + 1 : argv[i]);
        status |= copy(argv[i], path);
    }
    return status;
}
