/*
 * Descriptor tables. A slot owns a reference to its file; the table's lock is held only to look
 * and to change slots, never while a file is closed, since closing may sleep.
 *
 * A slot may be reserved for a file that is still to be opened: it is taken, but no call finds
 * anything in it, so nobody can close or replace what its owner is about to put there.
 */
#include "fs/file.h"
#include "fs/locks.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "sched/task.h"

#define FIRST_CAPACITY 64

static long descriptor_limit(void)
{
    uint64_t limit = current->group->limits[RLIMIT_NOFILE].soft;

    return limit > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : (long)limit;
}

static bool bit_get(const uint64_t *bits, int index)
{
    return bits[index / 64] >> (index % 64) & 1;
}

static void bit_set(uint64_t *bits, int index, bool value)
{
    bits[index / 64] = (bits[index / 64] & ~(1ul << (index % 64))) | (uint64_t)value << (index % 64);
}

/* Closing any descriptor of a file gives back all locks that the table's owner has on it: fcntl(2). */
static void slot_put(struct files *files, struct file *file)
{
    if (file) {
        lock_drop(file->inode, files);
    }
    file_put(file);
}

static struct files *files_alloc(int capacity)
{
    struct files *files = kmalloc(sizeof(*files));

    if (!files) {
        return NULL;
    }
    *files = (struct files){.references = 1, .capacity = capacity};
    spin_init(&files->lock);
    files->slots = kzalloc((size_t)capacity * sizeof(*files->slots));
    files->close_on_exec = kzalloc((size_t)capacity / 8);
    if (!files->slots || !files->close_on_exec) {
        kfree(files->slots);
        kfree(files->close_on_exec);
        kfree(files);
        return NULL;
    }
    return files;
}

struct files *files_create(void)
{
    return files_alloc(FIRST_CAPACITY);
}

struct files *files_copy(struct files *from)
{
    int capacity = from->capacity, seen = 0;
    struct files *files = files_alloc(capacity);

    if (!files) {
        return NULL;
    }
    spin_lock(&from->lock);
    while (from->capacity != capacity) { /* it grew meanwhile */
        capacity = from->capacity;
        spin_unlock(&from->lock);
        files_put(files);
        files = files_alloc(capacity);
        if (!files) {
            return NULL;
        }
        spin_lock(&from->lock);
    }
    files->lowest_free = from->lowest_free;
    for (int fd = 0; seen < from->used; fd++) {
        seen += from->slots[fd] != NULL;
        if (slot_file(from, fd)) {
            files->slots[fd] = file_get(from->slots[fd]);
            files->used++;
        } else if (from->slots[fd] && fd < files->lowest_free) {
            files->lowest_free = fd; /* reserved there, free here */
        }
    }
    memcpy(files->close_on_exec, from->close_on_exec, (size_t)capacity / 8);
    spin_unlock(&from->lock);
    return files;
}

void files_put(struct files *files)
{
    if (!files || !ref_put(&files->references)) {
        return;
    }
    for (int fd = 0; files->used > 0; fd++) {
        if (files->slots[fd]) {
            slot_put(files, files->slots[fd]);
            files->used--;
        }
    }
    kfree(files->slots);
    kfree(files->close_on_exec);
    kfree(files);
}

/* Make room for `fd`. The lock is held, and let go meanwhile. */
static long files_grow(struct files *files, int fd)
{
    assert_held(&files->lock);
    while (fd >= files->capacity) {
        int old = files->capacity, capacity = old;
        struct file **slots;
        uint64_t *bits;

        while (capacity <= fd) {
            capacity *= 2;
        }
        spin_unlock(&files->lock);
        slots = kzalloc((size_t)capacity * sizeof(*slots));
        bits = kzalloc((size_t)capacity / 8);
        spin_lock(&files->lock);
        if (slots && bits && files->capacity == old) {
            struct file **old_slots = files->slots;
            uint64_t *old_bits = files->close_on_exec;

            memcpy(slots, old_slots, (size_t)old * sizeof(*slots));
            memcpy(bits, old_bits, (size_t)old / 8);
            files->slots = slots;
            files->close_on_exec = bits;
            files->capacity = capacity;
            slots = old_slots;
            bits = old_bits;
        } else if (!slots || !bits) {
            capacity = 0;
        }
        kfree(slots);
        kfree(bits);
        if (capacity == 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

struct file *fd_get(int fd)
{
    struct files *files = current->files;
    struct file *file;

    spin_lock(&files->lock);
    file = slot_file(files, fd);
    if (file) {
        file_get(file);
    }
    spin_unlock(&files->lock);
    return file;
}

struct file *fd_get_io(int fd)
{
    struct file *file = fd_get(fd);

    if (file && unlikely(file->flags & O_PATH)) {
        file_put(file);
        file = NULL;
    }
    return file;
}

struct file *fd_next_of(struct task *task, int *fd)
{
    uint64_t flags = spin_lock_irqsave(&tasks_lock); /* against the task's exit */
    struct files *files = task->files;
    struct file *file = NULL;

    if (files) {
        ref_get(&files->references);
    }
    spin_unlock_irqrestore(&tasks_lock, flags);
    if (!files) {
        return NULL;
    }
    spin_lock(&files->lock);
    while (*fd < files->capacity && !(file = slot_file(files, *fd))) {
        ++*fd;
    }
    if (file) {
        file_get(file);
    }
    spin_unlock(&files->lock);
    files_put(files);
    return file;
}

static void set_slot(struct files *files, int fd, struct file *file, bool close_on_exec)
{
    assert_held(&files->lock);
    files->used += !files->slots[fd];
    files->slots[fd] = file;
    bit_set(files->close_on_exec, fd, close_on_exec);
}

long fd_install(struct file *file, int minimum, bool close_on_exec)
{
    struct files *files = current->files;
    long limit = descriptor_limit(), result;
    int fd;

    if (minimum < 0 || minimum >= limit) {
        return minimum == 0 ? -EMFILE : -EINVAL;
    }
    spin_lock(&files->lock);
    do {
        fd = minimum > files->lowest_free ? minimum : files->lowest_free;
        while (fd < files->capacity && files->slots[fd]) {
            fd++;
        }
        result = fd >= limit ? -EMFILE : fd;
        if (result >= 0 && fd >= files->capacity) {
            result = files_grow(files, fd);
            if (!result) {
                result = -EAGAIN; /* the lock was let go: look again */
            }
        }
    } while (result == -EAGAIN);
    if (result >= 0) {
        if (minimum <= files->lowest_free) {
            files->lowest_free = fd + 1;
        }
        set_slot(files, fd, file, close_on_exec);
    }
    spin_unlock(&files->lock);
    return result;
}

long fd_install_new(struct file *file, bool close_on_exec)
{
    long fd = is_error(file) ? pointer_error(file) : fd_install(file, 0, close_on_exec);

    if (fd < 0 && !is_error(file)) {
        file_put(file);
    }
    return fd;
}

/* Empty a slot. The lock is held. */
static struct file *files_take(struct files *files, int fd)
{
    struct file *file = files->slots[fd];

    assert_held(&files->lock);
    files->slots[fd] = NULL;
    files->used--;
    if (fd < files->lowest_free) {
        files->lowest_free = fd;
    }
    return file;
}

long fd_reserve(bool close_on_exec)
{
    return fd_install(RESERVED, 0, close_on_exec);
}

long fd_settle(long fd, struct file *file)
{
    struct files *files = current->files;

    spin_lock(&files->lock);
    if (is_error(file)) {
        files_take(files, (int)fd);
    } else {
        files->slots[fd] = file;
    }
    spin_unlock(&files->lock);
    return is_error(file) ? pointer_error(file) : fd;
}

/* Both numbers are reserved before they are told, so what cannot be told was never to be seen. */
long fd_install_pair(struct file *ends[2], int __user *user, bool close_on_exec)
{
    long fds[2], error;
    int numbers[2];

    fds[0] = fd_reserve(close_on_exec);
    fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(close_on_exec);
    numbers[0] = (int)fds[0], numbers[1] = (int)fds[1];
    error = fds[1] < 0 ? fds[1] : copy_to_user(user, numbers, sizeof(numbers));
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            fd_settle(fds[i], error ? error_pointer(error) : ends[i]);
        }
        if (error) {
            file_put(ends[i]);
        }
    }
    return error;
}

long fd_replace(struct file *file, int fd, bool close_on_exec)
{
    struct files *files = current->files;
    struct file *old = NULL;
    long result;

    if (fd < 0 || fd >= descriptor_limit()) {
        return -EBADF;
    }
    spin_lock(&files->lock);
    result = files_grow(files, fd);
    if (!result && files->slots[fd] == RESERVED) {
        result = -EBUSY; /* another thread opens something at this number: dup2(2) */
    }
    if (!result) {
        old = files->slots[fd];
        set_slot(files, fd, file, close_on_exec);
        result = fd;
    }
    spin_unlock(&files->lock);
    slot_put(files, old);
    return result;
}

long fd_close(int fd)
{
    struct files *files = current->files;
    struct file *file;

    spin_lock(&files->lock);
    file = slot_file(files, fd);
    if (file) {
        files_take(files, fd);
    }
    spin_unlock(&files->lock);
    slot_put(files, file);
    return file ? 0 : -EBADF;
}

void files_close_on_exec(struct files *files)
{
    for (int fd = 0; fd < files->capacity; fd++) {
        struct file *file = NULL;

        if (fd % 64 == 0 && !files->close_on_exec[fd / 64]) {
            fd += 63;
            continue;
        }
        spin_lock(&files->lock);
        if (slot_file(files, fd) && bit_get(files->close_on_exec, fd)) {
            file = files_take(files, fd);
        }
        spin_unlock(&files->lock);
        slot_put(files, file);
    }
}

static long close_on_exec(int fd, bool set, bool value)
{
    struct files *files = current->files;
    long result = -EBADF;

    spin_lock(&files->lock);
    if (slot_file(files, fd)) {
        result = bit_get(files->close_on_exec, fd);
        if (set) {
            bit_set(files->close_on_exec, fd, value);
            result = 0;
        }
    }
    spin_unlock(&files->lock);
    return result;
}

long fd_close_on_exec(int fd)
{
    return close_on_exec(fd, false, false);
}

long fd_set_close_on_exec(int fd, bool value)
{
    return close_on_exec(fd, true, value);
}
