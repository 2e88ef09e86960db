/*
 * Users and groups: everybody is root, with no other group, and nobody can become anybody else. A
 * call that asks for another identity says -EPERM: one that said 0 would let a server believe that
 * it gave its rights away.
 */
#include "lib/errno.h"
#include "mm/uaccess.h"
#include "syscall/calls.h"

/* Ids that are asked for: 0 is what everybody has, -1 changes nothing. */
static long ids_check(uint32_t real, uint32_t effective, uint32_t saved)
{
    const bool stays = real + 1 <= 1 && effective + 1 <= 1 && saved + 1 <= 1;

    return stays ? 0 : -EPERM;
}

static long ids_get(uint32_t __user *real, uint32_t __user *effective, uint32_t __user *saved)
{
    const bool told = !put_user(0u, real) && !put_user(0u, effective) && !put_user(0u, saved);

    return told ? 0 : -EFAULT;
}

long sys_getuid(void)
{
    return 0;
}

long sys_geteuid(void)
{
    return 0;
}

long sys_getgid(void)
{
    return 0;
}

long sys_getegid(void)
{
    return 0;
}

long sys_getresuid(uint32_t __user *real, uint32_t __user *effective, uint32_t __user *saved)
{
    return ids_get(real, effective, saved);
}

long sys_getresgid(uint32_t __user *real, uint32_t __user *effective, uint32_t __user *saved)
{
    return ids_get(real, effective, saved);
}

long sys_setuid(uint32_t uid)
{
    return uid == UINT32_MAX ? -EINVAL : ids_check(uid, 0, 0);
}

long sys_setgid(uint32_t gid)
{
    return gid == UINT32_MAX ? -EINVAL : ids_check(gid, 0, 0);
}

long sys_setreuid(uint32_t real, uint32_t effective)
{
    return ids_check(real, effective, 0);
}

long sys_setregid(uint32_t real, uint32_t effective)
{
    return ids_check(real, effective, 0);
}

long sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return ids_check(real, effective, saved);
}

long sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved)
{
    return ids_check(real, effective, saved);
}

/* These tell what was set before, and never an error: setfsuid(2). */
long sys_setfsuid(uint32_t uid)
{
    (void)uid;
    return 0;
}

long sys_setfsgid(uint32_t gid)
{
    (void)gid;
    return 0;
}

long sys_getgroups(int count, uint32_t __user *groups)
{
    (void)groups;
    return count < 0 ? -EINVAL : 0;
}

long sys_setgroups(int count, const uint32_t __user *groups)
{
    (void)groups;
    if (count < 0 || count > 65536) { /* NGROUPS_MAX */
        return -EINVAL;
    }
    return count ? -EPERM : 0;
}
