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

/* For the next one: a black node without children has gone from below `parent`, on the left. */
void rb_removed_left(struct rb_root *root, struct rb_node *parent);

/*
 * Remove the first node; the one that is first then, or NULL. Nothing is to the left of the first, so
 * what is to its right is no more than one red node. In line, as each switch of tasks takes one out.
 */
static inline struct rb_node *rb_remove_first(struct rb_root *root, struct rb_node *first)
{
    struct rb_node *heir = first->right, *parent = first->parent;

    *(parent ? &parent->left : &root->node) = heir;
    if (heir) {
        heir->parent = parent;
        heir->red = false; /* as `first` was */
        return heir;
    }
    if (parent && !first->red) {
        rb_removed_left(root, parent);
    }
    return parent;
}
#endif
