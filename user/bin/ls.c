/* ls [-la] [PATH...]: names, in columns on a terminal; -l with type, size and time. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int long_format, all;

static void print_long(const char *path, const char *name)
{
    static const char types[] = "?pc?d?b?-?l?s???";
    struct stat st;
    char when[32], target[4096];
    ssize_t size;

    if (lstat(path, &st)) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return;
    }
    putchar(types[st.st_mode >> 12 & 15]);
    for (int bit = 8; bit >= 0; bit--) {
        putchar(st.st_mode >> bit & 1 ? "xwr"[bit % 3] : '-');
    }
    strftime(when, sizeof(when), "%F %H:%M", gmtime(&st.st_mtim.tv_sec));
    printf(" %3lu root root %9ld %s %s", st.st_nlink, st.st_size, when, name);
    if (S_ISLNK(st.st_mode) && (size = readlink(path, target, sizeof(target) - 1)) > 0) {
        target[size] = '\0';
        printf(" -> %s", target);
    }
    putchar('\n');
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_names(const char *directory, char **names, size_t count)
{
    struct winsize window;
    size_t width = 0, columns = 1, rows;
    char path[4096];

    for (size_t i = 0; i < count; i++) {
        width = strlen(names[i]) > width ? strlen(names[i]) : width;
    }
    width += 2;
    if (!long_format && isatty(1)) {
        columns = (ioctl(1, TIOCGWINSZ, &window) == 0 && window.ws_col ? window.ws_col : 80u) / width;
        columns = columns ? columns : 1;
    }
    rows = (count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < count; i += rows) {
            if (long_format) {
                snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
                print_long(path, names[i]);
            } else {
                printf(i + rows < count ? "%-*s" : "%.0d%s\n", i + rows < count ? (int)width : 0,
                       names[i]);
            }
        }
    }
}

static int list(const char *path)
{
    char **names = NULL;
    size_t count = 0, size = 0;
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    if (lstat(path, &st)) {
        fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
        return 1;
    }
    dir = S_ISDIR(st.st_mode) || !long_format ? opendir(path) : NULL;
    if (!dir) {
        if (long_format) {
            print_long(path, path);
        } else {
            puts(path);
        }
        return 0;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.' && !all) {
            continue;
        }
        if (count == size) {
            size = size ? size * 2 : 32;
            names = realloc(names, size * sizeof(*names));
        }
        names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    qsort(names, count, sizeof(*names), compare);
    print_names(path, names, count);
    return 0;
}

int main(int argc, char **argv)
{
    int option, status = 0;

    while ((option = getopt(argc, argv, "la1")) != -1) {
        if (option == '?') {
            return 2;
        }
        long_format |= option == 'l';
        all |= option == 'a';
    }
    if (optind == argc) {
        return list(".");
    }
    for (int i = optind; i < argc; i++) {
        if (argc - optind > 1) {
            printf("%s%s:\n", i > optind ? "\n" : "", argv[i]);
        }
        status |= list(argv[i]);
    }
    return status;
}
