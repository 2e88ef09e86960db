/* A doubly linked list through a member of its elements; an empty head points at itself. */
#ifndef LIB_LIST_H
#define LIB_LIST_H
#include "lib/types.h"
#ifdef SANITIZE
#include "lib/log.h"
#endif

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *list)
{
    list->next = list->prev = list;
}

static inline bool list_empty(const struct list *head)
{
    return __atomic_load_n(&head->next, __ATOMIC_ACQUIRE) == head;
}

/* Do two neighbours know each other? */
static inline void list_check(const struct list *prev, const struct list *next)
{
#ifdef SANITIZE
    if (prev->next != next || next->prev != prev) {
        panic("list: behind %p comes %p, before %p comes %p", (const void *)prev,
              (const void *)prev->next, (const void *)next, (const void *)next->prev);
    }
#else
    (void)prev, (void)next;
#endif
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
    list_check(prev, next);
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_between(node, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_between(node, head->prev, head);
}

/* Unlink and leave the node pointing at itself, so that removing it twice is harmless. When list_empty(node)
 * says so, this is done with the node. */
static inline void list_remove(struct list *node)
{
    list_check(node->prev, node);
    list_check(node, node->next);
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->prev = node;
    __atomic_store_n(&node->next, node, __ATOMIC_RELEASE);
}

#define list_first(head, type, member) container_of((head)->next, type, member)
#define list_for_each(item, head, member)                                             \
    for (item = container_of((head)->next, typeof(*item), member);                    \
         &item->member != (head); item = container_of(item->member.next, typeof(*item), member))
/* The same, where the body may remove `item`. */
#define list_for_each_safe(item, after, head, member)                                 \
    for (item = container_of((head)->next, typeof(*item), member),                    \
        after = container_of(item->member.next, typeof(*item), member);               \
         &item->member != (head);                                                     \
         item = after, after = container_of(item->member.next, typeof(*item), member))
#endif
