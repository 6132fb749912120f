/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets of this folder share: the input, and a heap under test with a model of it.
 *
 *     input      | configuration, 4 bytes | op, slot, operand (2 bytes) | ... |
 *
 * The configuration chooses the page source, the fit policy, whose heap it is (one made for the
 * input, or the default heap, with or without caches), the thresholds and the levels of hardening.
 * Every byte string is a valid input. The model knows each live block, its size, alignment and
 * content, and the latest frees; it needs no memory of anvil's.
 *
 * A broken expectation is one line on stderr and an abort, so that any engine keeps the input.
 */
#ifndef ANVIL_FUZZ_MODEL_H
#define ANVIL_FUZZ_MODEL_H

#include "anvil.h"

#include <stdint.h>

enum { MODEL_SLOTS = 48, MODEL_GONE = 64, MODEL_CONFIGURATION = 4, MODEL_OP = 4 };

struct model_block {
    char *start; /* NULL: the slot is empty */
    size_t size;
    size_t alignment; /* asked for; 0: none */
    size_t usable;
    unsigned key; /* of the content */
};

/* A block that was freed. */
struct model_gone {
    char *start;
    size_t size;
    bool is_large;
};

struct model_op {
    uint8_t kind, slot;
    uint16_t operand;
};

struct model {
    anvil_heap *heap; /* NULL: the default heap, by its plain functions */
    bool has_canary, has_zero, has_quarantine;
    size_t frees;
    unsigned keys;
    struct model_block blocks[MODEL_SLOTS];
    struct model_gone gone[MODEL_GONE]; /* by number of the free */
};
extern struct model model;

/* Sets the heap up from the first bytes of the input. */
void model_start(const uint8_t configuration[MODEL_CONFIGURATION]);
/* Frees every block, checks that nothing is live and destroys the heap. */
void model_end(void);
struct model_op model_decode(const uint8_t bytes[MODEL_OP]);

/* For the target of a single layer: runs an input on a heap of its own, without hardening and
 * without locks, the checker after each op. give_all_back() must leave no extent in use. */
void model_run_layer(const char *layer, const uint8_t *data, size_t size,
                     void (*act)(const struct model_op *op), void (*give_all_back)(void));

/* A request that the operand stands for: mostly small, zero to some megabytes. */
size_t model_size(uint16_t operand);
/* One correct call, chosen by op->kind; the number of choices. */
enum { MODEL_CALLS = 12 };
void model_call(const struct model_op *op);

/* Does every live block have its content, and does the checker accept the heap? */
void model_verify(void);
/* The live block that starts there, or NULL. */
struct model_block *model_find(const void *start);
/* A live block, searched from the slot on, or NULL. */
struct model_block *model_some(unsigned slot);
/* Frees it and remembers where it was. */
void model_free(struct model_block *block);
/* Puts a new block into an empty slot. Returns whether there was memory. */
bool model_malloc(struct model_block *block, size_t size);

/* The calls by either form. */
void model_call_free(void *block);
void *model_call_realloc(void *block, size_t size);

/* `sentence`, with its numbers, is a finding unless `holds`. */
void model_require(bool holds, const char *sentence, ...) __attribute__((format(printf, 2, 3)));

#endif
