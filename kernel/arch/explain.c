/*
 * What the CPU says of a trap, in words: the error code's bits, and what lies at the address. For
 * whoever reads a panic. Lines have 80 columns at most: the text screen has no more.
 */
#include "arch/explain.h"

#include "arch/boot.h"
#include "arch/paging.h"
#include "arch/symbols.h"
#include "arch/vector.h"
#include "lib/log.h"

#define NEAR_NULL 0x10000 /* a member of a struct that a null pointer should lead to */

/* SDM volume 3, sections 6.15 (an error code is a selector for these vectors) and 6.13 (its bits). */
#define HAS_SELECTOR (1u << 10 | 1u << 11 | 1u << 12 | 1u << 13)
extern char kernel_end[];
enum { SELECTOR_EXTERNAL = 1, SELECTOR_IDT = 2, SELECTOR_LDT = 4 };

static void explain_address(vaddr_t address)
{
    unsigned long offset;
    const char *name;

    printk("  at 0x%lx: ", address);
    if (address < NEAR_NULL) {
        printk("near NULL: a null pointer, and a member behind it\n");
    } else if (address < USER_TOP) {
        printk("a user address\n");
    } else if (address < DIRECT_MAP_BASE) {
        printk("nothing is ever mapped here\n");
    } else if (address < KSTACK_BASE) {
        printk("direct map, physical 0x%lx%s\n", address - DIRECT_MAP_BASE,
               address - DIRECT_MAP_BASE < boot_ram_end ? "" : ", where no RAM is");
    } else if (address < KERNEL_BASE) {
        printk("between kernel stacks: an overflow, or a freed stack\n");
    } else if ((name = symbol_find(address, &offset))) {
        printk("the kernel's code, %s+0x%lx\n", name, offset);
    } else {
        printk("%s\n", address < (vaddr_t)kernel_end ? "the kernel's data" : "behind the kernel's image");
    }
}

/* Why a page that is there does not do. */
static const char *explain_refusal(uint64_t error, vaddr_t address)
{
    if (error & FAULT_RESERVED) {
        return "whose page table entries have a bit that must be 0";
    }
    if (error & FAULT_KEY) {
        return "whose protection key forbids it";
    }
    if (error & FAULT_EXEC) {
        return address < USER_TOP ? "of a user, which SMEP forbids"
                                  : "that is not executable";
    }
    if (address < USER_TOP) {
        return "of a user, outside uaccess (SMAP)";
    }
    return error & FAULT_WRITE ? "that is read-only" : "that does not allow it";
}

static void explain_page_fault(uint64_t error, vaddr_t address)
{
    const char *what = error & FAULT_EXEC ? "execution in" : error & FAULT_WRITE ? "write to" : "read from";

    printk("  %s a page %s, from %s mode\n", what,
           error & FAULT_PRESENT ? explain_refusal(error, address) : "that is not present",
           error & FAULT_USER ? "user" : "kernel");
    if (error & ~(uint64_t)(FAULT_KNOWN | FAULT_RESERVED | FAULT_KEY)) {
        printk("  and more: error code 0x%lx\n", error);
    }
    explain_address(address);
}

static void explain_selector(uint64_t error)
{
    const char *table = error & SELECTOR_IDT ? "IDT" : error & SELECTOR_LDT ? "LDT" : "GDT";

    if (error & SELECTOR_IDT) {
        printk("  by the IDT's entry %lu", error >> 3);
    } else {
        printk("  by the selector 0x%lx: entry %lu of the %s", error & ~7ul, error >> 3, table);
    }
    printk("%s\n", error & SELECTOR_EXTERNAL ? ", while an interrupt was delivered" : "");
}

void trap_explain(const struct trap_frame *frame, vaddr_t address)
{
    if (frame->vector == 14) {
        explain_page_fault(frame->error, address);
    } else if (frame->vector == 8) {
        printk("  a fault while the CPU delivered another one; the last page fault was\n");
        explain_address(address);
    } else if (frame->vector < 32 && HAS_SELECTOR >> frame->vector & 1 && frame->error) {
        explain_selector(frame->error);
    } else if (frame->vector == 13) {
        printk("  by an address that is not canonical, or an instruction's operand\n");
    } else if (frame->vector == 12) {
        printk("  by an address relative to rsp or rbp that is not canonical\n");
    }
}
