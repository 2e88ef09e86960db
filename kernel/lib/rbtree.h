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
};

#define rb_entry(pointer, type, member) container_of(pointer, type, member)

/* Hang `node` at *link below `parent`, found by the caller's own walk, and rebalance. */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link);
void rb_remove(struct rb_root *root, struct rb_node *node);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
#endif
