/*
 * The only way to user memory. A pointer is checked against USER_TOP; what is not mapped is
 * found by the page fault, whose handler jumps to the fix-up in .extable. May sleep (a page may
 * have to be made), so no spinlock is held.
 */
#ifndef MM_UACCESS_H
#define MM_UACCESS_H
#include "arch/cpu.h"
#include "arch/paging.h"
#include "lib/errno.h"

/* uaccess.asm, for what is below; the caller has checked the range. 0 or -EFAULT; of a string, as
 * strncpy_from_user. */
long uaccess_copy(void *to, const void *from, size_t size);
long uaccess_clear(void *to, size_t size);
long uaccess_string(char *to, const char *from, size_t max);
/* One aligned word of 4 bytes, zero-extended, in one access; -EFAULT. Under a spinlock that also when
 * the page is to be made. */
long uaccess_load(const void *word);
/* In one access: all of it is written, or, across the end of what is mapped, nothing. 0 or -EFAULT. */
long uaccess_store4(void *word, uint32_t value);
long uaccess_store8(void *word, uint64_t value);
/* *word becomes `value` if it is `old`; what it was, or -EFAULT. */
long uaccess_exchange(void *word, uint32_t old, uint32_t value);

static inline bool user_range_ok(const void __user *pointer, size_t size)
{
    return size <= USER_TOP && (vaddr_t)pointer <= USER_TOP - size;
}

/* All of it or -EFAULT; some may have been copied. */
static inline long copy_to_user(void __user *to, const void *from, size_t size)
{
    assert_irqs_on();
    return user_range_ok(to, size) ? uaccess_copy(to, from, size) : -EFAULT;
}

static inline long copy_from_user(void *to, const void __user *from, size_t size)
{
    assert_irqs_on();
    return user_range_ok(from, size) ? uaccess_copy(to, from, size) : -EFAULT;
}

static inline long clear_user(void __user *to, size_t size)
{
    assert_irqs_on();
    return user_range_ok(to, size) ? uaccess_clear(to, size) : -EFAULT;
}

/* The length without the terminator, -EFAULT, or -ENAMETOOLONG when max bytes hold none. */
static inline long strncpy_from_user(char *to, const char __user *from, size_t max)
{
    assert_irqs_on();
    if ((vaddr_t)from >= USER_TOP) {
        return -EFAULT;
    }
    if (max > USER_TOP - (vaddr_t)from) {
        long length = uaccess_string(to, from, USER_TOP - (vaddr_t)from);

        return length == -ENAMETOOLONG ? -EFAULT : length; /* it goes on where no user memory is */
    }
    return uaccess_string(to, from, max);
}

#define get_user(to, from) copy_from_user(&(to), (from), sizeof(to))
#define put_user(value, to)                                                       \
    ({                                                                            \
        _Static_assert(sizeof(*(to)) == 4 || sizeof(*(to)) == 8, "a word");       \
        typeof(*(to)) put_user_value = (value);                                   \
        void __user *put_user_to = (to);                                          \
        !user_range_ok(put_user_to, sizeof(*(to))) ? -EFAULT                      \
        : sizeof(*(to)) == 4 ? uaccess_store4(put_user_to, (uint32_t)put_user_value) \
                             : uaccess_store8(put_user_to, (uint64_t)put_user_value); \
    })
#endif
