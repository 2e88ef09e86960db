/*
 * Character devices by number (Linux: devices.txt), and the ones that need no hardware.
 *
 * The random numbers are xoshiro256**, seeded by the clocks: good for tests and games, and the
 * same in each run under icount. They are not for secrets.
 */
#include "fs/device.h"

#include "arch/clock.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"

#define DEVICES_MAX 16
#define MEMORY_MAJOR 1

static struct device {
    uint64_t number;
    const char *name;
    mode_t mode;
    const struct file_ops *ops;
    void *data;
} devices[DEVICES_MAX];
static int device_count;

void device_register(uint32_t major, uint32_t minor, const char *name, mode_t mode,
                     const struct file_ops *ops, void *data)
{
    assert(device_count < DEVICES_MAX);
    devices[device_count++] = (struct device){device_number(major, minor), name, mode, ops,
                                               data};
}

const struct file_ops *device_find(mode_t mode, uint64_t rdev, void **data)
{
    for (int i = 0; S_ISCHR(mode) && i < device_count; i++) {
        if (devices[i].number == rdev ||
            (!devices[i].name && device_major(devices[i].number) == device_major(rdev))) {
            *data = devices[i].data;
            return devices[i].ops;
        }
    }
    return NULL;
}

void device_fill(struct inode *root)
{
    for (int i = 0; i < device_count; i++) {
        struct inode *node = devices[i].name
                                 ? root->ops->create(root, devices[i].name, S_IFCHR | devices[i].mode,
                                                     devices[i].number)
                                 : error_pointer(-ENOENT);
        if (!is_error(node)) {
            inode_put(node);
        }
    }
}

static ssize_t null_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    (void)file, (void)buffer, (void)size, (void)position;
    return 0;
}

static ssize_t null_write(struct file *file, const char __user *buffer, size_t size,
                          off_t *position)
{
    (void)file, (void)buffer, (void)position;
    return (ssize_t)size;
}

static ssize_t zero_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    size_t done = 0;

    (void)file, (void)position;
    /* Page by page: what is mapped before one that is not counts, and a signal need not wait for the rest. */
    while (done < size && !(done && signal_pending(current))) {
        size_t part = PAGE_SIZE - ((vaddr_t)(buffer + done) & (PAGE_SIZE - 1));

        part = part < size - done ? part : size - done;
        if (clear_user(buffer + done, part)) {
            return done ? (ssize_t)done : -EFAULT;
        }
        done += part;
    }
    return (ssize_t)done;
}

static ssize_t full_write(struct file *file, const char __user *buffer, size_t size,
                          off_t *position)
{
    (void)file, (void)buffer, (void)size, (void)position;
    return -ENOSPC;
}

static uint64_t random_rotate(uint64_t value, int by)
{
    return value << by | value >> (64 - by);
}

/* xoshiro256**, Blackman and Vigna 2018; protected by random_lock. */
static struct spinlock random_lock = SPINLOCK_INIT;
static uint64_t random_state[4];

static uint64_t random_next(void)
{
    uint64_t *s = random_state, result = random_rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;

    assert_held(&random_lock);
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = random_rotate(s[3], 45);
    return result;
}

void random_bytes(void *buffer, size_t size)
{
    char *at = buffer;

    while (size > 0) {
        uint64_t flags = spin_lock_irqsave(&random_lock), value = random_next();
        size_t part = size < sizeof(value) ? size : sizeof(value);

        spin_unlock_irqrestore(&random_lock, flags);
        memcpy(at, &value, part);
        at += part;
        size -= part;
    }
}

static void random_seed(void)
{
    uint64_t seed = (uint64_t)vfs_now() ^ rdtsc() << 20;

    for (int i = 0; i < 4; i++) {
        /* splitmix64 spreads the seed over the state. */
        uint64_t z = seed += 0x9e3779b97f4a7c15;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        random_state[i] = z ^ z >> 31;
    }
}

ssize_t random_to_user(char __user *buffer, size_t size)
{
    size_t done = 0;
    char part[64];

    while (done < size) {
        size_t now = size - done < sizeof(part) ? size - done : sizeof(part);

        random_bytes(part, now);
        if (copy_to_user(buffer + done, part, now)) {
            return done ? (ssize_t)done : -EFAULT;
        }
        done += now;
        if (done % PAGE_SIZE == 0 && signal_pending(current)) {
            break; /* some bytes are never cut: getrandom(2) */
        }
    }
    return (ssize_t)done;
}

static ssize_t random_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    (void)file, (void)position;
    return random_to_user(buffer, size);
}

static off_t no_seek(struct file *file, off_t offset, int whence)
{
    (void)file, (void)offset, (void)whence;
    return 0;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write, .seek = no_seek};
static const struct file_ops zero_ops = {.read = zero_read, .write = null_write, .seek = no_seek};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write, .seek = no_seek};
static const struct file_ops random_ops = {
    .read = random_read, .write = null_write, .seek = no_seek,
};

bool device_is_zero(const struct inode *inode)
{
    return inode->file_ops == &zero_ops;
}

void device_init(void)
{
    random_seed();
    device_register(MEMORY_MAJOR, 3, "null", 0666, &null_ops, NULL);
    device_register(MEMORY_MAJOR, 5, "zero", 0666, &zero_ops, NULL);
    device_register(MEMORY_MAJOR, 7, "full", 0666, &full_ops, NULL);
    device_register(MEMORY_MAJOR, 8, "random", 0666, &random_ops, NULL);
    device_register(MEMORY_MAJOR, 9, "urandom", 0666, &random_ops, NULL);
}
