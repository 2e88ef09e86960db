/*
 * The kernel option `crash`: mistakes that are asked for, to see that each is found and reported.
 * Those of locks are found by the debug build, damage to memory by the sanitized one (docs/testing.md).
 *
 * crash=device makes /dev/crash instead: who writes a mistake's name there makes it then.
 */
#include "debug/crash.h"

#include "arch/boot.h"
#include "arch/cpu.h"
#include "arch/paging.h"
#include "arch/spinlock.h"
#include "fs/device.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/refcount.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "process/fork.h"
#include "sched/task.h"

static char *volatile hidden; /* so that the compiler does not see what is done to it */

static void crash_panic(void)
{
    panic("crash=panic was asked for");
}

/* What the CPU refuses, each of its own kind: arch/explain.c says which. */
static void crash_null(void)
{
    hidden = (char *)0x18;
    hidden[0] = 1;
}

static void crash_user(void)
{
    hidden = (char *)0x400000;
    hidden[0] = hidden[1];
}

static void crash_readonly(void)
{
    hidden = (char *)(uintptr_t)crash_null;
    hidden[0] = 1;
}

static void crash_execute(void)
{
    static char code[16];

    hidden = code;
    ((void (*)(void))(uintptr_t)hidden)();
}

static void crash_no_ram(void)
{
    hidden = phys_to_virt(1ul << 42);
    hidden[0] = 1;
}

static void crash_gap(void)
{
    hidden = (char *)KSTACK_BASE;
    hidden[0] = 1;
}

static void crash_not_canonical(void)
{
    hidden = (char *)(1ul << 62);
    hidden[0] = 1;
}

static void crash_selector(void)
{
    __asm__ volatile("movw %0, %%ds" : : "r"((uint16_t)0x108));
}

static int crash_deeper(volatile int depth)
{
    int (*volatile again)(volatile int) = crash_deeper; /* no tail call, no warning */

    if (depth == 40) {
        panic("crash=deep was asked for");
    }
    return again(depth + 1) + depth;
}

/* More calls than a screen has lines. */
static void crash_deep(void)
{
    crash_deeper(0);
}

static int overflow_stack(volatile int depth)
{
    int (*volatile again)(volatile int) = overflow_stack; /* no tail call, no warning */
    volatile char fill[512];

    fill[0] = (char)depth;
    return again(depth + 1) + fill[0];
}

static void crash_overflow(void)
{
    overflow_stack(0);
}

/* As a driver would that waits for its device with interrupts off. */
static void crash_hang(void)
{
    for (;;) {
        irq_disable();
        __asm__ volatile("hlt");
    }
}

static void crash_triple(void)
{
    static const char empty_idt[10];

    __asm__ volatile("lidt %0; int3" : : "m"(empty_idt));
}

/* Of many nops: a second of them costs an emulator that counts instructions a fraction of one. */
static void spin_for_ever(void *unused)
{
    (void)unused;
    for (;;) {
        __asm__ volatile(".rept 400; nop; .endr");
    }
}

/* A loop that takes interrupts and lets nobody else run. */
static void crash_starve(void)
{
    preempt_disable();
    kernel_thread("starving", spin_for_ever, NULL);
    spin_for_ever(NULL);
}

/* One CPU alone does not hang on it. */
static void crash_deadlock(void)
{
    static struct spinlock a = SPINLOCK_INIT, b = SPINLOCK_INIT; /* protect nothing */

    spin_lock(&a);
    spin_lock(&b);
    spin_unlock(&b);
    spin_unlock(&a);
    spin_lock(&b);
    spin_lock(&a);
    spin_unlock(&a);
    spin_unlock(&b);
}

static void crash_unheld(void)
{
    static struct spinlock a = SPINLOCK_INIT; /* protects nothing */

    (void)a;
    assert_held(&a);
}

/* Where nothing looks, the machine counts modulo 64. */
static void crash_shift(void)
{
    static volatile int amount = 64;
    static volatile uint64_t result;

    result = 1ul << amount;
    (void)result;
}

static void crash_list(void)
{
    static struct list head = LIST_INIT(head), a, b;

    list_push_back(&head, &a);
    list_push_back(&head, &b);
    hidden = (char *)&b;
    ((struct list *)hidden)->prev = &head;
    list_remove(&b);
}

static void crash_refcount(void)
{
    int dead = 0;

    ref_get(&dead);
}

static void crash_smash(void)
{
    char local[16];

    hidden = local;
    memset(hidden, 1, 40);
}

static void crash_overflow_slab(void)
{
    hidden = kmalloc(100);
    hidden[100] = 1;
    kfree(hidden);
}

static void crash_underflow_slab(void)
{
    hidden = kmalloc(100);
    hidden[-1] = 1;
    kfree(hidden);
}

static void crash_use_after_free(void)
{
    hidden = kmalloc(100);
    kfree(hidden);
    hidden[50] = 1;
    hidden = kmalloc(100);
}

static void crash_double_free(void)
{
    hidden = kmalloc(100);
    kfree(hidden);
    kfree(hidden);
}

static void crash_use_after_free_page(void)
{
    struct page *page = page_alloc(0);

    hidden = page_to_virt(page);
    page_put(page);
    hidden[50] = 1;
    page_alloc(0);
}

static void crash_double_free_page(void)
{
    struct page *page = page_alloc(0);

    page_put(page);
    page_put(page);
}

static void crash_leak(void)
{
    hidden = kmalloc(200);
    hidden = page_to_virt(page_alloc(0));
}

static const struct {
    const char *name;
    void (*make)(void);
} mistakes[] = {
    {"panic", crash_panic},
    {"null", crash_null},
    {"user", crash_user},
    {"readonly", crash_readonly},
    {"execute", crash_execute},
    {"no-ram", crash_no_ram},
    {"gap", crash_gap},
    {"not-canonical", crash_not_canonical},
    {"selector", crash_selector},
    {"deep", crash_deep},
    {"overflow", crash_overflow},
    {"hang", crash_hang},
    {"triple", crash_triple},
    {"starve", crash_starve},
    {"leak", crash_leak},
    /* by the debug build */
    {"deadlock", crash_deadlock},
    {"unheld", crash_unheld},
    /* by the sanitized build */
    {"shift", crash_shift},
    {"list", crash_list},
    {"refcount", crash_refcount},
    {"smash", crash_smash},
    {"overflow-slab", crash_overflow_slab},
    {"underflow-slab", crash_underflow_slab},
    {"use-after-free", crash_use_after_free},
    {"double-free", crash_double_free},
    {"use-after-free-page", crash_use_after_free_page},
    {"double-free-page", crash_double_free_page},
};

/* False: there is none of that name. */
static bool crash_make(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        if (strcmp(name, mistakes[i].name) == 0) {
            mistakes[i].make();
            return true;
        }
    }
    return false;
}

static bool crash_is_device(const char *crash)
{
    return crash && strcmp(crash, "device") == 0;
}

void crash_if_asked(void)
{
    const char *crash = boot_option("crash");

    if (crash && !crash_is_device(crash) && !crash_make(crash)) {
        printk("crash: there is no mistake called \"%s\"\n", crash);
    }
}

static ssize_t crash_write(struct file *file, const char __user *buffer, size_t size,
                           off_t *position)
{
    char name[32] = {0};

    (void)file, (void)position;
    if (size >= sizeof(name)) {
        return -EINVAL;
    }
    if (copy_from_user(name, buffer, size)) {
        return -EFAULT;
    }
    return crash_make(name) ? (ssize_t)size : -EINVAL;
}

void crash_device_init(void)
{
    static const struct file_ops ops = {.write = crash_write};

    if (crash_is_device(boot_option("crash"))) {
        device_register(10, 202, "crash", 0666, &ops, NULL);
    }
}
