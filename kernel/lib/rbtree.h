/* A red-black tree through a member of its elements; the caller walks down to insert. */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H
#include "lib/types.h"

struct rb_node {
    struct rb_node *parent, *left, *right;
    bool red;
};

struct rb_root {
    struct rb_node *node;
    /* Where each node sums up the tree from it on: do so for one that was rotated down. Or NULL. */
    void (*sum)(struct rb_node *node);
};

#define rb_entry(pointer, type, member) container_of(pointer, type, member)

/* Hang `node` at *link below `parent`, found by the caller's own walk, and rebalance. The caller sums
 * up `node`, then all above it. */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link);
/* Returns the lowest node whose place or tree has changed, or NULL: the caller sums up from there on. The
 * one that came next in order is among these. */
struct rb_node *rb_remove(struct rb_root *root, struct rb_node *node);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
#endif
