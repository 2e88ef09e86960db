#ifndef ULIB_SYS_MMAN_H
#define ULIB_SYS_MMAN_H
#include <sys/types.h>
enum { PROT_NONE, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum {
    MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_FIXED = 16, MAP_ANONYMOUS = 32, MAP_GROWSDOWN = 0x100,
    MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000, MAP_STACK = 0x20000,
    MAP_FIXED_NOREPLACE = 0x100000,
};
#define MAP_FAILED ((void *)-1)
void *mmap(void *address, size_t size, int prot, int flags, int fd, off_t offset);
int munmap(void *address, size_t size);
int mprotect(void *address, size_t size, int prot);
enum { MS_INVALIDATE = 2, MS_SYNC = 4 };
enum { MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2 };
enum { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4 };
enum {
    MADV_DONTNEED = 4, MADV_FREE = 8, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_NOHUGEPAGE = 15,
    MADV_WIPEONFORK = 18, MADV_KEEPONFORK, MADV_POPULATE_READ = 22, MADV_POPULATE_WRITE,
};
#endif
