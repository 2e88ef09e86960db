/*
 * tmpfs, regular files: trees of pages.
 *
 * A file's pages are found under its `pages_lock`, held for the search only. Copies to and from
 * the user happen with a reference to the page and no spinlock, since they may fault. Writers
 * hold inode->lock over the whole write, so that two appends cannot mix; a page fault on a
 * mapping takes pages_lock alone, so a write from a mapping of the same file cannot deadlock.
 */
#include "fs/tmpfs.h"

#include "fs/device.h"
#include "arch/paging.h"
#include "arch/spinlock.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/page_tree.h"
#include "mm/uaccess.h"
#include "sched/task.h"

#define FILE_SIZE_MAX INT64_MAX

#define PAGES_AT_ONCE 128 /* are cut off a file before others may have the CPU */

struct tmpfs_file {
    struct spinlock pages_lock; /* protects pages and growth of size; only mm's locks below */
    struct page_tree pages;
};

struct tmpfs_source {
    struct vma_source source;
    struct inode *inode;
    bool writes; /* it counts as a writer */
};

/* Is the rest of a long call for nobody? Only after the first page is that asked; and the kernel, which
 * unpacks the initramfs, is in no group. */
static bool file_gives_up(size_t done)
{
    return done && current->group && signal_kill_pending(current);
}

size_t tmpfs_free_pages(void)
{
    const size_t kept = current->group ? page_total_count() / 16 : 0, free = page_free_count();

    return free > kept ? free - kept : 0;
}

/* Why file_page gave none: the files have all that they may have, or there is no memory at all. */
static long file_page_error(void)
{
    return tmpfs_free_pages() ? -ENOMEM : -ENOSPC;
}

/* The page at `index`, referenced; made of zeroes if it is a hole and `create`. NULL: a hole, or see
 * file_page_error. */
static struct page *file_page(struct tmpfs_file *file, uint64_t index, bool create)
{
    struct page *page, *fresh = NULL;

    for (;;) {
        spin_lock(&file->pages_lock);
        page = page_tree_find(&file->pages, index);
        if (!page && fresh && page_tree_insert(&file->pages, index, fresh) == 0) {
            page = fresh;
            fresh = NULL;
        }
        if (page) {
            page_get(page);
        }
        spin_unlock(&file->pages_lock);
        if (page || !create || fresh) {
            break;
        }
        fresh = tmpfs_free_pages() ? page_alloc_zeroed() : NULL;
        if (!fresh) {
            break;
        }
    }
    if (fresh) {
        page_put(fresh);
    }
    return page;
}

/* Not all that lies at `user` can be copied: what is in front of a page's border may be. */
static bool file_cut_part(const char __user *user, size_t *part)
{
    size_t first = PAGE_SIZE - ((vaddr_t)user & (PAGE_SIZE - 1));

    if (first >= *part) {
        return false;
    }
    *part = first;
    return true;
}

/* NULL: a hole. */
static long file_copy_out(const struct page *page, size_t offset, char __user *buffer, size_t size)
{
    return page ? copy_to_user(buffer, (char *)page_to_virt(page) + offset, size) : clear_user(buffer, size);
}

static ssize_t file_read(struct file *file, char __user *buffer, size_t size, off_t *position)
{
    struct inode *inode = file->inode;
    size_t done = 0;

    while (done < size && *position < inode->size && !file_gives_up(done)) {
        size_t offset = (size_t)*position & (PAGE_SIZE - 1), part = PAGE_SIZE - offset;
        struct page *page = file_page(inode->data, (uint64_t)*position >> PAGE_SHIFT, false);
        long error;

        if (part > size - done) {
            part = size - done;
        }
        if (part > (size_t)(inode->size - *position)) {
            part = (size_t)(inode->size - *position);
        }
        error = file_copy_out(page, offset, buffer + done, part);
        if (error && file_cut_part(buffer + done, &part)) {
            error = file_copy_out(page, offset, buffer + done, part);
        }
        if (page) {
            page_put(page);
        }
        if (error) {
            return done ? (ssize_t)done : error;
        }
        done += part;
        *position += (off_t)part;
    }
    return (ssize_t)done;
}

/* The kernel, which unpacks the initramfs, has no limit. */
static uint64_t file_size_limit(void)
{
    return current->group ? mm_limits()[RLIMIT_FSIZE].soft : UINT64_MAX;
}

static void file_grow(struct inode *inode, off_t size)
{
    struct tmpfs_file *file = inode->data;

    assert_held(&inode->lock);
    spin_lock(&file->pages_lock);
    if (size > inode->size) {
        inode->size = size;
    }
    spin_unlock(&file->pages_lock);
}

/* Bytes, or -errno; inode->lock is held, so that two writes do not mix. */
static ssize_t file_write_locked(struct file *file, const char __user *buffer, size_t size, off_t *position)
{
    const uint64_t limit = file_size_limit();
    struct inode *inode = file->inode;
    size_t done = 0;
    long error = 0;

    assert_held(&inode->lock);
    if (file->flags & O_APPEND) {
        *position = inode->size;
    }
    if (*position > FILE_SIZE_MAX - (off_t)size || (size && (uint64_t)*position >= limit)) {
        error = -EFBIG;
    } else if (size > limit - (uint64_t)*position) {
        size = limit - (uint64_t)*position;
    }
    while (done < size && !error && !file_gives_up(done)) {
        size_t offset = (size_t)*position & (PAGE_SIZE - 1), part = PAGE_SIZE - offset;
        struct page *page = file_page(inode->data, (uint64_t)*position >> PAGE_SHIFT, true);

        if (!page) {
            error = file_page_error();
            break;
        }
        if (part > size - done) {
            part = size - done;
        }
        error = copy_from_user((char *)page_to_virt(page) + offset, buffer + done, part);
        if (error && file_cut_part(buffer + done, &part)) {
            error = copy_from_user((char *)page_to_virt(page) + offset, buffer + done, part);
        }
        page_put(page);
        if (!error) {
            done += part;
            *position += (off_t)part;
            file_grow(inode, *position);
        }
    }
    return done ? (ssize_t)done : error;
}

/* After a write: `done` is what it gives. */
static void file_write_end(struct file *file, ssize_t done, const off_t *position)
{
    struct inode *inode = file->inode;

    if (done > 0) {
        inode->mtime = inode->ctime = vfs_now();
    }
    mutex_unlock(&inode->lock);
    if (done == -EFBIG && (uint64_t)*position >= file_size_limit()) {
        signal_send_self(SIGXFSZ);
    }
}

static ssize_t file_write(struct file *file, const char __user *buffer, size_t size, off_t *position)
{
    ssize_t done;

    mutex_lock(&file->inode->lock);
    done = file_write_locked(file, buffer, size, position);
    file_write_end(file, done, position);
    return done;
}

static ssize_t file_write_pieces(struct file *file, const struct iovec __user *vector, size_t count, size_t total,
                                 off_t *position)
{
    size_t done = 0;
    ssize_t part = 0;

    (void)total;
    mutex_lock(&file->inode->lock);
    for (size_t i = 0; i < count && part >= 0; i++) {
        struct iovec piece;

        part = iovec_piece(vector, i, done, &piece);
        if (!part && piece.size) {
            part = file_write_locked(file, (const char __user *)piece.base, piece.size, position);
        }
        done += part > 0 ? (size_t)part : 0;
        if (part >= 0 && (size_t)part < piece.size) {
            break;
        }
    }
    part = done ? (ssize_t)done : part;
    file_write_end(file, part, position);
    return part;
}

/* Mappings must not show pages behind the new end. There is no list of a file's mappings: files
 * are cut seldom, so every address space is looked at. */
static void forget_mappings(struct inode *inode, uint64_t first)
{
    for (pid_t pid = 0; (pid = task_next(pid)) > 0;) {
        struct task *task = task_find(pid);
        struct mm *mm = task ? task_mm(task) : NULL;

        if (mm) {
            mm_zap_object(mm, inode, first);
        }
        mm_put(mm);
        task_put(task);
    }
}

/* Drop the pages from `first` on. Between some of them others may have the lock, and the CPU. */
static void file_cut(struct tmpfs_file *file, uint64_t first)
{
    assert_held(&file->pages_lock);
    while (!page_tree_cut(&file->pages, first, PAGES_AT_ONCE)) {
        spin_unlock(&file->pages_lock);
        spin_lock(&file->pages_lock);
    }
}

/* What lies behind the end, made by fallocate, goes also if the size stays. */
static long file_truncate(struct inode *inode, off_t size)
{
    struct tmpfs_file *file = inode->data;
    struct page *last;
    bool shrinks;

    if (size > FILE_SIZE_MAX) {
        return -EFBIG;
    }
    mutex_lock(&inode->lock);
    if (size > inode->size && (uint64_t)size > file_size_limit()) {
        mutex_unlock(&inode->lock);
        signal_send_self(SIGXFSZ);
        return -EFBIG;
    }
    spin_lock(&file->pages_lock);
    shrinks = size < inode->size;
    if (size <= inode->size) {
        inode->size = size;
        file_cut(file, align_up((uint64_t)size, PAGE_SIZE) >> PAGE_SHIFT);
        last = page_tree_find(&file->pages, (uint64_t)size >> PAGE_SHIFT);
        if (last) {
            /* What is cut off must read as zeroes when the file grows again. */
            size_t keep = (size_t)size & (PAGE_SIZE - 1);

            memset((char *)page_to_virt(last) + keep, 0, PAGE_SIZE - keep);
        }
    }
    inode->size = size;
    spin_unlock(&file->pages_lock);
    if (shrinks) {
        forget_mappings(inode, align_up((uint64_t)size, PAGE_SIZE) >> PAGE_SHIFT);
    }
    inode->mtime = inode->ctime = vfs_now();
    mutex_unlock(&inode->lock);
    return 0;
}

/* What there is no memory for is not begun. What fails in the middle all the same, or is interrupted, gives
 * back what lies behind the file's end, and has made zeroes of some holes: nobody can tell them apart. */
static long file_allocate(struct inode *inode, off_t offset, off_t size, bool keep_size)
{
    const off_t end = offset + size;
    uint64_t index = (uint64_t)offset >> PAGE_SHIFT, last = (uint64_t)(end - 1) >> PAGE_SHIFT;
    struct tmpfs_file *file = inode->data;
    struct page *page;
    long error = 0;

    mutex_lock(&inode->lock);
    if (!keep_size && end > inode->size && (uint64_t)end > file_size_limit()) {
        mutex_unlock(&inode->lock);
        signal_send_self(SIGXFSZ);
        return -EFBIG;
    }
    error = last - index < file->pages.pages + tmpfs_free_pages() ? 0 : -ENOSPC;
    for (; index <= last && !error; index++) {
        page = signal_pending(current) ? NULL : file_page(file, index, true);
        if (page) {
            page_put(page);
        } else {
            error = signal_pending(current) ? -EINTR : file_page_error();
        }
    }
    if (error) {
        spin_lock(&file->pages_lock);
        file_cut(file, align_up((uint64_t)inode->size, PAGE_SIZE) >> PAGE_SHIFT);
        spin_unlock(&file->pages_lock);
    } else if (!keep_size) {
        file_grow(inode, end);
    }
    inode->mtime = inode->ctime = vfs_now();
    mutex_unlock(&inode->lock);
    return error;
}

static struct page *source_page(struct vma_source *source, uint64_t index)
{
    struct inode *inode = container_of(source, struct tmpfs_source, source)->inode;
    struct page *page;

    if (index >= align_up((uint64_t)inode->size, PAGE_SIZE) >> PAGE_SHIFT) {
        return error_pointer(-EIO);
    }
    page = file_page(inode->data, index, true);
    if (page) {
        return page;
    }
    return error_pointer(file_page_error() == -ENOSPC ? -EIO : -ENOMEM);
}

static bool source_has_page(struct vma_source *source, uint64_t index)
{
    struct page *page = file_page(container_of(source, struct tmpfs_source, source)->inode->data, index, false);

    if (page) {
        page_put(page);
    }
    return page;
}

static void source_release(struct vma_source *source)
{
    struct tmpfs_source *tmpfs = container_of(source, struct tmpfs_source, source);

    if (tmpfs->writes) {
        inode_put_write(tmpfs->inode);
    }
    inode_put(tmpfs->inode);
    kfree(tmpfs);
}

static void *source_object(struct vma_source *source)
{
    return container_of(source, struct tmpfs_source, source)->inode;
}

static const struct vma_source_ops source_ops = {
    .get_page = source_page,
    .has_page = source_has_page,
    .release = source_release,
    .object = source_object,
};

static struct vma_source *file_source(struct inode *inode, bool writes)
{
    struct tmpfs_source *source = kmalloc(sizeof(*source));
    long error = 0;

    if (!source) {
        return error_pointer(-ENOMEM);
    }
    if (writes) {
        error = inode_get_write(inode);
    }
    if (error) {
        kfree(source);
        return error_pointer(error);
    }
    source->writes = writes;
    /* Of the file, which may be cut and grow again: one bit tells it from mm_new_id's. */
    vma_source_init(&source->source, &source_ops, inode->number << 2 | 2);
    source->inode = inode_get(inode);
    return &source->source;
}

static void file_release(struct inode *inode)
{
    struct tmpfs_file *file = inode->data;

    page_tree_truncate(&file->pages, 0);
    kfree(file);
    kfree(inode);
}

void *tmpfs_file_create(void)
{
    return kzalloc(sizeof(struct tmpfs_file));
}

const struct inode_ops tmpfs_file_inode_ops = {
    .truncate = file_truncate, .allocate = file_allocate, .source = file_source, .release = file_release,
};
const struct file_ops regular_file_ops = {
    .read = file_read, .write = file_write, .write_pieces = file_write_pieces, .seek = file_seek_size,
};
