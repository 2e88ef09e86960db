/*
 * Red-black trees: a red node has black children, and every path down from a node passes the same
 * number of black ones. No kernel state: compiled on the host for unit tests, too.
 */
#include "lib/rbtree.h"

/* Compiled twice, with sums and without: each switch of tasks takes one out, and sums nothing. */
#define INLINE static inline __attribute__((always_inline))

/* The link that points at `node`: in its parent or the root. */
static struct rb_node **link_of(struct rb_root *root, struct rb_node *node)
{
    if (!node->parent) {
        return &root->node;
    }
    return node->parent->left == node ? &node->parent->left : &node->parent->right;
}

INLINE void rb_rotate_left(struct rb_root *root, struct rb_node *node, rb_sum sum)
{
    struct rb_node *up = node->right;

    *link_of(root, node) = up;
    up->parent = node->parent;
    node->right = up->left;
    if (node->right) {
        node->right->parent = node;
    }
    up->left = node;
    node->parent = up;
    if (sum) {
        sum(node);
    }
}

INLINE void rb_rotate_right(struct rb_root *root, struct rb_node *node, rb_sum sum)
{
    struct rb_node *up = node->left;

    *link_of(root, node) = up;
    up->parent = node->parent;
    node->left = up->right;
    if (node->left) {
        node->left->parent = node;
    }
    up->right = node;
    node->parent = up;
    if (sum) {
        sum(node);
    }
}

static bool is_red(const struct rb_node *node)
{
    return node && node->red;
}

INLINE void rb_put(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
                   struct rb_node **link, rb_sum sum)
{
    *node = (struct rb_node){.parent = parent, .red = true};
    *link = node;
    while ((parent = node->parent) && parent->red) {
        struct rb_node *grand = parent->parent;
        bool left = parent == grand->left;
        struct rb_node *uncle = left ? grand->right : grand->left;

        if (is_red(uncle)) {
            parent->red = uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        if (node == (left ? parent->right : parent->left)) {
            if (left) {
                rb_rotate_left(root, parent, sum);
            } else {
                rb_rotate_right(root, parent, sum);
            }
            parent = node;
        }
        parent->red = false;
        grand->red = true;
        if (left) {
            rb_rotate_right(root, grand, sum);
        } else {
            rb_rotate_left(root, grand, sum);
        }
        if (sum) {
            sum(parent); /* which is above the two now */
        }
        break;
    }
    root->node->red = false;
}

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
               struct rb_node **link)
{
    rb_put(root, node, parent, link, NULL);
}

void rb_insert_summed(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
                      struct rb_node **link, rb_sum sum)
{
    rb_put(root, node, parent, link, sum);
}

/* The paths through `node` (perhaps NULL, below `parent`) are one black node short. `first`: it was at the left
 * end, so all above it are left ones, too. */
INLINE void rb_fix_removed(struct rb_root *root, struct rb_node *node, struct rb_node *parent, bool first,
                           rb_sum sum)
{
    while (parent && !is_red(node)) {
        bool left = first || parent->left == node;
        struct rb_node *sibling = left ? parent->right : parent->left, *near, *far;

        if (sibling->red) {
            sibling->red = false;
            parent->red = true;
            if (left) {
                rb_rotate_left(root, parent, sum);
            } else {
                rb_rotate_right(root, parent, sum);
            }
            sibling = left ? parent->right : parent->left;
        }
        near = left ? sibling->left : sibling->right;
        far = left ? sibling->right : sibling->left;
        if (!is_red(near) && !is_red(far)) {
            sibling->red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(far)) {
            near->red = false;
            sibling->red = true;
            if (left) {
                rb_rotate_right(root, sibling, sum);
            } else {
                rb_rotate_left(root, sibling, sum);
            }
            far = sibling;
            sibling = near;
        }
        sibling->red = parent->red;
        parent->red = false;
        far->red = false;
        if (left) {
            rb_rotate_left(root, parent, sum);
        } else {
            rb_rotate_right(root, parent, sum);
        }
        return;
    }
    if (node) {
        node->red = false;
    }
}

INLINE struct rb_node *rb_take(struct rb_root *root, struct rb_node *node, rb_sum sum)
{
    struct rb_node *child, *parent, *heir;
    bool red;

    if (!node->left || !node->right) {
        child = node->left ? node->left : node->right;
        parent = node->parent;
        red = node->red;
        *link_of(root, node) = child;
        if (child) {
            child->parent = parent;
        }
    } else {
        /* The next node in order has no left child: it takes this one's place and colour. */
        heir = node->right;
        while (heir->left) {
            heir = heir->left;
        }
        child = heir->right;
        red = heir->red;
        parent = heir->parent == node ? heir : heir->parent;
        *link_of(root, heir) = child;
        if (child) {
            child->parent = heir->parent;
        }
        heir->left = node->left;
        heir->right = node->right;
        heir->parent = node->parent;
        heir->red = node->red;
        *link_of(root, node) = heir;
        heir->left->parent = heir;
        if (heir->right) {
            heir->right->parent = heir;
        }
        if (child) {
            child->parent = parent;
        }
    }
    if (!red) {
        rb_fix_removed(root, child, parent, false, sum);
    }
    return child ? child : parent;
}

void rb_remove(struct rb_root *root, struct rb_node *node)
{
    rb_take(root, node, NULL);
}

void rb_removed_left(struct rb_root *root, struct rb_node *parent)
{
    rb_fix_removed(root, NULL, parent, true, NULL);
}

struct rb_node *rb_remove_summed(struct rb_root *root, struct rb_node *node, rb_sum sum)
{
    return rb_take(root, node, sum);
}

struct rb_node *rb_first(const struct rb_root *root)
{
    struct rb_node *node = root->node;

    while (node && node->left) {
        node = node->left;
    }
    return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
    struct rb_node *node = root->node;

    while (node && node->right) {
        node = node->right;
    }
    return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
    if (node->right) {
        node = node->right;
        while (node->left) {
            node = node->left;
        }
        return (struct rb_node *)node;
    }
    while (node->parent && node == node->parent->right) {
        node = node->parent;
    }
    return node->parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    if (node->left) {
        node = node->left;
        while (node->right) {
            node = node->right;
        }
        return (struct rb_node *)node;
    }
    while (node->parent && node == node->parent->left) {
        node = node->parent;
    }
    return node->parent;
}
