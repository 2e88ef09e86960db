/*
 * Thread-local storage: what a thread needs above its stack, for the main thread and the others.
 *
 * The program's PT_TLS segment is the template: its first bytes have values, the rest is zero.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "thread.h"

#define CACHE_LINE 64 /* at least this alignment, so two threads never share a line */

static struct {
    const void *image;
    size_t image_size; /* the bytes with values */
    size_t size, align;
} tls = {.align = CACHE_LINE};

static _Alignas(CACHE_LINE) char main_area[sizeof(struct thread) + 512];

static void find_template(const Elf64_auxv_t *aux)
{
    const Elf64_Phdr *headers = NULL;
    unsigned long count = 0;

    for (; aux->a_type; aux++) {
        if (aux->a_type == AT_PHDR) {
            headers = (const Elf64_Phdr *)aux->a_val;
        } else if (aux->a_type == AT_PHNUM) {
            count = aux->a_val;
        }
    }
    for (unsigned long i = 0; i < count; i++) {
        if (headers[i].p_type == PT_TLS) {
            tls.image = (const void *)headers[i].p_vaddr;
            tls.image_size = headers[i].p_filesz;
            tls.align = headers[i].p_align > CACHE_LINE ? headers[i].p_align : CACHE_LINE;
            /* The linker counts back from %fs in units of the segment's own alignment. */
            tls.size = (headers[i].p_memsz + headers[i].p_align - 1) & -headers[i].p_align;
        }
    }
}

size_t tls_size(void)
{
    return tls.size + sizeof(struct thread) + tls.align;
}

struct thread *tls_place(char *end)
{
    uintptr_t place = ((uintptr_t)end - sizeof(struct thread)) & -tls.align;
    struct thread *thread = (struct thread *)place;

    memcpy((char *)place - tls.size, tls.image, tls.image_size);
    thread->self = thread;
    return thread;
}

void thread_start_main(const Elf64_auxv_t *aux)
{
    char *area = main_area;
    size_t size = sizeof(main_area);
    struct thread *thread;

    find_template(aux);
    if (tls_size() > size) { /* by the bare call: there is no errno yet */
        size = (tls_size() + 4095) & ~4095ul;
        area = (char *)ulib_syscall(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((unsigned long)area > -4096ul) {
            _exit(127);
        }
    }
    thread = tls_place(area + size);
    thread->next = thread->prev = thread;
    ulib_syscall(SYS_arch_prctl, 0x1002, (long)thread, 0, 0, 0, 0); /* arch_prctl(ARCH_SET_FS) */
    thread->tid = (int)ulib_syscall(SYS_set_tid_address, (long)&thread->tid, 0, 0, 0, 0, 0);
}
