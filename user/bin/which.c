/* which NAME...: the file that is run under this name, from PATH. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int find(const char *name)
{
    const char *path = getenv("PATH");
    char file[4096];

    for (path = path ? path : "/bin"; *path; path += *path == ':') {
        size_t size = strcspn(path, ":");

        snprintf(file, sizeof(file), "%.*s/%s", (int)size, path, name);
        path += size;
        if (access(file, X_OK) == 0) {
            puts(file);
            return 0;
        }
    }
    return 1;
}

int main(int argc, char **argv)
{
    int status = argc < 2 ? 2 : 0;

    for (int i = 1; i < argc; i++) {
        if (strchr(argv[i], '/') ? access(argv[i], X_OK) : find(argv[i])) {
            status = 1;
        } else if (strchr(argv[i], '/')) {
            puts(argv[i]);
        }
    }
    return status;
}
