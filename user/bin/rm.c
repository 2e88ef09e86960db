/* rm [-rf] PATH...: -r removes directories with what is in them, -f complains less. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int recursive, force;

static int remove_path(const char *path)
{
    struct stat st;
    int failed = 0;

    if (lstat(path, &st)) {
        if (!force) {
            fprintf(stderr, "rm: %s: %s\n", path, strerror(errno));
        }
        return !force;
    }
    if (S_ISDIR(st.st_mode) && recursive) {
        DIR *dir = opendir(path);
        struct dirent *entry;
        char inside[4096];

        while (dir && (entry = readdir(dir))) {
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
                snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
                failed |= remove_path(inside);
            }
        }
        if (dir) {
            closedir(dir);
        }
    }
    if (S_ISDIR(st.st_mode) && recursive ? rmdir(path) : unlink(path)) {
        fprintf(stderr, "rm: %s: %s\n", path, strerror(errno));
        failed = 1;
    }
    return failed;
}

int main(int argc, char **argv)
{
    int option, status = 0;

    while ((option = getopt(argc, argv, "rRf")) != -1) {
        recursive |= option == 'r' || option == 'R';
        force |= option == 'f';
        if (option == '?') {
            return 2;
        }
    }
    if (optind == argc && !force) {
        fprintf(stderr, "usage: rm [-rf] PATH...\n");
        return 1;
    }
    for (int i = optind; i < argc; i++) {
        status |= remove_path(argv[i]);
    }
    return status;
}
