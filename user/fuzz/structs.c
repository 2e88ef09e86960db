/*
 * What structures are filled with, and files: each nearly right, with one hostile field now and
 * then. Layouts: Linux's uapi headers; of frames arch/x86's sigcontext; of files elf(5).
 */
#include "fuzz.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static uint64_t nanoseconds(struct thread *t)
{
    static const uint64_t some[] = {0, 1, 1000, 50000, 999999999, 1000000000, 200000, 1000000};

    return one_in(t, 16) ? number_make(t) : some[below(t, 8)];
}

static uint64_t seconds(struct thread *t)
{
    return one_in(t, 12) ? number_make(t) : 0;
}

static uint64_t mask(struct thread *t)
{
    return one_in(t, 2) ? 0 : one_in(t, 2) ? 1ul << below(t, 64) : draw(t) << below(t, 12);
}

/* An address to read from or write to: mostly of the scratch memory. */
static uint64_t buffer(struct thread *t)
{
    return one_in(t, 8) ? hostile_address(t) : SCRATCH_AT + below(t, SCRATCH_PAGES * PAGE);
}

static size_t fill_buffer(struct thread *t, uint64_t *data)
{
    static const char *const words[] = {"tmpfs", "proc", "devtmpfs", "on\n", "off\n", "1", "a", "\0fuzz"};

    if (one_in(t, 2)) {
        const char *word = words[below(t, 8)];

        memset(data, 0, 64);
        memcpy(data, word, 8);
        return 64;
    }
    for (int i = 0; i < 32; i++) {
        data[i] = one_in(t, 4) ? number_make(t) : 0;
    }
    return one_in(t, 4) ? 256 : 8 << below(t, 5);
}

static size_t fill_vector(struct thread *t, uint64_t *data)
{
    for (int i = 0; i < 8; i++) {
        data[2 * i] = buffer(t);
        data[2 * i + 1] = one_in(t, 16) ? number_make(t) : below(t, 512);
    }
    return 128;
}

static size_t fill_name(struct thread *t, uint64_t *data)
{
    char *name = (char *)data;

    memset(data, 0, 128);
    data[0] = one_in(t, 16) ? number_make(t) : 1; /* AF_UNIX */
    snprintf(name + 2 + one_in(t, 2), 8, "s%d", (int)below(t, 4)); /* a path, or abstract */
    return 110;
}

/* struct msghdr, with descriptors in its control message. */
static size_t fill_message(struct thread *t, uint64_t *data)
{
    uint64_t vector[16], name[16], control[4] = {16 + 4 * below(t, 4), 1 | (1 + below(t, 2)) << 32,
                                                 pool_draw(t, POOL_FD) | pool_draw(t, POOL_FD) << 32};

    fill_vector(t, vector);
    fill_name(t, name);
    data[0] = one_in(t, 2) ? 0 : value_place(t, name, sizeof(name));
    data[1] = below(t, 20);
    data[2] = value_place(t, vector, sizeof(vector));
    data[3] = one_in(t, 8) ? number_make(t) : below(t, 9);
    data[4] = one_in(t, 2) ? 0 : value_place(t, control, sizeof(control));
    data[5] = one_in(t, 8) ? number_make(t) : below(t, 33);
    data[6] = 0;
    return 56;
}

/* struct robust_list_head: a list of some nodes, which may be a circle or lead astray. */
static size_t fill_robust(struct thread *t, uint64_t *data)
{
    uint64_t nodes = WORDS_AT + 512;

    for (int i = 0; i < 4; i++) {
        uint64_t next = one_in(t, 8) ? hostile_address(t) : nodes + 32 * below(t, 4);

        *(volatile uint64_t *)(nodes + 32 * (uint64_t)i) = next | one_in(t, 4);
        *(volatile uint32_t *)(nodes + 32 * (uint64_t)i + 16) = (uint32_t)RAW(186, 0, 0, 0);
    }
    data[0] = nodes;
    data[1] = one_in(t, 4) ? number_make(t) : 16;
    data[2] = one_in(t, 2) ? 0 : one_in(t, 2) ? nodes : hostile_address(t);
    return 24;
}

/* struct ucontext for rt_sigreturn, which leads to machine_recover if it leads anywhere. */
static size_t fill_frame(struct thread *t, uint64_t *data)
{
    static const uint64_t selectors[] = {0x33, 0x2b, 0, 3, 0x10, 8, 0x18, 0x20, 0x23, 0x30, 7, 0xffff};
    uint64_t fpu[64];
    uint64_t *registers = data + 5; /* r8 ... rsp, then rip, rflags, cs gs fs ss */

    for (int i = 0; i < 38; i++) {
        data[i] = i < 5 ? 0 : number_make(t);
    }
    for (int i = 0; i < 64; i++) {
        fpu[i] = one_in(t, 2) ? 0 : draw(t) << below(t, 12);
    }
    registers[15] = one_in(t, 4) ? hostile_address(t) : (uint64_t)t + STACK_SIZE / 2;
    registers[16] = one_in(t, 4) ? hostile_address(t) : (uint64_t)machine_recover;
    registers[17] = one_in(t, 2) ? 0x202 : draw(t) & 0x3fffff & ~0x100ul;
    registers[18] = selectors[one_in(t, 4) ? below(t, 12) : 0] | below(t, 70) << 16 |
                    below(t, 70) << 32 | selectors[one_in(t, 4) ? below(t, 12) : 1] << 48;
    registers[23] = one_in(t, 2) ? 0 : value_place(t, fpu, sizeof(fpu));
    data[37] = one_in(t, 2) ? 0 : mask(t);
    return 304;
}

/* struct sigaction as the kernel has it: handler, flags, restorer, mask. */
static size_t fill_action(struct thread *t, uint64_t *data)
{
    static const uint64_t flags[] = {0x4000004, 0xc000004, 0x14000004, 0x44000004, 0x84000004, 0x4000001,
                                     0x4000002, 4};

    data[0] = one_in(t, 2) ? (uint64_t)machine_handler : one_in(t, 4) ? hostile_address(t) : below(t, 2);
    data[1] = one_in(t, 8) ? draw(t) : flags[below(t, 8)];
    data[2] = one_in(t, 16) ? hostile_address(t) : (uint64_t)machine_restore;
    data[3] = mask(t);
    return 32;
}

size_t struct_fill(struct thread *t, enum kind kind, uint64_t *data)
{
    switch (kind) {
    case BUFFER: return fill_buffer(t, data);
    case TIME: case TIMEVAL:
        data[0] = seconds(t);
        data[1] = kind == TIME ? nanoseconds(t) : nanoseconds(t) / 1000;
        return 16;
    case INTERVAL:
        data[0] = seconds(t), data[1] = nanoseconds(t), data[2] = seconds(t), data[3] = nanoseconds(t);
        return 32;
    case ACTION: return fill_action(t, data);
    case SIGSET: case FD_BITS: case CPUS:
        memset(data, 0, 128);
        data[0] = kind == CPUS ? below(t, 32) : mask(t);
        data[1] = below(t, 64);
        return 128;
    case ALTSTACK:
        data[0] = one_in(t, 2) ? (uint64_t)t + PAGE : one_in(t, 2) ? hostile_address(t) : MAPS_AT;
        data[1] = one_in(t, 4) ? number_make(t) : 0;
        data[2] = one_in(t, 4) ? number_make(t) : ALTSTACK_SIZE;
        return 24;
    case LIMIT:
        data[0] = number_make(t);
        data[1] = one_in(t, 2) ? -1ul : number_make(t);
        return 16;
    case EVENT: /* 12 bytes: packed */
        data[0] = (draw(t) & draw(t) & 0xf000201f) | number_make(t) << 32;
        data[1] = draw(t);
        return 12;
    case VECTOR: return fill_vector(t, data);
    case MESSAGE: return fill_message(t, data);
    case NAME: return fill_name(t, data);
    case POLLS:
        for (int i = 0; i < 8; i++) {
            data[i] = (one_in(t, 8) ? -1u : pool_draw(t, POOL_FD)) | (draw(t) & 0xffff) << 32;
        }
        return 64;
    case SIZED_MASK:
        data[2] = mask(t);
        data[0] = value_place(t, data + 2, 8);
        data[1] = one_in(t, 8) ? number_make(t) : 8;
        return 16;
    case WAITS:
        for (int i = 0; i < 12; i += 3) {
            data[i] = below(t, 3);
            data[i + 1] = WORDS_AT + 4 * below(t, 8);
            data[i + 2] = one_in(t, 8) ? number_make(t) : 2 | (draw(t) & 128); /* FUTEX_32, FUTEX_PRIVATE */
        }
        return 96;
    case ROBUST: return fill_robust(t, data);
    case FRAME: return fill_frame(t, data);
    default:
        data[0] = hostile_address(t);
        return 0;
    }
}

/* ---- Files to execute ---- */

static void file_write(const char *path, const void *data, size_t size)
{
    long fd = RAW(2, path, 01101, 0755); /* O_WRONLY | O_CREAT | O_TRUNC */

    if (fd >= 0) {
        RAW(1, fd, data, size);
        RAW(3, fd, 0, 0);
    }
}

/* An ELF file that exits, with some fields wrong. */
void file_elf(struct thread *t)
{
    static const uint8_t code[] = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05}; /* _exit(0) */
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, segments_at, sections_at;
        uint32_t flags;
        uint16_t size, segment_size, segments_count, section[3];
        Elf64_Phdr segments[3];
        char interpreter[16], rest[800];
    } file = {.ident = "\177ELF\2\1\1", .machine = 62, .version = 1, .size = 64, .segment_size = 56,
              .segments_count = 3, .segments_at = 64, .interpreter = "/bin/true"};
    const uint64_t offset = offsetof(typeof(file), rest);

    file.type = (uint16_t)(2 + one_in(t, 4)); /* ET_EXEC, ET_DYN */
    file.entry = 0x10000 + offset;
    file.segments[0] = (Elf64_Phdr){.p_type = 1, .p_flags = 5, .p_vaddr = 0x10000,
                                    .p_filesz = sizeof(file), .p_memsz = sizeof(file), .p_align = PAGE};
    file.segments[1] = (Elf64_Phdr){.p_type = 1, .p_flags = 6, .p_vaddr = 0x20000, .p_filesz = 99,
                                    .p_memsz = below(t, 4 * PAGE), .p_align = PAGE};
    file.segments[2] = (Elf64_Phdr){.p_type = one_in(t, 4) ? 3 : 7, .p_filesz = 10, .p_memsz = 10,
                                    .p_offset = offsetof(typeof(file), interpreter)};
    memcpy(file.rest, code, sizeof(code));
    for (uint64_t i = below(t, 4); i > 0; i--) {
        uint64_t value = one_in(t, 2) ? number_make(t) : hostile_address(t);

        memcpy((char *)&file + below(t, offset - 8), &value, one_in(t, 2) ? 8 : 2);
    }
    file_write("elf", &file, one_in(t, 8) ? below(t, sizeof(file)) : sizeof(file));
}

void file_script(struct thread *t)
{
    static const char *const texts[] = {"#!/bin/true\n", "#!script\n", "#!./elf x\n", "#!", "#! \n", "#!/nothing",
                                        "#!/bin/true\t a  b \nexit\n", "\177ELF"};
    const char *text = texts[below(t, 8)];

    file_write("script", text, strlen(text));
}
