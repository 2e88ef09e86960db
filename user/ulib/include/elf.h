/* The few ELF-64 structures that start-up needs (System V ABI, chapters 5 and 6). */
#ifndef ULIB_ELF_H
#define ULIB_ELF_H
#include <stdint.h>
enum { PT_TLS = 7, AT_PHDR = 3, AT_PHNUM = 5 };
typedef struct {
    uint32_t p_type, p_flags;
    uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
} Elf64_Phdr;
typedef struct {
    uint64_t a_type, a_val;
} Elf64_auxv_t;
#endif
