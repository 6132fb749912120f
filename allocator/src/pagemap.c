/* SPDX-License-Identifier: MIT */
/*
 * The radix tree behind pagemap.h: making nodes, and writing words.
 *
 * A node is published with release and read with acquire, so its zeros are seen. Words are relaxed:
 * a thread that holds the owner's lock has seen the owner's writes, any other thread looks at the
 * owner number only.
 */
#include "pagemap.h"

#include <errno.h>

struct pagemap_node pagemap_root;

/* The node below `word`, made if there is none. NULL: no memory. */
static struct pagemap_node *node_below(struct pages *pages, struct sync_pointer *word)
{
    struct pagemap_node *node = sync_read(word);
    if (node != NULL)
        return node;
    char *fresh;
    if (pages_map_shared(pages, sizeof(struct pagemap_node), &fresh) != 0)
        return NULL;
    node = sync_publish_once(word, fresh);
    if ((char *)node != fresh)
        pages_release_shared(fresh, sizeof(struct pagemap_node)); /* another heap was faster */
    return node;
}

int pagemap_reserve(struct pages *pages, const char *start, size_t length)
{
    ASSERT(is_page_run(start, length));
    const uintptr_t leaf_span = (uintptr_t)1 << (PAGEMAP_SHIFT + PAGE_SHIFT);
    uintptr_t last = (uintptr_t)start + length - 1;
    if (last >> PAGEMAP_ADDRESS_BITS != 0)
        return ENOMEM;
    for (uintptr_t address = (uintptr_t)start & ~(leaf_span - 1); address <= last;
         address += leaf_span) {
        struct pagemap_node *middle =
            node_below(pages, &pagemap_root.words[pagemap_index(address, 2)]);
        if (middle == NULL || node_below(pages, &middle->words[pagemap_index(address, 1)]) == NULL)
            return ENOMEM;
    }
    return 0;
}

void pagemap_fill(const char *address, size_t count, const struct extent *extent, unsigned owner)
{
    uintptr_t value = pagemap_word_of(extent, owner);
    while (count > 0) {
        struct sync_pointer *word = pagemap_word(address);
        size_t in_leaf = size_min(count, PAGEMAP_WORDS - pagemap_index((uintptr_t)address, 0));
        ASSERT(word != NULL);
        for (size_t i = 0; i < in_leaf; i++)
            sync_word_write(&word[i], value);
        address += in_leaf << PAGE_SHIFT;
        count -= in_leaf;
    }
}

unsigned pagemap_owner(const void *address)
{
    struct sync_pointer *word = pagemap_word(address);
    return word == NULL ? 0 : (unsigned)(sync_word_read(word) >> PAGEMAP_ADDRESS_BITS);
}

bool pagemap_agrees(const char *address, size_t count, const struct extent *extent, unsigned owner)
{
    uintptr_t expected = pagemap_word_of(extent, owner);
    while (count > 0) {
        struct sync_pointer *word = pagemap_word(address);
        size_t in_leaf = size_min(count, PAGEMAP_WORDS - pagemap_index((uintptr_t)address, 0));
        if (word == NULL && extent != NULL)
            return false;
        for (size_t i = 0; word != NULL && i < in_leaf; i++)
            if (sync_word_read(&word[i]) != expected)
                return false;
        address += in_leaf << PAGE_SHIFT;
        count -= in_leaf;
    }
    return true;
}
