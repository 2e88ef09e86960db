/* What lab 1's kernel tests share: address spaces, looked at without the functions under test. */
#ifndef LAB1_SPACE_H
#define LAB1_SPACE_H
#include "debug/lab.h"
#include "mm/mm.h"
#include "mm/page.h"

enum { RW = PROT_READ | PROT_WRITE, RWX = RW | PROT_EXEC };

#define FILE_PAGES 4

/* A source like a file's, of FILE_PAGES pages; each starts with a number of its own. */
extern struct vma_source space_file;
extern struct page *space_file_pages[FILE_PAGES];
bool space_file_create(uint64_t seed);
bool space_file_destroy(void); /* false: not all references to its pages have come back */

/* Map `pages` there: anonymous and private, or (flags MAP_PRIVATE or MAP_SHARED) of the file. */
bool space_map(struct mm *mm, vaddr_t address, uint64_t pages, int prot);
bool space_map_file(struct mm *mm, vaddr_t address, uint64_t pages, int prot, int flags);
/* A page fault of a user's access: as mm_fault. */
long space_read(struct mm *mm, vaddr_t address);
long space_write(struct mm *mm, vaddr_t address);

/* The entry of level 0; 0 where there is none, nor a table for it. */
pte_t space_entry(const struct mm *mm, vaddr_t address);
/* Its page, which must exist; and the page's first word. */
struct page *space_page(const struct mm *mm, vaddr_t address);
uint64_t *space_word(const struct mm *mm, vaddr_t address);

/* Is each table and entry as the mappings say, and counted? Tables may be empty after a failure. */
bool space_check(struct mm *mm, bool empty_allowed);
/* Pages that are free, or in reserve as tables. */
size_t space_free_pages(void);
#endif
