/* /proc, devices, mounts and the trace when memory runs out. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>

#include "inject.h"

#define PAGE 4096

static char data[20 * PAGE], text[20 * PAGE + 1];
static int file;

/* Of files in /proc: all of the text or an error, never a part. */
static const char *proc_path;
static int proc_size;

static long run_proc(void)
{
    long part;

    file = open(proc_path, O_RDONLY);
    proc_size = 0;
    while (file >= 0 && (part = read(file, text + proc_size, PAGE)) != 0) {
        if (part < 0) {
            close(file);
            errno = ENOMEM;
            return -1;
        }
        proc_size += (int)part;
    }
    return file < 0 ? -1 : close(file);
}

static void check_proc(long result)
{
    int complete = proc_size;

    text[proc_size] = '\0';
    strcpy(data, text);
    CHECK(run_proc() == 0);
    text[proc_size] = '\0';
    CHECK(result < 0 || strcmp(proc_path, "/proc/meminfo") == 0 ||
          strcmp(proc_path, "/proc/self/stat") == 0 || strcmp(data, text) == 0);
    CHECK(result < 0 || complete > 0);
}

#define PROC(name, path)                                                                       \
    static void setup_##name(void) { proc_path = path; }                                       \
    static const struct operation name = {path, setup_##name, run_proc, check_proc, 0};        \
    SWEEP(name)
PROC(proc_maps, "/proc/self/maps")
PROC(proc_stat, "/proc/self/stat")
PROC(proc_cmdline, "/proc/self/cmdline")
PROC(proc_meminfo, "/proc/meminfo")

static long run_proc_links(void)
{
    long exe, cwd, self;

    exe = readlink("/proc/self/exe", text, PAGE);
    cwd = exe < 0 ? -1 : readlink("/proc/self/cwd", text + PAGE, PAGE);
    self = cwd < 0 ? -1 : readlink("/proc/self", text + 2 * PAGE, PAGE);
    if (self < 0) {
        return -1;
    }
    text[PAGE + cwd] = '\0';
    CHECK(memcmp(text + exe - 13, "inject_system", 13) == 0 && strcmp(text + PAGE, data) == 0);
    CHECK(atoi(text + 2 * PAGE) == getpid());
    return 0;
}

static void setup_proc_links(void)
{
    CHECK(getcwd(data, PAGE));
}

static const struct operation proc_links = {"links of /proc", setup_proc_links, run_proc_links, NULL, 0};
SWEEP(proc_links)

static long run_proc_list(void)
{
    long part, got = 0;

    file = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
    while (file >= 0 && (part = syscall(SYS_getdents64, file, text + got, PAGE)) != 0) {
        if (part < 0) {
            close(file);
            errno = ENOMEM;
            return -1;
        }
        got += part;
    }
    return file < 0 ? -1 : close(file) ? -1 : got;
}

static void check_proc_list(long result)
{
    int found = 0;

    for (char *at = text; at < text + result; at += *(unsigned short *)(at + 16)) {
        found += atoi(at + 19) == getpid();
    }
    CHECK(result < 0 || found == 1);
}

static const struct operation proc_list = {"a list in /proc", NULL, run_proc_list, check_proc_list, 0};
SWEEP(proc_list)

/* A terminal, as far as there is one; and the other devices. */
static long run_devices(void)
{
    static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/urandom", "/dev/tty"};
    struct termios termios;
    int error = 0;

    for (int i = 0; i < 4 && !error; i++) {
        int fd = open(names[i], O_RDWR | O_NONBLOCK);

        error = fd < 0 && errno == ENOMEM;
        if (fd >= 0 && i < 3) {
            CHECK(write(fd, data, 100) == 100 || errno == ENOMEM || i == 2);
            CHECK(read(fd, text, 100) == (i == 0 ? 0 : 100));
        } else if (fd >= 0) {
            CHECK(tcgetattr(fd, &termios) == 0 && tcsetattr(fd, TCSANOW, &termios) == 0);
            CHECK(read(fd, text, 0) == 0);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    errno = error ? ENOMEM : 0;
    return error ? -1 : 0;
}

static const struct operation devices = {"devices", NULL, run_devices, NULL, 0};
SWEEP(devices)

static char mount_point[16], below[24];

static long run_mount(void)
{
    return syscall(SYS_mount, "none", mount_point, "tmpfs", 0, NULL);
}

static void setup_mount(void)
{
    snprintf(mount_point, sizeof(mount_point), "m%d", getpid());
    snprintf(below, sizeof(below), "%s/f", mount_point);
    CHECK(mkdir(mount_point, 0700) == 0);
    file = open(below, O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0 && close(file) == 0);
}

static void check_mount(long result)
{
    CHECK((access(below, F_OK) == 0) == (result < 0)); /* what is mounted there hides it */
}

static const struct operation mounted = {"mount", setup_mount, run_mount, check_mount, KEEPS};

static void mounted_survives(void)
{
    if (inject_possible()) { /* not on somebody's machine */
        inject_sweep(&mounted);
    }
}

static long run_trace(void)
{
    char *ring;

    if (write(file, "on", 2) < 0) {
        return -1;
    }
    ring = mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(write(file, "off", 3) == 3);
    return ring == MAP_FAILED ? -1 : munmap(ring, 32 * PAGE);
}

static void setup_trace(void)
{
    file = open("/dev/ktrace", O_RDWR);
    if (file < 0) {
        file = open("/dev/ktrace", O_WRONLY);
        CHECK(file >= 0 && write(file, "on", 2) == 2);
        close(file);
        file = open("/dev/ktrace", O_RDWR);
    }
    CHECK(file >= 0);
}

static const struct operation traced = {"trace", setup_trace, run_trace, NULL, KEEPS};

static void traced_survives(void)
{
    if (inject_possible()) {
        inject_sweep(&traced);
    }
}

int main(void)
{
    static const struct test tests[] = {
        SWEPT(proc_maps), SWEPT(proc_stat), SWEPT(proc_cmdline), SWEPT(proc_meminfo), SWEPT(proc_links),
        SWEPT(proc_list), SWEPT(devices), SWEPT(mounted), SWEPT(traced),
    };

    CHECK(mkdir("inject_system.d", 0700) == 0 || errno == EEXIST);
    CHECK(chdir("inject_system.d") == 0);
    return RUN_TESTS(tests);
}
