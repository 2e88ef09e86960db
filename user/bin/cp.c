/* cp [-r] FROM... TO: copy files; to a folder under their own names; -r: folders and links, too. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int recursive;
static struct stat made; /* the folder that the copy of a folder began with */

static int copy(const char *from, const char *to);

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "cp: %s: %s\n", path, what);
    return 1;
}

static int is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
    static char buffer[32768];
    int in = open(from, O_RDONLY), out = -1;
    ssize_t got = -1;

    if (in >= 0) {
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode & 0777);
    }
    while (out >= 0 && (got = read(in, buffer, sizeof(buffer))) > 0) {
        if (write(out, buffer, (size_t)got) != got) {
            got = -1;
            break;
        }
    }
    if (got < 0) {
        complain(in < 0 ? from : to, strerror(errno));
    }
    close(in);
    close(out);
    return got < 0;
}

static int copy_link(const char *from, const char *to)
{
    char target[4096];
    ssize_t size = readlink(from, target, sizeof(target) - 1);

    target[size > 0 ? size : 0] = '\0';
    return size < 0 || symlink(target, to) ? complain(to, strerror(errno)) : 0;
}

static int copy_folder(const char *from, const char *to, mode_t mode)
{
    char inside[4096], copied[4096];
    DIR *dir = opendir(from);
    struct dirent *entry;
    int status = 0;

    if (!dir) {
        return complain(from, strerror(errno));
    }
    if (mkdir(to, mode & 0777) && errno != EEXIST) {
        closedir(dir);
        return complain(to, strerror(errno));
    }
    if (!made.st_ino) {
        stat(to, &made);
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            snprintf(inside, sizeof(inside), "%s/%s", from, entry->d_name);
            snprintf(copied, sizeof(copied), "%s/%s", to, entry->d_name);
            status |= copy(inside, copied);
        }
    }
    closedir(dir);
    return status;
}

static int copy(const char *from, const char *to)
{
    struct stat st, there;

    if (recursive ? lstat(from, &st) : stat(from, &st)) {
        return complain(from, strerror(errno));
    }
    if (stat(to, &there) == 0 && is_same(&st, &there)) {
        return complain(from, "it would be copied onto itself");
    }
    if (S_ISDIR(st.st_mode)) {
        if (!recursive) {
            return complain(from, "a folder: cp -r copies it");
        }
        return is_same(&st, &made) ? complain(from, "it would be copied into itself")
                                   : copy_folder(from, to, st.st_mode);
    }
    return S_ISLNK(st.st_mode) ? copy_link(from, to) : copy_file(from, to, st.st_mode);
}

/* The last part of a path, also if slashes follow it; they are cut. */
static const char *own_name(char *path)
{
    size_t size = strlen(path);
    char *slash;

    while (size > 1 && path[size - 1] == '/') {
        path[--size] = '\0';
    }
    slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    int option, status = 0, into;
    const char *to = argv[argc - 1];
    struct stat st;

    while ((option = getopt(argc, argv, "rR")) != -1) {
        recursive = 1;
        if (option == '?') {
            return 1;
        }
    }
    if (argc - optind < 2) {
        fprintf(stderr, "usage: cp [-r] FROM... TO\n");
        return 1;
    }
    into = stat(to, &st) == 0 && S_ISDIR(st.st_mode);
    if (argc - optind > 2 && !into) {
        return complain(to, "is no folder");
    }
    for (int i = optind; i < argc - 1; i++) {
        char path[4096];

        snprintf(path, sizeof(path), into ? "%s/%s" : "%s", to, own_name(argv[i]));
        made.st_ino = 0;
        status |= copy(argv[i], path);
    }
    return status;
}
