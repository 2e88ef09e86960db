/* The first files. */
#ifndef FS_INITRAMFS_H
#define FS_INITRAMFS_H
/* Unpack boot_initrd over vfs_root() and free its pages; panics when it cannot be read. */
void initramfs_unpack(void);
#endif
