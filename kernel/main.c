/* The boot order, on one page. boot/boot.asm calls kernel_main on the boot stack. */
#include "arch/apic.h"
#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/idt.h"
#include "arch/panic.h"
#include "arch/percpu.h"
#include "arch/smp.h"
#include "debug/crash.h"
#include "debug/explore.h"
#include "debug/lab.h"
#include "dev/keyboard.h"
#include "dev/serial.h"
#include "dev/vga.h"
#include "event/signalfd.h"
#include "fs/device.h"
#include "fs/initramfs.h"
#include "fs/ktrace.h"
#include "fs/tmpfs.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "process/context.h"
#include "process/exec.h"
#include "process/fork.h"
#include "procfs/tree.h"
#include "sched/futex.h"
#include "sched/sched.h"
#include "syscall/calls.h"
#include "trace/trace.h"
#include "tty/tty.h"

static void mount_at_boot(const char *path, struct inode *root)
{
    struct inode *directory = path_lookup(vfs_root(), path, 0);

    if (!is_error(directory)) {
        vfs_mount(directory, root);
        inode_put(directory);
    }
}

static void log_to_screen(const char *text, size_t size)
{
    vga_write(text, size);
}

static void files_init(void)
{
    struct inode *devices;

    device_init();
    console_init();
    pty_init();
    signalfd_init();
    ktrace_device_init();
    explore_device_init();
    crash_device_init();
    vfs_init(tmpfs_create_root(0755));
    initramfs_unpack();
    devices = tmpfs_create_root(0755);
    device_fill(devices);
    pty_fill(devices);
    mount_at_boot("/dev", devices);
    mount_at_boot("/proc", proc_create_root());
}

/* The first task starts in the kernel and becomes the first program. */
static void first_task(void *unused)
{
    (void)unused;
    crash_if_asked(); /* here: this stack has a guard page */
    context_first_task();
    lab_test_if_asked();
    exec_first("/init");
}

static struct timer time_limit;

static void machine_time_is_over(struct timer *timer)
{
    (void)timer;
    machine_timeout();
}

static void limit_machine_time(void)
{
    uint64_t seconds;

    if (boot_number("timeout", 1, KTIME_NEVER / SECOND / 2, &seconds)) {
        time_limit.expire = machine_time_is_over;
        timer_set(&time_limit, (ktime_t)seconds * SECOND);
    }
}

void kernel_main(uint32_t magic, paddr_t info);
void kernel_main(uint32_t magic, paddr_t info)
{
    percpu_init(0);
    serial_init();
    log_add_sink(serial_log_wire);
    boot_init(magic, info);
    cpu_init();
    idt_init();
    paging_init();
    vga_init();
    if (!boot_option("quiet")) {
        log_add_sink(serial_log_console);
        log_add_sink(log_to_screen);
    }
    printk("Baton: who holds the CPU?\n");
    page_init();
    kmalloc_init();
    acpi_init();
    lapic_init();
    ioapic_init();
    clock_init();
    wait_init();
    futex_init();
    sched_init();
    syscall_init();
    files_init();
    trace_init(acpi_info.cpus);
    serial_irq_init();
    keyboard_init();
    limit_machine_time();
    irq_enable();
    smp_start();
    kernel_thread("init", first_task, NULL);
    sched_idle(); /* this is the first CPU's idle task now */
}
