/* SPDX-License-Identifier: MIT */
/*
 * A treap: a search tree in the policy's order that is at the same time a heap by priority (Seidel
 * and Aragon, "Randomized search trees", 1996). The priority is a hash of the extent's address, so
 * the shape depends on nothing but what is in the tree, and is balanced whatever the order of
 * insertions.
 */
#include "tree.h"

bool tree_is_before(const struct extent *a, const struct extent *b, enum anvil_fit fit)
{
    if (a->pages != b->pages && fit == ANVIL_FIT_BEST)
        return a->pages < b->pages;
    if (a->pages != b->pages && fit == ANVIL_FIT_WORST)
        return a->pages > b->pages;
    return a->start < b->start;
}

static uint32_t priority_of(const struct extent *extent)
{
    uint64_t bits = (uint64_t)(uintptr_t)extent->start >> PAGE_SHIFT;
    bits *= UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing: Knuth, TAOCP 6.4 */
    bits ^= bits >> 32;
    bits *= UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(bits >> 32);
}

static size_t subtree_max(const struct extent *extent)
{
    return extent == NULL ? 0 : extent->as.node.pages_max;
}

static void node_update(struct extent *extent)
{
    size_t below = size_max(subtree_max(extent->as.node.left), subtree_max(extent->as.node.right));
    extent->as.node.pages_max = size_max(extent->pages, below);
}

/* Cuts a subtree in two: what comes before the pivot, and the rest. */
static void tree_split(struct extent *node, const struct extent *pivot, enum anvil_fit fit,
                       struct extent **ret_left, struct extent **ret_right)
{
    if (node == NULL) {
        *ret_left = *ret_right = NULL;
        return;
    }
    struct extent *inner;
    if (tree_is_before(node, pivot, fit)) {
        tree_split(node->as.node.right, pivot, fit, &inner, ret_right);
        node->as.node.right = inner;
        *ret_left = node;
    } else {
        tree_split(node->as.node.left, pivot, fit, ret_left, &inner);
        node->as.node.left = inner;
        *ret_right = node;
    }
    node_update(node);
}

/* One subtree out of two, all of `left` coming before all of `right`. */
static struct extent *tree_join(struct extent *left, struct extent *right)
{
    if (left == NULL || right == NULL)
        return left == NULL ? right : left;
    struct extent *top = left->as.node.priority >= right->as.node.priority ? left : right;
    if (top == left)
        left->as.node.right = tree_join(left->as.node.right, right);
    else
        right->as.node.left = tree_join(left, right->as.node.left);
    node_update(top);
    return top;
}

static struct extent *insert_below(struct extent *node, struct extent *fresh, enum anvil_fit fit)
{
    if (node == NULL || fresh->as.node.priority > node->as.node.priority) {
        tree_split(node, fresh, fit, &fresh->as.node.left, &fresh->as.node.right);
        node = fresh;
    } else if (tree_is_before(fresh, node, fit)) {
        node->as.node.left = insert_below(node->as.node.left, fresh, fit);
    } else {
        node->as.node.right = insert_below(node->as.node.right, fresh, fit);
    }
    node_update(node);
    return node;
}

static struct extent *remove_below(struct extent *node, const struct extent *gone,
                                   enum anvil_fit fit)
{
    ASSERT(node != NULL);
    if (node == gone)
        return tree_join(node->as.node.left, node->as.node.right);
    if (tree_is_before(gone, node, fit))
        node->as.node.left = remove_below(node->as.node.left, gone, fit);
    else
        node->as.node.right = remove_below(node->as.node.right, gone, fit);
    node_update(node);
    return node;
}

void tree_insert(struct extent **root, struct extent *extent, enum anvil_fit fit)
{
    ASSERT(extent_state(extent) == EXTENT_FREE && extent->pages > 0);
    extent->as.node = (struct extent_node){.priority = priority_of(extent)};
    *root = insert_below(*root, extent, fit);
}

void tree_remove(struct extent **root, struct extent *extent, enum anvil_fit fit)
{
    *root = remove_below(*root, extent, fit);
}

static struct extent *replace_below(struct extent *node, struct extent *old, struct extent *fresh)
{
    ASSERT(node != NULL);
    if (node == old) {
        fresh->as.node.left = old->as.node.left;
        fresh->as.node.right = old->as.node.right;
        fresh->as.node.priority = old->as.node.priority;
        node = fresh;
    } else if (fresh->start < node->start) {
        node->as.node.left = replace_below(node->as.node.left, old, fresh);
    } else {
        node->as.node.right = replace_below(node->as.node.right, old, fresh);
    }
    node_update(node);
    return node;
}

void tree_replace(struct extent **root, struct extent *old, struct extent *fresh)
{
    *root = replace_below(*root, old, fresh);
}

struct extent *tree_find(struct extent *node, size_t pages)
{
    ASSERT(pages > 0);
    while (node != NULL && subtree_max(node) >= pages) {
        if (subtree_max(node->as.node.left) >= pages)
            node = node->as.node.left;
        else if (node->pages >= pages)
            return node;
        else
            node = node->as.node.right;
    }
    return NULL;
}

struct extent *tree_find_from(struct extent *node, size_t pages, const char *cursor)
{
    ASSERT(pages > 0);
    while (node != NULL && subtree_max(node) >= pages) {
        if (node->start >= cursor) {
            struct extent *earlier = tree_find_from(node->as.node.left, pages, cursor);
            if (earlier != NULL)
                return earlier;
            if (node->pages >= pages)
                return node;
            return tree_find(node->as.node.right, pages);
        }
        node = node->as.node.right;
    }
    return NULL;
}
