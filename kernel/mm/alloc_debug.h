/*
 * The sanitized build's checks of memory (make SANITIZE=1): what is freed is filled with a pattern
 * and looked at when it is allocated again, and around each object lies a fence. In the ordinary
 * build there is nothing of it. Upcalls, defined in debug/alloc_debug.c, which panic when they find
 * something. Called with or without the allocator's lock: they take none.
 */
#ifndef MM_ALLOC_DEBUG_H
#define MM_ALLOC_DEBUG_H
#include "mm/page.h"

#ifdef SANITIZE
#define OBJECT_EXTRA 48 /* head and fence */

/* An object of `room` bytes in a new slab: it is free. */
void object_debug_create(void *object, size_t room);
/* A free object goes to `site`, who asked for `size` bytes: what it gets. */
void *object_debug_alloc(void *object, size_t room, size_t size, const void *site);
/* What somebody got comes back: the object. */
void *object_debug_free(void *pointer, size_t room, const void *site);
/* 2^order pages that were free go to `site`; pages whose last reference is gone come back from it. */
void page_debug_alloc(struct page *page, int order, const void *site);
void page_debug_free(struct page *page, const void *site);
/* A page table that is kept for the next one to need it. */
void table_debug_alloc(struct page *page);
#else
#define OBJECT_EXTRA 0

static inline void object_debug_create(void *object, size_t room)
{
    (void)object, (void)room;
}

static inline void *object_debug_alloc(void *object, size_t room, size_t size, const void *site)
{
    (void)room, (void)size, (void)site;
    return object;
}

static inline void *object_debug_free(void *pointer, size_t room, const void *site)
{
    (void)room, (void)site;
    return pointer;
}

static inline void page_debug_alloc(struct page *page, int order, const void *site)
{
    (void)page, (void)order, (void)site;
}

static inline void page_debug_free(struct page *page, const void *site)
{
    (void)page, (void)site;
}

static inline void table_debug_alloc(struct page *page)
{
    (void)page;
}
#endif
#endif
