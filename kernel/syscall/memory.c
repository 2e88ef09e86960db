/* Calls on memory: what mm does, after the checks of arguments. */
#include "fs/device.h"
#include "fs/file.h"
#include "lib/errno.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "sched/signal.h"
#include "sched/task.h"
#include "syscall/calls.h"

/* What a mapping of the file shows, referenced; or an error pointer. */
static struct vma_source *mmap_source(struct file *file, int prot, bool shared)
{
    if (!file_readable(file) || (shared && prot & PROT_WRITE && !file_writable(file))) {
        return error_pointer(-EACCES);
    }
    if (file->ops->source) {
        return file->ops->source(file);
    }
    if (file->inode->ops->source) {
        return file->inode->ops->source(file->inode, file_writable(file));
    }
    return error_pointer(-ENODEV);
}

/* Why these flags are refused; 0: they are not. A descriptor that is not open is told of first. */
static long mmap_refuses(int flags, size_t size, int fd)
{
    enum { MAP_KNOWN = 0x407f9f3 }; /* what Linux had before it looked for others: LEGACY_MAP_MASK */
    const int type = flags & MAP_SHARED_VALIDATE;
    long error = 0;

    if (size == 0 || !type || (type == MAP_SHARED_VALIDATE && flags & MAP_ANONYMOUS)) {
        error = -EINVAL;
    } else if (flags & MAP_HUGETLB) {
        error = -EINVAL; /* there are none: as a Linux that was built without them */
    } else if (flags & MAP_GROWSDOWN && (type != MAP_PRIVATE || !(flags & MAP_ANONYMOUS))) {
        error = -EINVAL; /* what is below has no place in the source */
    } else if (type == MAP_SHARED_VALIDATE && flags & ~MAP_KNOWN) {
        error = -EOPNOTSUPP;
    }
    return error && !(flags & MAP_ANONYMOUS) && fd_close_on_exec(fd) < 0 ? -EBADF : error;
}

long sys_mmap(uint64_t address, size_t size, int prot, int flags, int fd, off_t offset)
{
    struct vma_source *source = NULL;
    const int type = flags & MAP_SHARED ? MAP_SHARED : MAP_PRIVATE; /* of MAP_SHARED_VALIDATE, too */
    long result = offset & (off_t)(PAGE_SIZE - 1) ? -EINVAL : mmap_refuses(flags, size, fd);

    if (result) {
        return result;
    }
    flags = (flags & ~(VMA_OURS | MAP_PRIVATE | MAP_SHARED)) | type;
    flags |= flags & MAP_LOCKED ? MAP_POPULATE : 0;
    flags |= current->mm->lock_future;
    flags |= flags & MAP_STACK ? MAP_NORESERVE : 0; /* a stack's size is a limit */
    if (!(flags & MAP_ANONYMOUS)) {
        struct file *file = fd_get_io(fd);

        if (!file) {
            return -EBADF;
        }
        source = size <= USER_TOP && (uint64_t)offset + size > INT64_MAX
                     ? error_pointer(-EOVERFLOW) : mmap_source(file, prot, type == MAP_SHARED);
        flags |= type == MAP_SHARED && !file_writable(file) ? VMA_READ_ONLY : 0;
        if (source == error_pointer(-ENODEV) && device_is_zero(file->inode)) {
            source = NULL;
            flags |= MAP_ANONYMOUS; /* mapped, /dev/zero is memory without a file */
        }
        file_put(file);
    }
    if (flags & MAP_ANONYMOUS && type == MAP_SHARED) {
        source = vma_source_anonymous(align_up(size, PAGE_SIZE) >> PAGE_SHIFT,
                                      !(flags & MAP_NORESERVE));
    }
    if (is_error(source)) {
        return pointer_error(source);
    }
    result = mm_map(current->mm, address, size, prot & 7, flags, source,
                    flags & MAP_ANONYMOUS ? 0 : (uint64_t)offset >> PAGE_SHIFT);
    vma_source_put(source);
    if (result > 0 && flags & MAP_POPULATE) {
        mm_populate(current->mm, (vaddr_t)result, (vaddr_t)result + align_up(size, PAGE_SIZE));
    }
    return result;
}

long sys_munmap(uint64_t address, size_t size)
{
    return mm_unmap(current->mm, address, size);
}

long sys_mprotect(uint64_t address, size_t size, uint64_t prot)
{
    return prot > INT32_MAX ? -EINVAL : mm_protect(current->mm, address, size, (int)prot);
}

long sys_brk(uint64_t brk)
{
    return mm_brk(current->mm, brk);
}

long sys_mremap(uint64_t old, size_t old_size, size_t size, uint64_t flags, uint64_t fixed)
{
    return flags > INT32_MAX ? -EINVAL
                             : mm_remap(current->mm, old, old_size, size, (int)flags, fixed);
}

long sys_madvise(uint64_t address, size_t size, int advice)
{
    return mm_advise(current->mm, address, size, advice);
}

/* What is before a hole is told, too. */
long sys_mincore(uint64_t address, size_t size, uint8_t __user *vector)
{
    size_t pages = size / PAGE_SIZE + (size % PAGE_SIZE != 0), count;
    uint8_t there[256];

    if (address & (PAGE_SIZE - 1)) {
        return -EINVAL;
    }
    if (!user_range_ok((void __user *)address, size)) {
        return -ENOMEM;
    }
    if (!user_range_ok(vector, pages)) {
        return -EFAULT;
    }
    for (; pages; pages -= count, address += count * PAGE_SIZE, vector += count) {
        if (signal_kill_pending(current)) {
            return -EINTR; /* nobody sees it: there may be billions of pages */
        }
        count = mm_present(current->mm, address, there, pages < sizeof(there) ? pages : sizeof(there));
        if (!count) {
            return -ENOMEM;
        }
        if (copy_to_user(vector, there, count)) {
            return -EFAULT;
        }
    }
    return 0;
}

/* Nothing is to be written back, as a mapping's pages are the file's: but all must be mapped. */
long sys_msync(uint64_t address, size_t size, int flags)
{
    enum { MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4 };

    if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC)) {
        return -EINVAL;
    }
    if (flags & MS_INVALIDATE && !(address & (PAGE_SIZE - 1)) &&
        mm_locked_pages(current->mm, address, address + size)) {
        return -EBUSY;
    }
    return mm_advise(current->mm, address, size, MADV_NORMAL);
}

long sys_mlock(uint64_t address, size_t size)
{
    return mm_lock_range(current->mm, address, size, true, true);
}

long sys_mlock2(uint64_t address, size_t size, int flags)
{
    enum { MLOCK_ONFAULT = 1 };

    return flags & ~MLOCK_ONFAULT ? -EINVAL : mm_lock_range(current->mm, address, size, true, !flags);
}

long sys_munlock(uint64_t address, size_t size)
{
    return mm_lock_range(current->mm, address, size, false, false);
}

long sys_mlockall(int flags)
{
    if (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || !(flags & (MCL_CURRENT | MCL_FUTURE))) {
        return -EINVAL;
    }
    mm_lock_all(current->mm, flags);
    return 0;
}

long sys_munlockall(void)
{
    mm_lock_all(current->mm, 0);
    return 0;
}
