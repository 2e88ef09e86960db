/*
 * ELF-64 programs: their segments, and the stack they start with.
 *
 *     STACK_TOP -> 8 zero bytes, path, strings, 16 random bytes, (align), auxv, envp, argv,
 *                  argc <- rsp, a multiple of 16
 */
#include "fs/device.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/kmalloc.h"
#include "mm/page.h"
#include "process/exec.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

enum { PT_LOAD = 1, PT_INTERP = 3, PF_X = 1, PF_W = 2, PF_R = 4, ET_EXEC = 2, ET_DYN = 3 };
#define PIE_BASE 0x555555554000ul

/* Copy into another address space, page by page through the direct map. */
static long write_to(struct mm *mm, vaddr_t address, const void *data, size_t size)
{
    const char *from = data;

    while (size > 0) {
        size_t part = PAGE_SIZE - (address & (PAGE_SIZE - 1));
        paddr_t page = mm_pin(mm, address, true);

        if (!page) {
            return -ENOMEM;
        }
        part = part < size ? part : size;
        if (from) {
            memcpy(phys_to_virt(page), from, part);
            from += part;
        } else {
            memset(phys_to_virt(page), 0, part);
        }
        page_put(phys_to_page(page));
        address += part;
        size -= part;
    }
    return 0;
}

/* The part of a segment that is in the file, and zeroes up to the end of its last page or more. */
static long map_segment(struct mm *mm, struct vma_source *source, const struct program_header *ph,
                        vaddr_t bias)
{
    vaddr_t start = ph->vaddr + bias, page = align_down(start, PAGE_SIZE);
    vaddr_t file_end = start + ph->filesz, end = start + ph->memsz;
    vaddr_t file_top = align_up(file_end, PAGE_SIZE), top = align_up(end, PAGE_SIZE);
    int prot = (ph->flags & PF_R ? PROT_READ : 0) | (ph->flags & PF_W ? PROT_WRITE : 0) |
               (ph->flags & PF_X ? PROT_EXEC : 0);
    long result = 0;

    if (ph->filesz > ph->memsz || end < start || end > MMAP_TOP ||
        ((start ^ ph->offset) & (PAGE_SIZE - 1))) {
        return -ENOEXEC;
    }
    if (ph->filesz) {
        result = mm_map(mm, page, file_top - page, prot, MAP_PRIVATE | MAP_FIXED, source,
                        ph->offset >> PAGE_SHIFT);
    }
    if (result >= 0 && ph->memsz > ph->filesz && ph->filesz && file_top > file_end &&
        prot & PROT_WRITE) {
        result = write_to(mm, file_end, NULL, (file_top < end ? file_top : end) - file_end);
    }
    if (result >= 0 && top > file_top) {
        vaddr_t from = ph->filesz ? file_top : page;

        result = mm_map(mm, from, top - from, prot, MAP_PRIVATE | MAP_FIXED, NULL, 0);
    }
    if (ph->flags & PF_X) {
        mm->code_start = start;
        mm->code_end = file_end;
    } else if (ph->flags & PF_W) {
        mm->data_start = start;
        mm->data_end = file_end;
    }
    if (result >= 0 && top > mm->brk) {
        mm->brk_start = mm->brk = top;
    }
    return result < 0 ? result : 0;
}

long elf_load(struct mm *mm, struct inode *inode, const char *bytes, struct exec_image *image)
{
    const struct elf_header *header = (const struct elf_header *)bytes;
    const struct program_header *ph;
    vaddr_t bias;
    struct vma_source *source;
    long error = 0;

    if (memcmp(header->ident, "\177ELF\2\1", 6) != 0 || header->machine != 62 ||
        (header->type != ET_EXEC && header->type != ET_DYN) ||
        header->phentsize != sizeof(*ph) || header->phnum == 0 ||
        header->phoff > EXEC_HEADER_SIZE ||
        header->phoff + header->phnum * sizeof(*ph) > EXEC_HEADER_SIZE) {
        return -ENOEXEC;
    }
    bias = header->type == ET_DYN ? PIE_BASE : 0;
    ph = (const struct program_header *)(bytes + header->phoff);
    source = inode->ops->source ? inode->ops->source(inode, false) : error_pointer(-ENOEXEC);
    if (is_error(source)) {
        return pointer_error(source);
    }
    for (int i = 0; i < header->phnum && !error; i++) {
        if (ph[i].type == PT_INTERP) {
            error = -ENOEXEC; /* needs a dynamic linker: only static programs run here */
        } else if (ph[i].type == PT_LOAD) {
            error = map_segment(mm, source, &ph[i], bias);
            if (header->phoff >= ph[i].offset && header->phoff < ph[i].offset + ph[i].filesz) {
                image->program_headers = ph[i].vaddr + bias + header->phoff - ph[i].offset;
            }
        }
    }
    vma_source_put(source);
    image->entry = header->entry + bias;
    if (image->entry >= USER_TOP) {
        error = -ENOEXEC; /* iretq would fault in the kernel */
    }
    image->program_header_count = header->phnum;
    return error;
}

long stack_build(struct mm *mm, const struct exec_strings *strings, const char *path,
                 struct exec_image *image)
{
    size_t path_size = strlen(path) + 1, words, at = 0;
    vaddr_t path_at = STACK_TOP - 8 - path_size, text = path_at - strings->used;
    vaddr_t random_at = align_down(text - 16, 16), next = text;
    uint64_t *stack, aux[][2] = {
        {3, image->program_headers}, {4, sizeof(struct program_header)},
        {5, image->program_header_count}, {6, PAGE_SIZE}, {7, 0}, {8, 0}, {9, image->entry},
        {11, 0}, {12, 0}, {13, 0}, {14, 0}, {16, 0}, {17, 100}, {23, 0}, {25, random_at},
        {31, path_at}, {0, 0},
    };
    uint8_t random[16];
    long result;

    words = 1 + (size_t)strings->argc + 1 + (size_t)strings->envc + 1 + sizeof(aux) / 8;
    stack = kmalloc(words * 8);
    if (!stack) {
        return -ENOMEM;
    }
    stack[at++] = (uint64_t)strings->argc;
    mm->arg_start = next;
    for (int i = 0; i < strings->argc + strings->envc; i++) {
        if (i == strings->argc) {
            stack[at++] = 0;
            mm->arg_end = mm->env_start = next;
        }
        stack[at++] = next;
        next += strlen(strings->text + (next - text)) + 1;
    }
    if (strings->envc == 0) {
        stack[at++] = 0;
        mm->arg_end = mm->env_start = next;
    }
    stack[at++] = 0;
    mm->env_end = next;
    memcpy(stack + at, aux, sizeof(aux));
    random_bytes(random, sizeof(random));
    image->stack = align_down(random_at - words * 8, 16);
    mm->stack_start = image->stack;
    result = mm_map(mm, STACK_TOP - 33 * PAGE_SIZE - align_up(strings->used + words * 8, PAGE_SIZE),
                    33 * PAGE_SIZE + align_up(strings->used + words * 8, PAGE_SIZE),
                    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);
    result = result < 0 ? result : write_to(mm, path_at, path, path_size);
    result = result < 0 ? result : write_to(mm, text, strings->text, strings->used);
    result = result < 0 ? result : write_to(mm, random_at, random, sizeof(random));
    result = result < 0 ? result : write_to(mm, image->stack, stack, words * 8);
    kfree(stack);
    return result < 0 ? result : 0;
}
