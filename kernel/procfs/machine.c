/* Files of /proc about the machine and the system on it; formats as in proc(5). */
#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "event/inotify.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/version.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "procfs/files.h"
#include "sched/sched.h"

void show_version(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "%s version %s (Baton) #1\n", SYSTEM_NAME, SYSTEM_RELEASE);
}

void show_uptime(struct proc_text *text, struct task *task)
{
    const ktime_t now = clock_now(), hundredth = 10000000;
    struct cpu_times busy;
    ktime_t idle = 0;

    (void)task;
    for (uint32_t id = 0; id < cpu_count; id++) {
        idle += sched_idle_time(id, &busy);
    }
    proc_print(text, "%ld.%02ld %ld.%02ld\n", now / SECOND, now / hundredth % 100,
               idle / SECOND, idle / hundredth % 100);
}

/* The numbers in leaf 1 are spread over fields; the name is text in three leaves: Intel SDM 2A, CPUID. */
void show_cpuinfo(struct proc_text *text, struct task *task)
{
    uint32_t vendor[4], id[4], name[13] = {0};
    uint32_t family, model;

    (void)task;
    cpuid(0, 0, vendor);
    cpuid(1, 0, id);
    for (uint32_t i = 0; i < 3; i++) {
        cpuid(0x80000002 + i, 0, name + i * 4);
    }
    family = (id[0] >> 8 & 0xf) + ((id[0] >> 8 & 0xf) == 0xf ? id[0] >> 20 & 0xff : 0);
    model = (id[0] >> 4 & 0xf) | (id[0] >> 12 & 0xf0);
    for (uint32_t cpu = 0; cpu < cpu_count; cpu++) {
        proc_print(text, "processor\t: %u\nvendor_id\t: %.4s%.4s%.4s\ncpu family\t: %u\nmodel\t\t: %u\n"
                   "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n\n", cpu,
                   (char *)&vendor[1], (char *)&vendor[3], (char *)&vendor[2], family, model,
                   (char *)name, id[0] & 0xf, clock_tsc_khz / 1000, clock_tsc_khz % 1000);
    }
}

void show_filesystems(struct proc_text *text, struct task *task)
{
    (void)task;
    proc_print(text, "nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\n");
}

void show_mounts(struct proc_text *text, struct task *task)
{
    char *path = kmalloc(PATH_MAX);
    struct inode *root;

    (void)task;
    text->error = path ? 0 : -ENOMEM;
    for (int i = 0; path && (root = vfs_mounted(i)) != NULL; i++) {
        const char *type = root->device == PROC_DEVICE ? "proc" : "tmpfs";

        if (path_of(root, path, PATH_MAX) > 0) {
            proc_print(text, "%s %s %s rw 0 0\n", type, path, type);
        }
    }
    kfree(path);
}

/* It is what it is: no other number is taken. */
static long write_max_map_count(struct task *task, const char *text)
{
    (void)task;
    return parse_number(text, NULL) == AREAS_MAX ? 0 : -EINVAL;
}

static long write_inotify_limit(int *limit, const char *text)
{
    const char *end = text;
    uint64_t number = parse_number(text, &end);

    if (end == text || (*end && *end != '\n') || number > INOTIFY_LIMIT_MAX) {
        return -EINVAL;
    }
    *limit = (int)number;
    return 0;
}

static long write_inotify_events(struct task *task, const char *text)
{
    (void)task;
    return write_inotify_limit(&inotify_limits.events, text);
}

static long write_inotify_sets(struct task *task, const char *text)
{
    (void)task;
    return write_inotify_limit(&inotify_limits.sets, text);
}

static long write_inotify_watches(struct task *task, const char *text)
{
    (void)task;
    return write_inotify_limit(&inotify_limits.watches, text);
}

const struct proc_file proc_sys_files[] = {
    {"fs", S_IFDIR | 0555, .directory = PROC_SYS_FS},
    {"kernel", S_IFDIR | 0555, .directory = PROC_SYS_KERNEL},
    {"vm", S_IFDIR | 0555, .directory = PROC_SYS_VM},
    {NULL, .mode = 0},
};
const struct proc_file proc_sys_fs_files[] = {
    {"inotify", S_IFDIR | 0555, .directory = PROC_SYS_INOTIFY},
    {"pipe-max-size", S_IFREG | 0444, .number = &(const int){PIPE_SIZE_MAX}},
    {"pipe-user-pages-soft", S_IFREG | 0444, .line = "16384"}, /* Linux's, for all but root */
    {NULL, .mode = 0},
};
const struct proc_file proc_sys_inotify_files[] = {
    {"max_queued_events", S_IFREG | 0644, .number = &inotify_limits.events, .write = write_inotify_events},
    {"max_user_instances", S_IFREG | 0644, .number = &inotify_limits.sets, .write = write_inotify_sets},
    {"max_user_watches", S_IFREG | 0644, .number = &inotify_limits.watches, .write = write_inotify_watches},
    {NULL, .mode = 0},
};
const struct proc_file proc_sys_vm_files[] = {
    {"max_map_count", S_IFREG | 0644, .number = &(const int){AREAS_MAX}, .write = write_max_map_count},
    {NULL, .mode = 0},
};
const struct proc_file proc_sys_kernel_files[] = {
    {"core_pattern", S_IFREG | 0444, .line = "|/bin/true"}, /* signal_status() */
    {"hostname", S_IFREG | 0444, .line = SYSTEM_HOST},
    {"osrelease", S_IFREG | 0444, .line = SYSTEM_RELEASE},
    {"ostype", S_IFREG | 0444, .line = SYSTEM_NAME},
    {"pid_max", S_IFREG | 0444, .number = &(const int){PID_MAX}},
    {"tainted", S_IFREG | 0444, .line = "0"}, /* nothing but this kernel runs in it: no modules */
    {NULL, .mode = 0},
};
