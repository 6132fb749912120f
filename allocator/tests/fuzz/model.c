/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "check.h"
#include "heap_set.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ARENA_SIZE = 2 << 20, /* bytes: clearing it is cheap, and it runs full now and then */
    FULL_MAX = 320,       /* bytes of a block that are all written; of longer ones a sample */
    SAMPLE = 24,
    EDGE = 64, /* bytes at either end of every block that are written */
    FAIL_WITHIN = 8,
};

struct model model;

void model_require(bool holds, const char *sentence, ...)
{
    va_list arguments;
    if (holds)
        return;
    va_start(arguments, sentence);
    fprintf(stderr, "FINDING ");
    vfprintf(stderr, sentence, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    abort();
}

/* ---- the configuration ---- */

/* Bits of the third byte; with the highest of them all levels are on. */
enum { CANARY = 1, ZERO = 2, RANDOM = 4, QUARANTINE = 8, SECURE = 16 };

/* And of the first, whose lowest two are the source. */
enum { DEFAULT_HEAP = 4, UNCACHED = 8, UNLOCKED = 16 };

static const char *const sources[] = {"arena", "mmap", "sbrk", "arena"};
static const char *const fits[] = {"first", "next", "best", "worst"};
static const char *const thresholds[] = {"", ",mmap_threshold:64k", ",trim_threshold:64k",
                                         ",mmap_threshold:20000,trim_threshold:32k"};

static unsigned levels_of(uint8_t byte)
{
    return (byte & SECURE) != 0 ? CANARY | ZERO | RANDOM | QUARANTINE : byte & 15u;
}

static void write_options(const uint8_t *configuration, char *text, size_t text_size)
{
    unsigned levels = levels_of(configuration[2]);
    snprintf(text, text_size, "source:%s,fit:%s%s%s%s%s%s%s", sources[configuration[0] & 3],
             fits[configuration[1] & 3], thresholds[configuration[1] >> 2 & 3],
             (levels & CANARY) != 0 ? ",canary:on" : "", (levels & ZERO) != 0 ? ",zero:on" : "",
             (levels & RANDOM) != 0 ? ",random:on" : "",
             (levels & QUARANTINE) != 0 ? ",quarantine:128k" : "",
             (configuration[0] & UNCACHED) != 0 ? ",cache:off" : "");
}

static void parse(const char *text, struct anvil_options *options)
{
    char error[440];
    int result = anvil_options_parse(text, options, error, sizeof error);
    model_require(result == 0, "options: %s", error);
}

/* A heap of its own; an arena has no word among the options. */
static void make_heap(char *text, bool is_arena, bool is_unlocked)
{
    static char *arena;
    struct anvil_options options = {.unlocked = is_unlocked};
    if (is_arena) {
        if (arena == NULL)
            arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        text = strchr(text, ',') + 1;
        options.source = ANVIL_SOURCE_ARENA;
        options.arena = arena;
        options.arena_size = ARENA_SIZE;
    }
    parse(text, &options);
    model_require(anvil_heap_create(&model.heap, &options) == 0, "no heap with %s", text);
}

/* The default heap, set up anew, so that it reads its options again. */
static void make_default(const char *text)
{
    heap_default_reset();
    if (setenv("ANVIL_OPTIONS", text, 1) != 0)
        abort();
    (void)anvil_malloc_trim(0);
}

void model_start(const uint8_t configuration[MODEL_CONFIGURATION])
{
    char text[200];
    write_options(configuration, text, sizeof text);
    unsigned levels = levels_of(configuration[2]);
    bool is_arena = strncmp(text, "source:arena", 12) == 0;
    bool is_default = !is_arena && (configuration[0] & DEFAULT_HEAP) != 0;
    model = (struct model){.has_canary = (levels & CANARY) != 0,
                           .has_zero = (levels & ZERO) != 0,
                           .has_quarantine = (levels & (QUARANTINE | RANDOM)) != 0};
    if (is_default)
        make_default(text);
    else
        make_heap(text, is_arena, (configuration[0] & UNLOCKED) != 0);
}

/* ---- content ---- */

static char content(const struct model_block *block, size_t at)
{
    return (char)((size_t)block->key * 31 + at * 7 + (at >> 8) + 1);
}

/* The next place to write or to look at. */
static size_t step(size_t length, size_t at)
{
    bool is_all = length <= FULL_MAX || at < EDGE || at >= length - EDGE;
    return is_all ? at + 1 : size_min(at + length / SAMPLE, length - EDGE);
}

static void fill(const struct model_block *block)
{
    for (size_t at = 0; at < block->usable; at = step(block->usable, at))
        block->start[at] = content(block, at);
}

/* The places up to `length` that were written when `block->usable` bytes were. */
static void verify_content(const struct model_block *block, size_t length)
{
    for (size_t at = 0; at < length; at = step(block->usable, at))
        model_require(block->start[at] == content(block, at),
                      "content: byte %zu of a block of %zu bytes has changed", at, block->size);
}

static void require_zero(const char *start, size_t length)
{
    for (size_t at = 0; at < length; at = step(length, at))
        model_require(start[at] == 0, "zeroed: byte %zu of %zu is not zero", at, length);
}

/* ---- the calls ---- */

void model_call_free(void *block)
{
    if (model.heap == NULL)
        anvil_free(block);
    else
        anvil_heap_free(model.heap, block);
}

void *model_call_realloc(void *block, size_t size)
{
    return model.heap == NULL ? anvil_realloc(block, size)
                              : anvil_heap_realloc(model.heap, block, size);
}

static void *call_malloc(size_t size)
{
    return model.heap == NULL ? anvil_malloc(size) : anvil_heap_malloc(model.heap, size);
}

/* ---- blocks ---- */

struct model_block *model_find(const void *start)
{
    for (unsigned i = 0; i < MODEL_SLOTS; i++)
        if (model.blocks[i].start == start)
            return start == NULL ? NULL : &model.blocks[i];
    return NULL;
}

struct model_block *model_some(unsigned slot)
{
    for (unsigned i = 0; i < MODEL_SLOTS; i++) {
        struct model_block *block = &model.blocks[(slot + i) % MODEL_SLOTS];
        if (block->start != NULL)
            return block;
    }
    return NULL;
}

static bool overlaps(const struct model_block *a, const struct model_block *b)
{
    return a->start < b->start + size_max(b->usable, 1) &&
           b->start < a->start + size_max(a->usable, 1);
}

/* A block that a call has returned; NULL: the slot becomes empty. */
static bool place(struct model_block *block, char *start, size_t size, size_t alignment)
{
    *block = (struct model_block){0};
    if (start == NULL)
        return false;
    struct model_block made = {.start = start, .size = size, .alignment = alignment};
    made.usable = anvil_heap_malloc_usable_size(model.heap, start);
    made.key = ++model.keys;
    model_require(is_aligned(start, size_max(alignment, BLOCK_ALIGNMENT)), "alignment: %p for %zu",
                  (void *)start, alignment);
    model_require(made.usable >= size, "usable: %zu bytes of %zu", made.usable, size);
    for (unsigned i = 0; i < MODEL_SLOTS; i++)
        model_require(model.blocks[i].start == NULL || !overlaps(&model.blocks[i], &made),
                      "overlap: a new block of %zu bytes and one of %zu", size,
                      model.blocks[i].size);
    *block = made;
    fill(block);
    return true;
}

/* Before the block is freed. */
static struct model_gone describe(const struct model_block *block)
{
    struct heap_block found;
    struct anvil_heap *heap = model.heap == NULL ? heap_default() : model.heap;
    model_require(heap_find(heap, block->start, &found), "lost: a live block of %zu bytes",
                  block->size);
    return (struct model_gone){block->start, block->size, found.slab == NULL};
}

static void note_gone(const struct model_gone *gone)
{
    model.gone[model.frees++ % MODEL_GONE] = *gone;
}

bool model_malloc(struct model_block *block, size_t size)
{
    return place(block, call_malloc(size), size, 0);
}

void model_free(struct model_block *block)
{
    const struct model_gone gone = describe(block);
    verify_content(block, block->usable);
    model_call_free(block->start);
    note_gone(&gone);
    *block = (struct model_block){0};
}

static void free_sized(struct model_block *block)
{
    const struct model_gone gone = describe(block);
    verify_content(block, block->usable);
    if (block->alignment != 0)
        anvil_heap_free_aligned_sized(model.heap, block->start, block->alignment, block->size);
    else
        anvil_heap_free_sized(model.heap, block->start, block->size);
    note_gone(&gone);
    *block = (struct model_block){0};
}

static void resize(struct model_block *block, size_t size)
{
    const struct model_gone gone = describe(block);
    verify_content(block, block->usable);
    char *start = model_call_realloc(block->start, size);
    if (size != 0 && start == NULL) {
        verify_content(block, block->usable);
        return;
    }
    if (start != NULL) {
        const struct model_block moved = {start, block->size, 0, block->usable, block->key};
        verify_content(&moved, size_min(block->size, size));
    }
    if (start != block->start)
        note_gone(&gone);
    (void)place(block, start, size, 0);
}

static void calloc_into(struct model_block *block, size_t size)
{
    char *start = anvil_heap_calloc(model.heap, 1, size);
    if (start != NULL)
        require_zero(start, size);
    (void)place(block, start, size, 0);
}

size_t model_size(uint16_t operand)
{
    size_t low = operand & 0x1fff;
    switch (operand >> 13) {
    case 0:
    case 1:
        return low & 0x1ff;
    case 2:
        return low & 63;
    case 3:
        return low;
    case 4: /* around the powers of two that slabs serve */
        return ((size_t)16 << (low & 15) % 12) + (low >> 4 & 31) - 16;
    case 5:
        return 32768 + low * 16;
    case 6:
        return (1 + (low & 63)) * PAGE_BYTES + (low >> 6 & 31) - 16;
    default:
        return low * 400;
    }
}

static void aligned(struct model_block *block, uint16_t operand)
{
    size_t alignment = (size_t)1 << (operand & 15), size = model_size((uint16_t)(operand >> 4));
    (void)place(block, anvil_heap_aligned_alloc(model.heap, alignment, size), size, alignment);
}

void model_call(const struct model_op *op)
{
    struct model_block *block = &model.blocks[op->slot % MODEL_SLOTS];
    if (block->start == NULL) {
        unsigned kind = op->kind % 4u;
        if (kind == 0)
            calloc_into(block, model_size(op->operand));
        else if (kind == 1)
            aligned(block, op->operand);
        else
            (void)model_malloc(block, model_size(op->operand));
        return;
    }
    switch (op->kind % MODEL_CALLS) {
    case 0:
    case 1:
        resize(block, model_size(op->operand));
        break;
    case 2:
        free_sized(block);
        break;
    case 3:
        (void)anvil_heap_malloc_trim(model.heap, op->operand % 4 * PAGE_BYTES);
        break;
    case 4:
        anvil_heap_fail_os_call(model.heap, op->operand % FAIL_WITHIN);
        break;
    default:
        model_free(block);
    }
}

struct model_op model_decode(const uint8_t bytes[MODEL_OP])
{
    return (struct model_op){bytes[0], bytes[1], (uint16_t)(bytes[2] | bytes[3] << 8)};
}

/* ---- the whole ---- */

void model_verify(void)
{
    char error[240] = "";
    model_require(anvil_heap_check(model.heap, error, sizeof error) == 0, "heap: %s", error);
    for (unsigned i = 0; i < MODEL_SLOTS; i++)
        if (model.blocks[i].start != NULL)
            verify_content(&model.blocks[i], model.blocks[i].usable);
}

void model_end(void)
{
    struct anvil_stats stats;
    for (unsigned i = 0; i < MODEL_SLOTS; i++)
        if (model.blocks[i].start != NULL)
            model_free(&model.blocks[i]);
    model_verify();
    anvil_heap_stats(model.heap, &stats);
    model_require(stats.live_blocks == 0, "live: %zu blocks after the last free",
                  stats.live_blocks);
    if (model.heap == NULL)
        heap_default_reset();
    else
        anvil_heap_destroy(model.heap);
}

/* ---- single layers ---- */

static void start_layer(const uint8_t configuration[MODEL_CONFIGURATION])
{
    const uint8_t chosen[MODEL_CONFIGURATION] = {(configuration[0] & 3) | UNLOCKED,
                                                 configuration[1]};
    model_start(chosen);
}

static void require_whole(const char *layer)
{
    const void *at;
    enum check_id broken = check_heap(model.heap, &at);
    model_require(broken == CHECK_OK, "%s: %s at %p", layer, check_id_name(broken), at);
}

static void require_unused(const char *layer)
{
    for (struct extent *extent = model.heap->extents.list.first; extent != NULL;
         extent = extent->next)
        model_require(extent_state(extent) == EXTENT_FREE || extent_state(extent) == EXTENT_KEPT,
                      "%s: an extent is in use after the last was freed", layer);
}

void model_run_layer(const char *layer, const uint8_t *data, size_t size,
                     void (*act)(const struct model_op *op), void (*give_all_back)(void))
{
    if (size < MODEL_CONFIGURATION)
        return;
    start_layer(data);
    for (size_t i = MODEL_CONFIGURATION; i + MODEL_OP <= size; i += MODEL_OP) {
        const struct model_op op = model_decode(data + i);
        act(&op);
        require_whole(layer);
    }
    give_all_back();
    require_whole(layer);
    require_unused(layer);
    anvil_heap_destroy(model.heap);
}
