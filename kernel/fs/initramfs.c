/*
 * Unpacks the cpio archives of the boot loader into the root (Linux: buffer-format.rst).
 *
 * Archives in the "newc" format may follow one another, padded with zeroes between. A header is
 * 110 characters: the magic, then 13 numbers of 8 hexadecimal digits; the name and the data are
 * padded to 4 bytes each. What has been unpacked is given back to the page allocator at once: a
 * large archive and the files made of it need not be in memory together.
 */
#include "fs/initramfs.h"

#include "arch/boot.h"
#include "arch/paging.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"

#define HEADER_SIZE 110

enum field { MODE = 1, MTIME = 5, FILE_SIZE = 6, RDEV_MAJOR = 9, RDEV_MINOR = 10, NAME_SIZE = 11 };

static uint32_t header_field(const char *header, enum field field)
{
    uint32_t value = 0;

    for (int i = 0; i < 8; i++) {
        char c = header[6 + field * 8 + i];

        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return value;
}

static long add_contents(struct inode *inode, const char *data, size_t size)
{
    return size ? inode_write(inode, data, size, 0) : 0;
}

/* Make what one header describes. A name that exists (a later archive) replaces a file. */
static long initramfs_add(const char *path, const char *header, const char *data, size_t size)
{
    char target[PATH_MAX];
    struct place place;
    mode_t mode = header_field(header, MODE);
    uint64_t rdev = device_number(header_field(header, RDEV_MAJOR),
                                  header_field(header, RDEV_MINOR));
    struct inode *directory, *inode;
    long error = path_parent(vfs_root(), path, &place);

    if (error) {
        return error;
    }
    directory = place.directory;
    if (strcmp(place.name, ".") == 0) {
        goto out;
    }
    if (!S_ISDIR(mode)) {
        directory->ops->unlink(directory, place.name, false);
    }
    if (S_ISLNK(mode)) {
        error = size < sizeof(target) ? 0 : -ENAMETOOLONG;
        if (!error) {
            memcpy(target, data, size);
            target[size] = '\0';
            error = directory->ops->symlink(directory, place.name, target);
        }
    } else {
        inode = directory->ops->create(directory, place.name, mode, rdev);
        if (is_error(inode)) {
            error = S_ISDIR(mode) && pointer_error(inode) == -EEXIST ? 0 : pointer_error(inode);
        } else {
            error = S_ISREG(mode) ? add_contents(inode, data, size) : 0;
            inode->mtime = (ktime_t)header_field(header, MTIME) * SECOND;
            inode_put(inode);
        }
    }
out:
    inode_put(directory);
    return error < 0 ? error : 0;
}

/* The whole pages below `unpacked` are free; *freed is where those that are not begin. */
static void initramfs_release(paddr_t *freed, paddr_t unpacked)
{
    if (unpacked > *freed) {
        page_free_range(*freed, unpacked);
        *freed = unpacked;
    }
}

void initramfs_unpack(void)
{
    const char *start = phys_to_virt(boot_initrd.start), *at = start;
    const char *end = start + boot_initrd_size;
    paddr_t freed = boot_initrd.start;
    unsigned files = 0;

    while (at + HEADER_SIZE <= end) {
        const char *name = at + HEADER_SIZE, *data;
        size_t size, name_size;
        long error;

        if (*at == 0) {
            at += 4; /* padding behind a trailer */
            continue;
        }
        if (memcmp(at, "070701", 6) != 0) {
            panic("the initramfs is no newc cpio archive at byte %zu", (size_t)(at - start));
        }
        size = header_field(at, FILE_SIZE);
        name_size = header_field(at, NAME_SIZE);
        data = start + align_up((uint64_t)(name + name_size - start), 4);
        if (name_size == 0 || name_size > PATH_MAX || data > end || size > (size_t)(end - data)) {
            panic("the initramfs is cut short at byte %zu", (size_t)(at - start));
        }
        if (strcmp(name, "TRAILER!!!") != 0) {
            error = initramfs_add(name, at, data, size);
            if (error) {
                panic("initramfs: cannot make %s: error %ld", name, -error);
            }
            files++;
        }
        at = start + align_up((uint64_t)(data + size - start), 4);
        initramfs_release(&freed, boot_initrd.start +
                                      align_down((uint64_t)(at - start), PAGE_SIZE));
    }
    initramfs_release(&freed, boot_initrd.end);
    printk("initramfs: %u files from %zu KiB\n", files, boot_initrd_size >> 10);
}
