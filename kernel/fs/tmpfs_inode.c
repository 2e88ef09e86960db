/* tmpfs, the inodes: how each kind is made; symbolic links and device nodes. */
#include "fs/tmpfs.h"

#include "fs/device.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"

static uint64_t next_number = 1;

static long link_readlink(struct inode *inode, char *buffer, size_t size)
{
    size_t length = (size_t)inode->size < size ? (size_t)inode->size : size;

    memcpy(buffer, inode->data, length);
    return (long)length;
}

static void link_release(struct inode *inode)
{
    kfree(inode->data);
    kfree(inode);
}

/* What a device node has is the device's. */
static void node_release(struct inode *inode)
{
    kfree(inode);
}

static const struct inode_ops link_ops = {.readlink = link_readlink, .release = link_release};
static const struct inode_ops node_ops = {.release = node_release};

struct inode *tmpfs_inode_create(uint64_t device, mode_t mode, uint64_t rdev)
{
    struct inode *inode = kmalloc(sizeof(*inode));
    const struct inode_ops *ops = &node_ops;
    const struct file_ops *file_ops = NULL;
    void *data = NULL;

    if (!inode) {
        return NULL;
    }
    if (S_ISREG(mode)) {
        data = tmpfs_file_create();
        ops = &tmpfs_file_inode_ops;
        file_ops = &regular_file_ops;
    } else if (S_ISLNK(mode)) {
        ops = &link_ops;
    } else if (S_ISDIR(mode)) {
        data = tmpfs_directory_create();
        ops = &tmpfs_directory_ops;
        file_ops = &directory_file_ops;
    } else if (S_ISFIFO(mode)) {
        file_ops = fifo_file_ops();
    } else {
        file_ops = device_find(mode, rdev, &data);
    }
    if ((S_ISREG(mode) || S_ISDIR(mode)) && !data) {
        kfree(inode);
        return NULL;
    }
    inode_init(inode, mode, ops, file_ops);
    inode->number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
    inode->device = device;
    inode->rdev = rdev;
    inode->data = data;
    return inode;
}

long tmpfs_set_target(struct inode *inode, const char *target)
{
    size_t size = strlen(target);

    inode->data = kmalloc(size + 1);
    if (!inode->data) {
        return -ENOMEM;
    }
    memcpy(inode->data, target, size + 1);
    inode->size = (off_t)size;
    return 0;
}

struct inode *tmpfs_create_root(mode_t mode)
{
    static uint64_t next_device = 1;

    return tmpfs_inode_create(__atomic_fetch_add(&next_device, 1, __ATOMIC_RELAXED),
                              S_IFDIR | mode, 0);
}
