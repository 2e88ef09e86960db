/* Files, directories and descriptors when memory runs out. */
#include <sys/stat.h>
#include <sys/syscall.h>

#include "inject.h"

#define PAGE 4096

static char data[20 * PAGE], text[20 * PAGE + 1];
static int file;

static long size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (long)st.st_size : -errno;
}

static void make(const char *path, size_t size, int seed)
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (char)(i / 100 + (size_t)seed);
    }
    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
}

static void check_file(const char *path, size_t size, int seed)
{
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0 && read(fd, text, sizeof(text)) == (ssize_t)size && close(fd) == 0);
    for (size_t i = 0; i < size; i++) {
        CHECK(text[i] == (char)(i / 100 + (size_t)seed));
    }
}

static long run_create(void)
{
    return open("a", O_RDWR | O_CREAT | O_EXCL, 0600);
}

static void check_create(long result)
{
    CHECK(size_of("a") == (result < 0 ? -ENOENT : 0));
}

static const struct operation create = {"create", NULL, run_create, check_create, 0};
SWEEP(create)

static long run_create_more(void)
{
    return inject_beyond_table(run_create);
}

static const struct operation create_more = {"create with a full table", inject_fill_table,
                                             run_create_more, check_create, 0};
SWEEP(create_more)

static void setup_open(void)
{
    make("a", 3 * PAGE, 1);
}

static long run_open_truncating(void)
{
    return open("a", O_RDWR | O_TRUNC);
}

static void check_open_truncating(long result)
{
    if (result < 0) {
        check_file("a", 3 * PAGE, 1);
    } else {
        CHECK(size_of("a") == 0);
    }
}

static const struct operation open_truncating = {"open and truncate", setup_open, run_open_truncating,
                                                 check_open_truncating, 0};
SWEEP(open_truncating)

static void setup_write(void)
{
    make("a", 5000, 1);
    file = open("a", O_RDWR);
    CHECK(file >= 0 && lseek(file, 5000, SEEK_SET) == 5000);
}

static long run_write(void)
{
    return write(file, data + 5000, sizeof(data) - 5000);
}

/* A part of it may have been written; that is then what the call says. */
static void check_write(long result)
{
    long end = 5000 + (result > 0 ? result : 0);

    CHECK(size_of("a") == end && lseek(file, 0, SEEK_CUR) == end);
    check_file("a", (size_t)end, 1);
}

static const struct operation write_to_file = {"write", setup_write, run_write, check_write, 0};
SWEEP(write_to_file)

/* Far behind the end: what is between is zero. */
static long run_write_far(void)
{
    return lseek(file, 3 << 20, SEEK_SET) < 0 ? -1 : write(file, data, 2 * PAGE);
}

static void check_write_far(long result)
{
    CHECK(size_of("a") == (result < 0 ? 5000 : (3 << 20) + result));
    CHECK(lseek(file, 0, SEEK_SET) == 0 && read(file, text, 5000) == 5000);
    CHECK(memcmp(text, data, 5000) == 0);
    CHECK(read(file, text, PAGE) == (result < 0 ? 0 : PAGE) && (result < 0 || text[0] == 0));
    if (result > 0) {
        CHECK(lseek(file, 3 << 20, SEEK_SET) == 3 << 20);
        CHECK(read(file, text, sizeof(text)) == result && memcmp(text, data, (size_t)result) == 0);
    }
}

static const struct operation write_far = {"write behind the end", setup_write, run_write_far,
                                           check_write_far, 0};
SWEEP(write_far)

static long run_truncate(void)
{
    return ftruncate(file, 2500);
}

static void check_truncate(long result)
{
    check_file("a", result < 0 ? 5000 : 2500, 1);
}

static const struct operation truncated = {"truncate", setup_write, run_truncate, check_truncate, 0};
SWEEP(truncated)

static long run_grow(void)
{
    return syscall(SYS_truncate, "a", 9 * PAGE);
}

static void check_grow(long result)
{
    CHECK(size_of("a") == (result < 0 ? 5000 : 9 * PAGE));
    CHECK(read(file, text, sizeof(text)) == (result < 0 ? 0 : 9 * PAGE - 5000));
    CHECK(result < 0 || (text[0] == 0 && text[7 * PAGE] == 0));
}

static const struct operation grown = {"truncate, larger", setup_write, run_grow, check_grow, 0};
SWEEP(grown)

static void setup_two(void)
{
    make("a", 2 * PAGE, 1);
    make("b", PAGE, 70);
    CHECK(mkdir("e", 0700) == 0);
}

static long run_rename(void)
{
    return syscall(SYS_rename, "a", "b");
}

static void check_rename(long result)
{
    if (result < 0) {
        check_file("a", 2 * PAGE, 1);
        check_file("b", PAGE, 70);
    } else {
        CHECK(size_of("a") == -ENOENT);
        check_file("b", 2 * PAGE, 1);
    }
}

static const struct operation renamed = {"rename", setup_two, run_rename, check_rename, 0};
SWEEP(renamed)

static long run_rename_away(void)
{
    return syscall(SYS_rename, "a", "e/f");
}

static void check_rename_away(long result)
{
    CHECK(size_of(result < 0 ? "e/f" : "a") == -ENOENT);
    check_file(result < 0 ? "a" : "e/f", 2 * PAGE, 1);
}

static const struct operation renamed_away = {"rename to elsewhere", setup_two, run_rename_away,
                                              check_rename_away, 0};
SWEEP(renamed_away)

static long run_link(void)
{
    return link("a", "c");
}

static void check_link(long result)
{
    struct stat st;

    CHECK(stat("a", &st) == 0 && st.st_nlink == (result < 0 ? 1 : 2));
    CHECK(size_of("c") == (result < 0 ? -ENOENT : 2 * PAGE));
}

static const struct operation linked = {"link", setup_two, run_link, check_link, 0};
SWEEP(linked)

static long run_symlink(void)
{
    return symlink("a", "c");
}

static void check_symlink(long result)
{
    CHECK(size_of("c") == (result < 0 ? -ENOENT : 2 * PAGE));
    CHECK(readlink("c", text, sizeof(text)) == (result < 0 ? -1 : 1));
}

static const struct operation symlinked = {"symlink", setup_two, run_symlink, check_symlink, 0};
SWEEP(symlinked)

static long run_mkdir(void)
{
    return mkdir("d", 0700);
}

static void check_mkdir(long result)
{
    struct stat st;

    CHECK((stat("d", &st) == 0) == (result == 0));
    CHECK(result < 0 || S_ISDIR(st.st_mode));
}

static const struct operation directory = {"mkdir", NULL, run_mkdir, check_mkdir, 0};
SWEEP(directory)

static long run_remove(void)
{
    return unlink("a") || rmdir("e") ? -1 : 0;
}

static void check_remove(long result)
{
    CHECK(result == 0 ? size_of("a") == -ENOENT && size_of("e") == -ENOENT : size_of("e") >= 0);
}

static const struct operation removed = {"unlink and rmdir", setup_two, run_remove, check_remove, 0};
SWEEP(removed)

/* Calls that take a path and give an answer: the right one, or none. */
static char long_path[3000];

static void setup_look(void)
{
    setup_two();
    CHECK(symlink("e/../a", "c") == 0 && getcwd(data, sizeof(data)));
    for (size_t i = 0; i < sizeof(long_path) - 2; i += 2) {
        memcpy(long_path + i, "./", 2);
    }
    strcpy(long_path + sizeof(long_path) - 4, "/c");
}

static long run_look(void)
{
    struct stat st;

    if (stat(long_path, &st) || access("c", R_OK) || readlink("c", text, sizeof(text)) < 0 ||
        !getcwd(text + PAGE, PAGE) || chdir("e") || chdir("..")) {
        return -1;
    }
    CHECK(st.st_size == 2 * PAGE && memcmp(text, "e/../a", 6) == 0);
    CHECK(strcmp(text + PAGE, data) == 0);
    return 0;
}

static const struct operation looked = {"stat, readlink, getcwd, chdir", setup_look, run_look, NULL, 0};
SWEEP(looked)

static long run_list(void)
{
    long got = 0, part;

    while ((part = syscall(SYS_getdents64, file, text + got, 128)) > 0) {
        got += part;
    }
    return part < 0 ? -1 : got;
}

static void setup_list(void)
{
    setup_two();
    file = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(file >= 0);
}

/* Each name comes once. */
static void check_list(long result)
{
    static const char *const names[] = {"a", "b", "e"};
    long got = 0, part;

    CHECK(lseek(file, 0, SEEK_SET) == 0);
    while ((part = syscall(SYS_getdents64, file, data + got, 4096)) > 0) {
        got += part;
    }
    for (int i = 0; i < 3; i++) {
        int found = 0, before = 0;

        for (char *at = data; at < data + got; at += *(unsigned short *)(at + 16)) {
            found += strcmp(at + 19, names[i]) == 0;
        }
        for (char *at = text; at < text + result; at += *(unsigned short *)(at + 16)) {
            before += strcmp(at + 19, names[i]) == 0;
        }
        CHECK(found == 1 && before == (result > 0));
    }
}

static const struct operation listed = {"getdents", setup_list, run_list, check_list, 0};
SWEEP(listed)

static long run_dup(void)
{
    return fcntl(file, F_DUPFD, 500);
}

static void setup_dup(void)
{
    setup_write();
    CHECK(dup2(file, 40) == 40);
}

static void check_dup(long result)
{
    CHECK(fcntl(40, F_GETFD) == 0);
    CHECK(result < 0 || (result == 500 && lseek(500, 0, SEEK_CUR) == 5000));
}

static const struct operation duplicated = {"a large descriptor", setup_dup, run_dup, check_dup, 0};
SWEEP(duplicated)

static long run_dup2(void)
{
    return dup2(file, 700);
}

static void check_dup2(long result)
{
    CHECK(fcntl(40, F_GETFD) == 0);
    CHECK(result < 0 || (result == 700 && lseek(700, 0, SEEK_CUR) == 5000));
}

static const struct operation duplicated_to = {"dup2", setup_dup, run_dup2, check_dup2, 0};
SWEEP(duplicated_to)

int main(void)
{
    static const struct test tests[] = {
        SWEPT(create), SWEPT(create_more), SWEPT(open_truncating), SWEPT(write_to_file), SWEPT(write_far),
        SWEPT(truncated), SWEPT(grown), SWEPT(renamed), SWEPT(renamed_away), SWEPT(linked),
        SWEPT(symlinked), SWEPT(directory), SWEPT(removed), SWEPT(looked), SWEPT(listed),
        SWEPT(duplicated), SWEPT(duplicated_to),
    };

    CHECK(mkdir("inject_files.d", 0700) == 0 || errno == EEXIST);
    CHECK(chdir("inject_files.d") == 0);
    return RUN_TESTS(tests);
}
