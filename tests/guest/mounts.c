/*
 * mount(2), for the guest alone: what is mounted stays for ever, so it is refused where nobody could
 * come to it, and there is a limit. Prints what was not as it should be; tests/scenarios.py runs it.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPECT(call, wanted)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        call;                                                                                      \
        if (errno != (wanted)) {                                                                   \
            printf("%s: errno %d, not %d\n", #call, errno, wanted);                                \
        }                                                                                          \
    } while (0)

static int mount_on(const char *path)
{
    return mount("none", path, "tmpfs", 0, NULL);
}

static long free_kilobytes(void)
{
    long value = 0;
    FILE *file = fopen("/proc/meminfo", "r");

    fscanf(file, "MemTotal: %*d kB MemFree: %ld", &value);
    fclose(file);
    return value;
}

int main(void)
{
    char name[32];
    long before;
    int mounts = 0;

    chdir("/tmp");
    mkdir("a", 0755);
    EXPECT(mount("none", "a", "a file system that has a long name", 0, NULL), ENODEV);
    EXPECT(mount_on("a"), 0);
    EXPECT(mount_on("a"), EBUSY);
    EXPECT(rmdir("a"), EBUSY);
    EXPECT(rename("a", "b"), EBUSY);
    mkdir("b", 0755);
    EXPECT(rename("b", "a"), EBUSY);
    chdir("b");
    rmdir("../b");
    EXPECT(mount_on("."), ENOENT);
    chdir("/tmp");
    before = free_kilobytes();
    for (int i = 0; i < 5000; i++) {
        EXPECT(mount_on("/proc/1"), EPERM);
        EXPECT(mount_on("/proc/self/task"), EPERM);
    }
    if (before - free_kilobytes() > 500) {
        printf("%ld KB are gone\n", before - free_kilobytes());
    }
    do {
        snprintf(name, sizeof(name), "/tmp/%d", mounts++);
        mkdir(name, 0755);
    } while (mount_on(name) == 0 && mounts < 5000);
    if (errno != ENOSPC) {
        printf("%d mounts, errno %d\n", mounts, errno);
    }
    return 0;
}
