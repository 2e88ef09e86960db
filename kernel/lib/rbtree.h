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

/*
 * A tree in which each node sums up the tree from it on, as `sum` does for one node. Those that rotations
 * move are summed up here. The rest is the caller's: after insertion `node` and all above it, unless it adds
 * nothing (its own sum is set before); after removal all from the returned node on (NULL: none), the lowest
 * one whose place or tree has changed. The one that came next in order is among these.
 */
typedef void (*rb_sum)(struct rb_node *node);
void rb_insert_summed(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
                      struct rb_node **link, rb_sum sum);
struct rb_node *rb_remove_summed(struct rb_root *root, struct rb_node *node, rb_sum sum);

struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* The second one, or NULL. Nothing is to the left of the first one, so what is to its right is no more than
 * one red node. */
static inline struct rb_node *rb_second(const struct rb_node *first)
{
    return first->right ? first->right : first->parent;
}
#endif
