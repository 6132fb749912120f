/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the slabs of a heap by their own functions, over every page source and fit policy
 * (model.h), the checker after each op.
 *
 * Blocks are taken and put back in batches; in between a block is made live and written to, or
 * stays as it is. Extents come and go beside the slabs. A block that is put back twice must be
 * refused.
 */
#include "model.h"

#include "heap.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HELD_MAX = 512, BATCH_MAX = 24, EXTENTS = 8, FAIL_WITHIN = 6 };

struct held {
    struct slab_entry entry;
    unsigned class_index;
    unsigned char key; /* of the content; 0: it was never live */
};

static struct {
    unsigned count;
    struct held held[HELD_MAX];
    struct extent *extents[EXTENTS]; /* NULL: none */
} target;

/* ---- blocks ---- */

static void require_all(const char *block, size_t length, unsigned char value)
{
    bool is_all = length == 0 ||
                  ((unsigned char)block[0] == value && memcmp(block, block + 1, length - 1) == 0);
    model_require(is_all, "slabs: the %zu bytes of a block are not all %x", length, value);
}

static void require_content(const struct held *held)
{
    if (held->key != 0)
        require_all(held->entry.block, size_class_usable(held->class_index), held->key);
}

static void require_apart(const struct slab_entry *entry, unsigned class_index)
{
    const char *block = entry->block;
    for (unsigned i = 0; i < target.count; i++) {
        const struct held *other = &target.held[i];
        model_require(block + size_classes[class_index].bytes <= other->entry.block ||
                          other->entry.block + size_classes[other->class_index].bytes <= block,
                      "slabs: two blocks overlap");
    }
}

static void keep(const struct slab_entry *entry, unsigned class_index)
{
    struct slab *slab = pagemap_slab_of(pagemap_get(entry->block), model.heap->id);
    model_require(slab != NULL && slab->class_index == class_index, "slabs: a block of no slab");
    model_require(slab_tag_at(slab, entry->block) == entry->tag, "slabs: a tag of another block");
    uint32_t tag = sync_tag_read(entry->tag);
    model_require((tag & ~SLAB_TAG_ZERO) == SLAB_TAG_TAKEN, "slabs: a new block has tag %x", tag);
    require_apart(entry, class_index);
    if ((tag & SLAB_TAG_ZERO) != 0)
        require_all(entry->block, size_class_usable(class_index), 0);
    target.held[target.count++] = (struct held){*entry, class_index, 0};
}

/* The block is live for a moment, and its user writes to it. */
static void use(struct held *held, unsigned char key)
{
    size_t length = size_class_usable(held->class_index);
    require_content(held);
    sync_tag_write(held->entry.tag, slab_tag_live(length, 0));
    memset(held->entry.block, key | 1, length);
    sync_tag_write(held->entry.tag, SLAB_TAG_TAKEN);
    held->key = key | 1;
}

/* ---- the ops ---- */

static void take(unsigned class_index, unsigned wanted)
{
    struct slab_entry entries[BATCH_MAX];
    unsigned count;
    if (target.count + wanted > HELD_MAX ||
        slabs_take(&model.heap->slabs, class_index, entries, wanted, &count) != 0)
        return;
    model_require(count >= 1 && count <= wanted, "slabs: %u blocks for %u", count, wanted);
    for (unsigned i = 0; i < count; i++)
        keep(&entries[i], class_index);
}

static void remove_at(unsigned index)
{
    require_content(&target.held[index]);
    target.held[index] = target.held[--target.count];
}

/* Puts back some blocks of one class, from the place on; then one of them again. */
static void put(unsigned first, unsigned wanted, bool is_twice)
{
    struct slab_entry entries[BATCH_MAX] = {{NULL, NULL}};
    struct slabs *slabs = &model.heap->slabs;
    unsigned count = 0, class_index = target.held[first].class_index;
    for (unsigned i = target.count; i-- > 0 && count < wanted;)
        if (target.held[i].class_index == class_index) {
            entries[count++] = target.held[i].entry;
            remove_at(i);
        }
    model_require(slabs_put(slabs, class_index, entries, count) == count,
                  "slabs: of %u blocks not all were put back", count);
    struct slab *slab = pagemap_slab_of(pagemap_get(entries[0].block), model.heap->id);
    if (is_twice && slab != NULL && slab_tag_at(slab, entries[0].block) == entries[0].tag)
        model_require(slabs_put(slabs, class_index, entries, 1) == 0,
                      "slabs: a block was put back twice");
}

static void use_extent(unsigned slot, size_t pages)
{
    struct extents *extents = &model.heap->extents;
    struct extent **place = &target.extents[slot % EXTENTS];
    if (*place != NULL) {
        extent_free(extents, *place);
        *place = NULL;
    } else if (extent_alloc(extents, pages, PAGE_BYTES, place) != 0) {
        *place = NULL;
    } else {
        memset((*place)->start, 0xee, extent_length(*place));
        (*place)->dirty = extent_length(*place);
        extent_set_size(*place, 0);
    }
}

static unsigned class_of(uint16_t operand)
{
    unsigned few = operand % 4 * 20; /* so that slabs fill up */
    return (operand & 0x8000) != 0 ? operand % (unsigned)SIZE_CLASS_COUNT : few;
}

static void step(const struct model_op *op)
{
    unsigned index = target.count == 0 ? 0 : op->slot % target.count;
    unsigned wanted = 1 + op->operand / 8 % BATCH_MAX;
    switch (op->kind % 16) {
    case 0:
        (void)slabs_release(&model.heap->slabs);
        break;
    case 1:
        model.heap->pages.refuse_in = op->operand % FAIL_WITHIN;
        break;
    case 2:
        (void)extents_release(&model.heap->extents, op->operand % 64 * PAGE_BYTES);
        break;
    case 3:
        use_extent(op->slot, 1 + op->operand % 30);
        break;
    default:
        if (op->kind % 4 < 2 || target.count == 0)
            take(class_of(op->operand), wanted);
        else if (op->kind % 4 == 2)
            put(index, wanted, (op->operand & 1) != 0);
        else
            use(&target.held[index], (unsigned char)op->operand);
    }
}

static void give_all_back(void)
{
    for (unsigned i = 0; i < EXTENTS; i++)
        if (target.extents[i] != NULL)
            use_extent(i, 1);
    while (target.count > 0)
        put(0, BATCH_MAX, false);
    (void)slabs_release(&model.heap->slabs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    model_run_layer("slabs", data, size, step, give_all_back);
    return 0;
}
