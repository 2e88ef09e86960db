/* What the boot loader said (multiboot 0.6.96, section 3.3): memory, modules, command line. */
#include "arch/boot.h"

#include "arch/paging.h"
#include "lib/log.h"
#include "lib/string.h"

struct multiboot_info {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, modules_count, modules;
    uint32_t symbols[4], mmap_length, mmap;
};

struct multiboot_module {
    uint32_t start, end, text, reserved;
};

struct __attribute__((packed)) multiboot_mmap {
    uint32_t size;
    uint64_t base, length;
    uint32_t type;
};

struct boot_range boot_free[BOOT_RANGES_MAX];
size_t boot_free_count;
paddr_t boot_ram_end;
struct boot_range boot_initrd;
size_t boot_initrd_size;
char boot_command_line[1024];
static char options[sizeof(boot_command_line)]; /* the same, each word ended by a NUL */
static size_t options_size;
extern char kernel_end[];

static void boot_add_range(paddr_t start, paddr_t end)
{
    size_t at = boot_free_count;

    start = align_up(start, PAGE_SIZE);
    end = align_down(end, PAGE_SIZE);
    if (start >= end) {
        return;
    }
    if (boot_free_count == BOOT_RANGES_MAX) {
        printk("boot: no use is made of the memory from %lx to %lx: too many pieces\n", start, end);
        return;
    }
    while (at > 0 && boot_free[at - 1].start > start) {
        boot_free[at] = boot_free[at - 1];
        at--;
    }
    boot_free[at] = (struct boot_range){start, end};
    boot_free_count++;
}

/* Take [start, end) out of the free ranges. */
static void boot_reserve(paddr_t start, paddr_t end)
{
    start = align_down(start, PAGE_SIZE);
    end = align_up(end, PAGE_SIZE);
    for (size_t i = 0; i < boot_free_count; i++) {
        struct boot_range *range = &boot_free[i], old = *range;

        if (end <= old.start || start >= old.end) {
            continue;
        }
        memmove(range, range + 1, (--boot_free_count - i) * sizeof(*range));
        boot_add_range(old.start, start < old.start ? old.start : start);
        boot_add_range(end > old.end ? old.end : end, old.end);
        i = (size_t)-1; /* the order changed: look again */
    }
}

static void read_modules(const struct multiboot_info *info)
{
    const struct multiboot_module *module = phys_to_virt(info->modules);

    /* The loaders put modules one after another on page boundaries; tools/mkiso has filled the page. */
    for (uint32_t i = 0; (info->flags & 8) && i < info->modules_count; i++) {
        if (boot_initrd_size == 0) {
            boot_initrd.start = module[i].start;
        }
        if (module[i].start >= boot_initrd.start && module[i].start - boot_initrd.start < 1u << 30) {
            boot_initrd_size = module[i].end - boot_initrd.start;
            boot_initrd.end = align_up(module[i].end, PAGE_SIZE);
        }
        boot_reserve(module[i].start, module[i].end);
    }
}

/* Keep the command line, and say what of it nobody will look at. */
static void read_options(const char *line)
{
    static const char *const known[] = {
        "quiet", "exit", "timeout", "sched", "trace", "trace_records", "inject", "crash", "lab",
        /* for the first program: */ "session", "end", "baton.size", "baton.lang", "baton.term", "baton.no_color",
    };
    size_t length = strlcpy(boot_command_line, line, sizeof(boot_command_line));
    const char *end;

    if (length >= sizeof(options)) {
        printk("boot: the command line has %zu bytes: only %zu are read\n", length,
               sizeof(options) - 1);
    }
    strlcpy(options, boot_command_line, sizeof(options));
    options_size = strlen(options);
    for (size_t i = 0; i < options_size; i++) {
        options[i] = options[i] == ' ' ? '\0' : options[i];
    }
    for (const char *at = options; at < options + options_size; at = end + 1) {
        bool found = at == options && strchr(at, '/'); /* the kernel's own name */

        end = at + strlen(at);
        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
            size_t size = strlen(known[i]);

            found |= strncmp(at, known[i], size) == 0 && (at[size] == '=' || !at[size]);
        }
        if (*at && !found) {
            printk("boot: no option is called \"%s\"\n", at);
        }
    }
}

void boot_init(uint32_t magic, paddr_t address)
{
    const struct multiboot_info *info = phys_to_virt(address);

    if (magic != 0x2badb002) {
        panic("not started by a multiboot loader (magic %x)", magic);
    }
    if (info->flags & 4) {
        read_options(phys_to_virt(info->cmdline));
    }
    if (!(info->flags & 64)) {
        panic("the boot loader gives no memory map");
    }
    for (uint32_t at = 0; at < info->mmap_length;) {
        const struct multiboot_mmap *entry = phys_to_virt(info->mmap + at);

        if (entry->type == 1) {
            boot_add_range(entry->base, entry->base + entry->length);
            if (entry->base + entry->length > boot_ram_end) {
                boot_ram_end = align_down(entry->base + entry->length, PAGE_SIZE);
            }
        }
        at += entry->size + 4;
    }
    boot_reserve(0, (paddr_t)kernel_end - KERNEL_BASE);
    read_modules(info);
}

paddr_t boot_page_alloc(size_t pages)
{
    for (size_t i = 0; i < boot_free_count; i++) {
        paddr_t start = boot_free[i].start, end = start + pages * PAGE_SIZE;

        if (end <= boot_free[i].end && end <= 1ul << 32) {
            boot_free[i].start = end;
            memset(phys_to_virt(start), 0, pages * PAGE_SIZE);
            return start;
        }
    }
    return 0;
}

const char *boot_option(const char *name)
{
    size_t size = strlen(name);

    for (const char *at = options; at < options + options_size; at += strlen(at) + 1) {
        if (strncmp(at, name, size) == 0 && (at[size] == '=' || !at[size])) {
            return at + size + (at[size] == '=');
        }
    }
    return NULL;
}

bool boot_number(const char *name, uint64_t min, uint64_t max, uint64_t *value)
{
    const char *text = boot_option(name), *end;

    if (!text) {
        return false;
    }
    *value = parse_number(text, &end);
    if (end == text || *end) {
        printk("boot: %s=%s is no number\n", name, text);
        return false;
    }
    if (*value < min || *value > max || end - text > 18) {
        *value = *value < min && end - text <= 18 ? min : max;
        printk("boot: %s=%s is not between %lu and %lu: it is %lu now\n", name, text, min, max,
               *value);
    }
    return true;
}
