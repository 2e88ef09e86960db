/*
 * ls [-lad1] [PATH...]: names, in columns on a terminal; -l with type, rights, size and time; -d of a
 * folder itself. Of several, those that are no folders come first.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int long_format, all, itself, one_column;

/* rwx three times; s, s and t instead of x where the upper three bits are set, or S and T of -. */
static void print_rights(mode_t mode)
{
    for (int bit = 8; bit >= 0; bit--) {
        int set = mode >> bit & 1;

        if (bit % 3 == 0 && mode >> (9 + bit / 3) & 1) {
            putchar((set ? "tss" : "TSS")[bit / 3]);
        } else {
            putchar(set ? "xwr"[bit % 3] : '-');
        }
    }
}

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
    print_rights(st.st_mode);
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
    if (!long_format && !one_column && isatty(1)) {
        columns = (ioctl(1, TIOCGWINSZ, &window) == 0 && window.ws_col ? window.ws_col : 80u) / width;
        columns = columns ? columns : 1;
    }
    rows = (count + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < count; i += rows) {
            if (long_format) {
                snprintf(path, sizeof(path), "%s%s%s", directory, *directory ? "/" : "", names[i]);
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
    DIR *dir = opendir(path);

    if (!dir) {
        fprintf(stderr, "ls: cannot open directory '%s': %s\n", path, strerror(errno));
        return 2;
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

/* A folder is listed, but with -d; one behind a link is, too, but with -l. */
static int is_listed(const char *path, const struct stat *found)
{
    struct stat st;

    return !itself && (S_ISDIR(found->st_mode) || (S_ISLNK(found->st_mode) && !long_format &&
                                                   stat(path, &st) == 0 && S_ISDIR(st.st_mode)));
}

/* Of `count` paths, print the files; leave the folders in `paths`. Returns the status. */
static int print_files(char **paths, int count, int *folders)
{
    char **files = malloc((size_t)count * sizeof(*files));
    size_t file_count = 0;
    struct stat st;
    int status = 0;

    *folders = 0;
    for (int i = 0; i < count; i++) {
        if (lstat(paths[i], &st)) {
            fprintf(stderr, "ls: cannot access '%s': %s\n", paths[i], strerror(errno));
            status = 2;
        } else if (is_listed(paths[i], &st)) {
            paths[(*folders)++] = paths[i];
        } else {
            files[file_count++] = paths[i];
        }
    }
    print_names("", files, file_count);
    if (file_count && *folders) {
        putchar('\n');
    }
    free(files);
    return status;
}

int main(int argc, char **argv)
{
    static char *here[] = {"."};
    int option, status, folders, count;
    char **paths;

    while ((option = getopt(argc, argv, "lad1")) != -1) {
        if (option == '?') {
            return 2;
        }
        long_format |= option == 'l';
        all |= option == 'a';
        itself |= option == 'd';
        one_column |= option == '1';
    }
    count = optind < argc ? argc - optind : 1;
    paths = optind < argc ? argv + optind : here;
    qsort(paths, (size_t)count, sizeof(*paths), compare);
    status = print_files(paths, count, &folders);
    for (int i = 0; i < folders; i++) {
        if (count > 1) {
            printf("%s%s:\n", i > 0 ? "\n" : "", paths[i]);
        }
        status |= list(paths[i]);
    }
    return status;
}
