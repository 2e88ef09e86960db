/* kernel/lib on the host: red-black trees against a plain array, printf against the host's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/rbtree.h"

int kernel_snprintf(char *buffer, size_t size, const char *format, ...);

struct item {
    struct rb_node node;
    int key, weight, below; /* how much the tree from it on weighs */
};

static struct item items[2000];

static int below(const struct rb_node *node)
{
    return node ? rb_entry(node, struct item, node)->below : 0;
}

static void sum(struct rb_node *node)
{
    struct item *item = rb_entry(node, struct item, node);

    item->below = item->weight + below(node->left) + below(node->right);
}

static void sum_up(struct rb_node *node)
{
    for (; node; node = node->parent) {
        sum(node);
    }
}

static struct rb_root root;

static void insert(struct item *item)
{
    struct rb_node **link = &root.node, *parent = NULL;

    while (*link) {
        parent = *link;
        link = item->key < rb_entry(parent, struct item, node)->key ? &parent->left : &parent->right;
    }
    item->below = 0;
    rb_insert_summed(&root, &item->node, parent, link, sum);
    if (item->weight) {
        sum_up(&item->node);
    }
}

/* The black height, or -1 when the tree breaks a rule of its colours. */
static int height(const struct rb_node *node)
{
    int left, right;

    if (!node) {
        return 1;
    }
    left = height(node->left);
    right = height(node->right);
    if (left != right || left < 0 ||
        (node->red && ((node->left && node->left->red) || (node->right && node->right->red)))) {
        return -1;
    }
    return left + !node->red;
}

static int in_order(int expected)
{
    int count = 0, last = -1, weight = 0;

    for (struct rb_node *node = rb_first(&root); node; node = rb_next(node)) {
        const struct item *item = rb_entry(node, struct item, node);

        if (item->key < last || item->below != item->weight + below(node->left) + below(node->right)) {
            return 0;
        }
        last = item->key;
        weight += item->weight;
        count++;
    }
    return count == expected && below(root.node) == weight;
}

static void check(const char *name, int ok)
{
    static int number;

    printf("%sok %d - %s\n", ok ? "" : "not ", ++number, name);
}

static int trees(void)
{
    static char inside[2000];
    int count = 0, good = 1;

    srand(7);
    for (int step = 0; step < 40000; step++) {
        int i = rand() % 2000;

        if (inside[i]) {
            sum_up(rb_remove_summed(&root, &items[i].node, sum));
        } else {
            items[i].key = rand() % 1000;
            items[i].weight = rand() % 2;
            insert(&items[i]);
        }
        inside[i] = !inside[i];
        count += inside[i] ? 1 : -1;
        if (step % 500 == 0) {
            good &= height(root.node) > 0 && in_order(count);
        }
    }
    return good;
}

/* A queue: put in by key, taken out at the front; nothing weighs anything. It is long, and empty, by turns. */
static int front(void)
{
    static char inside[2000];
    int count = 0, good = 1;

    root.node = NULL;
    for (int step = 0; step < 40000; step++) {
        int i = rand() % 2000;

        if (count && rand() % 10 < (step / 5000 % 2 ? 7 : 3)) {
            struct rb_node *first = rb_first(&root), *second = rb_next(first);

            inside[rb_entry(first, struct item, node) - items] = 0;
            good &= rb_remove_first(&root, first) == second;
            count--;
        } else if (!inside[i]) {
            items[i] = (struct item){.key = rand() % 1000};
            insert(&items[i]);
            inside[i] = 1;
            count++;
        }
        if (step % 100 == 0) {
            good &= height(root.node) > 0 && in_order(count);
        }
    }
    return good;
}

#define SAME(...)                                              \
    (snprintf(theirs, sizeof(theirs), __VA_ARGS__) ==          \
         kernel_snprintf(ours, sizeof(ours), __VA_ARGS__) &&   \
     strcmp(ours, theirs) == 0)

static int formats(void)
{
    char ours[128], theirs[128];

    return SAME("%d %5d|%-5d|%05d %i", 1, -2, 3, -4, 0) && SAME("%u %lu %zu", 5u, ~0ul, (size_t)6) &&
           SAME("%x %08lx %X %o", 0xabcu, 0x123ul, 0xdefu, 8u) && SAME("%s|%8s|%-8s|%.2s", "a", "b", "c", "def") &&
           SAME("%c%%%*d", 'x', 6, 7) && SAME("%ld %lld", -1l, -9223372036854775807ll - 1);
}

int main(void)
{
    printf("1..2\n");
    check("trees_keep_order_and_balance_and_sums", trees());
    check("trees_are_emptied_from_the_front", front());
    check("printf_agrees_with_the_host", formats());
    return 0;
}
