/*
 * ELF-64 programs: their segments, the interpreter that a dynamic one names (the dynamic linker,
 * which gets the CPU first and finds the program by AT_PHDR and AT_ENTRY), and the first stack:
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
enum { EM_X86_64 = 62 };
enum { /* getauxval(3) */
    AT_NULL = 0, AT_PHDR = 3, AT_PHENT = 4, AT_PHNUM = 5, AT_PAGESZ = 6, AT_BASE = 7, AT_FLAGS = 8,
    AT_ENTRY = 9, AT_UID = 11, AT_EUID = 12, AT_GID = 13, AT_EGID = 14, AT_HWCAP = 16,
    AT_CLKTCK = 17, AT_SECURE = 23, AT_RANDOM = 25, AT_EXECFN = 31,
};
#define PIE_BASE 0x555555554000ul
#define PROGRAM_HEADERS_MAX (65536 / sizeof(struct program_header)) /* as on Linux */
#define STACK_FIRST (33 * PAGE_SIZE) /* mapped below the strings and vectors from the start */

/* An ELF file that is being mapped. */
struct elf_file {
    struct inode *inode;
    const struct elf_header *header;
    const struct program_header *program_headers;
    void *allocated; /* these, if they are not at the file's beginning */
    vaddr_t bias;    /* added to each of its addresses */
};

/* Copy into another address space, page by page through the direct map. NULL: zeroes. */
static long elf_write(struct mm *mm, vaddr_t address, const void *data, size_t size)
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

/* `start` is the file's, with zeroes behind its end. 0, or -ENOEXEC: none of ours, -ENOMEM, -EIO. */
static long elf_open(struct elf_file *file, struct inode *inode, const char *start)
{
    const struct elf_header *header = (const struct elf_header *)start;
    size_t size = header->phnum * sizeof(struct program_header);
    long got;

    *file = (struct elf_file){.inode = inode, .header = header};
    if (memcmp(header->ident, "\177ELF\2\1", 6) != 0 || header->machine != EM_X86_64 ||
        (header->type != ET_EXEC && header->type != ET_DYN) ||
        header->phentsize != sizeof(struct program_header) || header->phnum == 0 ||
        header->phnum > PROGRAM_HEADERS_MAX || !inode->ops->source ||
        header->phoff > (uint64_t)inode->size || size > (uint64_t)inode->size - header->phoff) {
        return -ENOEXEC;
    }
    if (header->phoff + size <= EXEC_HEADER_SIZE && header->phoff % 8 == 0) {
        file->program_headers = (const struct program_header *)(start + header->phoff);
        return 0;
    }
    file->program_headers = file->allocated = kmalloc(size);
    if (!file->allocated) {
        return -ENOMEM;
    }
    got = inode_read(inode, file->allocated, size, (off_t)header->phoff);
    return got == (long)size ? 0 : got == -EIO ? -EIO : -ENOEXEC;
}

/* Where the segments begin and end, without the bias; false: there is none, or they are absurd. */
static bool elf_span(const struct elf_file *file, vaddr_t *start, vaddr_t *end)
{
    *start = MMAP_TOP;
    *end = 0;
    for (int i = 0; i < file->header->phnum; i++) {
        const struct program_header *ph = &file->program_headers[i];

        if (ph->type != PT_LOAD) {
            continue;
        }
        if (ph->filesz > ph->memsz || ph->memsz > MMAP_TOP || ph->vaddr > MMAP_TOP - ph->memsz) {
            return false;
        }
        *start = ph->vaddr < *start ? align_down(ph->vaddr, PAGE_SIZE) : *start;
        *end = ph->vaddr + ph->memsz > *end ? align_up(ph->vaddr + ph->memsz, PAGE_SIZE) : *end;
    }
    return *start < *end;
}

/*
 * The part of a segment that is in the file; zeroes up to the end of its last page, which programs
 * count on beyond their .bss; and more pages of zeroes.
 */
static long elf_map_segment(struct mm *mm, struct vma_source *source,
                            const struct program_header *ph, vaddr_t bias)
{
    vaddr_t start = ph->vaddr + bias, page = align_down(start, PAGE_SIZE);
    vaddr_t file_end = start + ph->filesz, top = align_up(start + ph->memsz, PAGE_SIZE);
    vaddr_t file_top = ph->filesz ? align_up(file_end, PAGE_SIZE) : page;
    int prot = (ph->flags & PF_R ? PROT_READ : 0) | (ph->flags & PF_W ? PROT_WRITE : 0) |
               (ph->flags & PF_X ? PROT_EXEC : 0);
    long result = 0;

    if (top > MMAP_TOP || ((start ^ ph->offset) & (PAGE_SIZE - 1))) {
        return -ENOEXEC;
    }
    if (file_top > page) {
        result = mm_map(mm, page, file_top - page, prot, MAP_PRIVATE | MAP_FIXED, source,
                        ph->offset >> PAGE_SHIFT);
    }
    if (result >= 0 && ph->memsz > ph->filesz && file_top > file_end && prot & PROT_WRITE) {
        result = elf_write(mm, file_end, NULL, file_top - file_end);
    }
    if (result >= 0 && top > file_top) {
        result = mm_map(mm, file_top, top - file_top, prot, MAP_PRIVATE | MAP_FIXED, NULL, 0);
    }
    return result < 0 ? result : 0;
}

/* All segments, at file->bias. 0 or -errno; then the mm is of no use. */
static long elf_map(struct mm *mm, const struct elf_file *file)
{
    struct vma_source *source = file->inode->ops->source(file->inode, false);
    long error = 0;

    if (is_error(source)) {
        return pointer_error(source);
    }
    for (int i = 0; i < file->header->phnum && !error; i++) {
        if (file->program_headers[i].type == PT_LOAD) {
            error = elf_map_segment(mm, source, &file->program_headers[i], file->bias);
        }
    }
    vma_source_put(source);
    return error;
}

/* Where the program's own headers, its data, its heap and the name of its interpreter are. */
static void elf_note_layout(struct mm_layout *layout, const struct elf_file *file,
                            struct exec_image *image)
{
    uint64_t phoff = file->header->phoff;

    for (int i = 0; i < file->header->phnum; i++) {
        const struct program_header *ph = &file->program_headers[i];
        vaddr_t start = ph->vaddr + file->bias, top = align_up(start + ph->memsz, PAGE_SIZE);

        if (ph->type == PT_INTERP && !image->has_interpreter) {
            image->has_interpreter = true;
            image->interpreter_at = (off_t)ph->offset;
            image->interpreter_size = ph->filesz;
        }
        if (ph->type != PT_LOAD) {
            continue;
        }
        if (phoff >= ph->offset && phoff < ph->offset + ph->filesz) {
            image->program_headers = start + phoff - ph->offset;
        }
        if (ph->flags & PF_W && !(ph->flags & PF_X)) {
            layout->data_start = start;
            layout->data_end = start + ph->filesz;
        }
        if (top > layout->brk) {
            layout->brk_start = layout->brk = top;
        }
    }
    image->program_header_count = file->header->phnum;
    image->entry = file->header->entry + file->bias;
}

long elf_load(struct mm *mm, struct inode *inode, const char *header, struct exec_image *image)
{
    struct elf_file file;
    vaddr_t start, end;
    long error = elf_open(&file, inode, header);

    if (error) {
        goto out;
    }
    error = -ENOEXEC;
    if (!elf_span(&file, &start, &end)) {
        goto out;
    }
    file.bias = file.header->type == ET_DYN ? PIE_BASE - start : 0;
    error = elf_map(mm, &file);
    if (error) {
        goto out;
    }
    elf_note_layout(&mm->layout, &file, image);
    image->start = image->entry;
    if (image->entry >= USER_TOP) {
        error = -ENOEXEC; /* iretq would fault in the kernel */
    }
out:
    kfree(file.allocated);
    return error;
}

long elf_load_interpreter(struct mm *mm, struct inode *inode, const char *header,
                          struct exec_image *image)
{
    struct elf_file file;
    vaddr_t start, end;
    long base, error;

    if (inode->size < (off_t)sizeof(struct elf_header)) {
        return -EIO; /* as on Linux, which reads it there */
    }
    error = elf_open(&file, inode, header);
    if (error) {
        error = error == -ENOEXEC ? -ELIBBAD : error;
        goto out;
    }
    error = -ELIBBAD;
    if (!elf_span(&file, &start, &end)) {
        goto out;
    }
    if (file.header->type == ET_DYN) { /* where mmap finds room for all of it */
        base = mm_map(mm, 0, end - start, 0, MAP_PRIVATE, NULL, 0);
        error = base < 0 ? base : mm_unmap(mm, (vaddr_t)base, end - start);
        if (error) {
            goto out;
        }
        file.bias = (vaddr_t)base - start;
    }
    error = elf_map(mm, &file);
    image->interpreter_base = file.bias;
    image->start = file.header->entry + file.bias;
    if (!error && image->start >= USER_TOP) {
        error = -ELIBBAD;
    }
out:
    kfree(file.allocated);
    return error;
}

/* argc, argv, envp and the auxiliary vector, as words for the stack: kfree. Their number to *words. */
static uint64_t *stack_words(struct mm_layout *layout, const struct exec_strings *strings,
                             vaddr_t text, const uint64_t (*aux)[2], size_t aux_size, size_t *words)
{
    size_t at = 0, count = 1 + (size_t)strings->argc + 1 + (size_t)strings->envc + 1 + aux_size / 8;
    uint64_t *stack = kmalloc(count * 8);
    vaddr_t next = text;

    if (!stack) {
        return NULL;
    }
    stack[at++] = (uint64_t)strings->argc;
    layout->arg_start = text;
    for (int i = 0; i < strings->argc; i++) {
        stack[at++] = next;
        next += strlen(strings->text + (next - text)) + 1;
    }
    stack[at++] = 0;
    layout->arg_end = next;
    for (int i = 0; i < strings->envc; i++) {
        stack[at++] = next;
        next += strlen(strings->text + (next - text)) + 1;
    }
    stack[at++] = 0;
    memcpy(stack + at, aux, aux_size);
    *words = count;
    return stack;
}

long stack_build(struct mm *mm, const struct exec_strings *strings, const char *path,
                 struct exec_image *image)
{
    size_t path_size = strlen(path) + 1, words, size;
    vaddr_t path_at = STACK_TOP - 8 - path_size, text = path_at - strings->used;
    vaddr_t random_at = align_down(text - 16, 16);
    const uint64_t aux[][2] = {
        {AT_PHDR, image->program_headers}, {AT_PHENT, sizeof(struct program_header)},
        {AT_PHNUM, image->program_header_count}, {AT_PAGESZ, PAGE_SIZE},
        {AT_BASE, image->interpreter_base}, {AT_FLAGS, 0}, {AT_ENTRY, image->entry}, {AT_UID, 0},
        {AT_EUID, 0}, {AT_GID, 0}, {AT_EGID, 0}, {AT_HWCAP, 0}, {AT_CLKTCK, 100}, {AT_SECURE, 0},
        {AT_RANDOM, random_at}, {AT_EXECFN, path_at}, {AT_NULL, 0},
    };
    uint64_t *stack = stack_words(&mm->layout, strings, text, aux, sizeof(aux), &words);
    uint8_t random[16];
    long result;

    if (!stack) {
        return -ENOMEM;
    }
    random_bytes(random, sizeof(random));
    image->stack = align_down(random_at - words * 8, 16);
    mm->layout.stack_start = image->stack;
    size = STACK_FIRST + align_up(strings->used + words * 8, PAGE_SIZE);
    result = mm_map(mm, STACK_TOP - size, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN, NULL, 0);
    if (result < 0) {
        goto out;
    }
    if (elf_write(mm, path_at, path, path_size) ||
        elf_write(mm, text, strings->text, strings->used) ||
        elf_write(mm, random_at, random, sizeof(random)) ||
        elf_write(mm, image->stack, stack, words * 8)) {
        result = -ENOMEM;
        goto out;
    }
    result = 0;
out:
    kfree(stack);
    return result;
}
