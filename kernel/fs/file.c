/* Open files: making, sharing and closing them, and opening by path. */
#include "fs/file.h"

#include "arch/paging.h"
#include "fs/locks.h"
#include "fs/notify.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "mm/vma.h"

struct file *file_alloc(void)
{
    return kmalloc(sizeof(struct file));
}

long iovec_piece(const struct iovec __user *vector, size_t i, size_t done, struct iovec *piece)
{
    if (get_user(*piece, vector + i) || !user_range_ok((void __user *)piece->base, piece->size)) {
        return -EFAULT;
    }
    if (piece->size > TRANSFER_MAX - done) {
        piece->size = TRANSFER_MAX - done;
    }
    return 0;
}

/* Does this open file count as a writer of its inode? */
static bool counts_as_writer(const struct inode *inode, int flags)
{
    return S_ISREG(inode->mode) && (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
}

struct file *file_open_in(struct file *file, struct inode *inode, int flags)
{
    long error = 0;

    if (!file) {
        return error_pointer(-ENOMEM);
    }
    if (!inode->file_ops && !(flags & O_PATH)) {
        error = -ENXIO;
        goto out_free;
    }
    if (counts_as_writer(inode, flags) && (error = inode_get_write(inode)) != 0) {
        goto out_free;
    }
    file->references = 1;
    file->flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC);
    file->position = 0;
    mutex_init(&file->position_lock);
    list_init(&file->watchers);
    file->inode = inode_get(inode);
    file->ops = inode->file_ops;
    file->data = inode->data;
    if (!(flags & O_PATH) && file->ops->open) {
        error = file->ops->open(file);
        if (error) {
            goto out_writer;
        }
    }
    file->flags &= ~O_NOCTTY; /* which is for a terminal's open alone */
    return file;

out_writer:
    if (counts_as_writer(inode, flags)) {
        inode_put_write(inode);
    }
    inode_put(inode);
out_free:
    kfree(file);
    return error_pointer(error);
}

struct file *file_open_inode(struct inode *inode, int flags)
{
    return file_open_in(file_alloc(), inode, flags);
}

static void anonymous_release(struct inode *inode)
{
    kfree(inode->data);
}

void *anonymous_create(size_t size, mode_t mode, const struct inode_ops *inode_ops,
                       const struct file_ops *ops)
{
    static const struct inode_ops plain_ops = {.release = anonymous_release};
    struct inode *inode = kzalloc(size);

    if (inode) {
        inode_init(inode, mode, inode_ops ? inode_ops : &plain_ops, ops);
        inode->data = inode;
    }
    return inode;
}

struct file *file_open_anonymous(struct inode *inode, int flags)
{
    struct file *file = file_open_inode(inode, flags);

    inode_put(inode);
    return file;
}


void file_put(struct file *file)
{
    if (!file || !ref_put(&file->references)) {
        return;
    }
    if (unlikely(file->inode->watched) && !(file->flags & O_PATH)) {
        notify_place(file->inode, file_writable(file) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
    }
    if (unlikely(!list_empty(&file->watchers))) {
        epoll_forget(file);
    }
    lock_drop(file->inode, file);
    if (!(file->flags & O_PATH) && file->ops->release) {
        file->ops->release(file);
    }
    if (counts_as_writer(file->inode, file->flags)) {
        inode_put_write(file->inode);
    }
    inode_put(file->inode);
    kfree(file);
}

off_t file_set_position(struct file *file, off_t base, off_t offset, off_t max)
{
    off_t position;

    if (__builtin_add_overflow(base, offset, &position) || position < 0 || position > max) {
        return -EINVAL;
    }
    return file->position = position;
}

off_t file_seek_size(struct file *file, off_t offset, int whence)
{
    off_t base = 0;

    if (whence == SEEK_CUR) {
        base = file->position;
    } else if (whence == SEEK_END) {
        base = file->inode->size;
    } else if (whence == SEEK_DATA || whence == SEEK_HOLE) { /* all of a file is data, and a hole its end */
        if (offset < 0 || offset >= file->inode->size) {
            return -ENXIO;
        }
        base = whence == SEEK_HOLE ? file->inode->size - offset : 0;
    } else if (whence != SEEK_SET) {
        return -EINVAL;
    }
    return file_set_position(file, base, offset, INT64_MAX);
}

ssize_t directory_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    (void)file, (void)buffer, (void)size, (void)position;
    return -EISDIR;
}

off_t file_seek_sizeless(struct file *file, off_t offset, int whence)
{
    if (whence != SEEK_SET && whence != SEEK_CUR) {
        return -EINVAL;
    }
    return file_set_position(file, whence == SEEK_CUR ? file->position : 0, offset, INT64_MAX);
}

const struct file_ops directory_file_ops = {.read = directory_read, .seek = file_seek_sizeless};

/* One step for the pages of a file: copies between kernel memory and the file's source. */
static long inode_copy(struct inode *inode, void *buffer, size_t size, off_t offset, bool write)
{
    struct vma_source *source = inode->ops->source ? inode->ops->source(inode, false)
                                                   : error_pointer(-ENODEV);
    size_t done = 0;
    long error = 0;

    if (is_error(source)) {
        return pointer_error(source);
    }
    while (done < size) {
        size_t start = (size_t)offset & (PAGE_SIZE - 1), part = PAGE_SIZE - start;
        struct page *page = source->ops->get_page(source, (uint64_t)offset >> PAGE_SHIFT);
        char *bytes;

        if (is_error(page)) {
            error = page == error_pointer(-EIO) ? 0 : pointer_error(page);
            break;
        }
        part = part < size - done ? part : size - done;
        bytes = (char *)page_to_virt(page) + start;
        if (write) {
            memcpy(bytes, (char *)buffer + done, part);
        } else {
            memcpy((char *)buffer + done, bytes, part);
        }
        page_put(page);
        done += part;
        offset += (off_t)part;
    }
    vma_source_put(source);
    return done ? (long)done : error;
}

long inode_read(struct inode *inode, void *buffer, size_t size, off_t offset)
{
    if (offset >= inode->size) {
        return 0;
    }
    if ((off_t)size > inode->size - offset) {
        size = (size_t)(inode->size - offset);
    }
    return inode_copy(inode, buffer, size, offset, false);
}

long inode_write(struct inode *inode, const void *buffer, size_t size, off_t offset)
{
    long error = 0, done;

    if (offset + (off_t)size > inode->size) {
        error = inode->ops->truncate ? inode->ops->truncate(inode, offset + (off_t)size) : -EINVAL;
    }
    if (error) {
        return error;
    }
    done = inode_copy(inode, (void *)buffer, size, offset, true);
    return done >= 0 && done < (long)size ? -ENOSPC : done;
}

long inode_truncate(struct inode *inode, off_t size)
{
    long error = inode->ops->truncate ? inode_get_write(inode) : -EINVAL;

    if (!error) {
        error = inode->ops->truncate(inode, size);
        inode_put_write(inode);
    }
    return error;
}

/* What `flags` forbid for an inode that was found. */
static long check_open(const struct inode *inode, int flags)
{
    if (S_ISLNK(inode->mode) && !(flags & O_DIRECTORY)) {
        return flags & O_PATH ? 0 : -ELOOP;
    }
    if (!(inode->mode & S_IFMT) || S_ISSOCK(inode->mode)) { /* an epoll set is made, not opened */
        return flags & O_PATH ? 0 : -ENXIO;
    }
    if (flags & O_TMPFILE_BIT) {
        return S_ISDIR(inode->mode) ? -EOPNOTSUPP : -ENOTDIR;
    }
    if (S_ISDIR(inode->mode)) {
        return (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) && !(flags & O_PATH) ? -EISDIR : 0;
    }
    if (flags & O_DIRECTORY) {
        return -ENOTDIR;
    }
    return flags & O_DIRECT && !(flags & O_PATH) ? -EINVAL : 0; /* there is no disk */
}

/*
 * What O_CREAT does when `path` leads nowhere: make it. Or it ends in a symbolic link whose target
 * is missing: that target is to be made, so *base and *path become the link's, its text lies in
 * `text`, and NULL comes back. NULL also when somebody else made it meanwhile.
 */
static struct inode *create_missing(struct inode **base, const char **path, mode_t mode,
                                    char *text)
{
    struct place place;
    struct inode *directory, *inode;
    long size, error = path_parent(*base, *path, &place);

    if (error) {
        return error_pointer(place.slash ? -EISDIR : error);
    }
    directory = place.directory;
    if (place.slash) {
        inode_put(directory);
        return error_pointer(-EISDIR);
    }
    inode = path_step(directory, place.name);
    if (is_error(inode)) {
        inode = directory->ops->create ? directory->ops->create(directory, place.name, mode, 0)
                                       : error_pointer(-EACCES);
        inode_put(directory);
        return is_error(inode) && pointer_error(inode) == -EEXIST ? NULL : inode;
    }
    size = S_ISLNK(inode->mode) ? inode->ops->readlink(inode, text, PATH_MAX - 1) : 0;
    inode_put(inode);
    if (size > 0) {
        text[size] = '\0';
        inode_put(*base);
        *base = directory;
        *path = text;
        return NULL;
    }
    inode_put(directory);
    return size ? error_pointer(size) : NULL;
}

/* Find the inode or, with O_CREAT, make it (*made), also behind symbolic links that lead nowhere. */
static struct inode *open_inode(struct inode *base, const char *path, int flags, mode_t mode, bool *made)
{
    bool exclusive = flags & O_CREAT && flags & O_EXCL;
    int lookup = flags & O_NOFOLLOW || exclusive ? LOOKUP_NOFOLLOW : 0;
    char *text = NULL;
    struct inode *inode = NULL;

    inode_get(base);
    for (int tries = 0; !inode; tries++) {
        inode = tries > SYMLINK_MAX ? error_pointer(-ELOOP) : path_lookup(base, path, lookup);
        if (!(flags & O_CREAT) || flags & O_PATH) {
            break;
        }
        if (!is_error(inode) && exclusive) {
            inode_put(inode);
            inode = error_pointer(-EEXIST);
        }
        /* -ENOTDIR: also of a file whose name a slash follows, and that is -EISDIR here. */
        if (is_error(inode) && (pointer_error(inode) == -ENOENT || pointer_error(inode) == -ENOTDIR)) {
            if (!text) {
                text = kmalloc(PATH_MAX);
            }
            if (text) {
                inode = create_missing(&base, &path, mode, text);
                *made = inode && !is_error(inode);
            } else {
                inode = error_pointer(-ENOMEM);
            }
        }
    }
    inode_put(base);
    kfree(text);
    return inode;
}

static void file_tell_open(struct inode *inode, int flags, bool cut)
{
    if (unlikely(inode->watched) && !(flags & O_PATH)) {
        notify_place(inode, IN_OPEN);
        notify_place(inode, cut ? IN_MODIFY : 0);
    }
}

/* The file's memory comes first and its contents go last: what fails changes nothing. */
struct file *file_open_path(struct inode *base, const char *path, int flags, mode_t mode)
{
    struct file *file = file_alloc();
    bool made = false, cuts;
    struct inode *inode = file ? open_inode(base, path, flags, S_IFREG | (mode & 07777), &made)
                               : error_pointer(-ENOMEM);
    long error;

    if (is_error(inode)) {
        kfree(file);
        return (struct file *)inode;
    }
    flags &= flags & O_PATH ? O_PATH | O_DIRECTORY | O_NOFOLLOW : O_KNOWN; /* F_GETFL tells of no other ones */
    error = check_open(inode, flags);
    if (error) {
        kfree(file);
        file = error_pointer(error);
        goto out;
    }
    file = file_open_in(file, inode, flags);
    if (is_error(file)) {
        goto out;
    }
    cuts = flags & O_TRUNC && S_ISREG(inode->mode) && !(flags & O_PATH) && !made && inode->ops->truncate;
    if (cuts && inode->size && (error = inode_truncate(inode, 0)) != 0) {
        file_put(file);
        file = error_pointer(error);
        goto out;
    }
    file_tell_open(inode, flags, cuts);
out:
    inode_put(inode);
    return file;
}
