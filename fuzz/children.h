/* SPDX-License-Identifier: MIT */
/*
 * Inputs of our own between two of the engine's. A subject in another process costs an exchange of
 * messages for each order, more than a short trace: so each input of the engine takes a batch of
 * children with it. They are mutated from inputs whose behaviour was new, here as in the engine,
 * which then is handed the children that were: it runs them once more, keeps and shares them.
 *
 * There are none until the engine mutates for the first time: its corpus, and a replay, run as they
 * are. What is made depends only on the inputs before. One thread.
 */
#ifndef FUZZ_CHILDREN_H
#define FUZZ_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHILDREN_MAX = 31 }; /* for one input of the engine */

/* The engine mutates, and wants at most so many bytes. */
void children_start(size_t capacity);
/* How many are to run with the next input: as many as take little time, by how long the last
 * ones took. */
size_t children_count(void);
/* `runs` inputs took so long. */
void children_note_time(size_t runs, uint64_t ms);

/* Sets *ret_bytes to a child, valid until the next call for the same index, and returns its length,
 * within the capacity; 0: there is no parent yet. */
size_t children_make(size_t index, const uint8_t **ret_bytes);
/* An input has shown this behaviour (RUN_COUNTERS counters): it becomes a parent if that is new. A
 * child, then, is for the engine too. */
void children_learn(const uint8_t *bytes, size_t length, const uint8_t *features, bool is_child);
/* Moves the next child for the engine to ret_bytes. Returns its length; 0: none of at most
 * `capacity` bytes waits. */
size_t children_take(uint8_t *ret_bytes, size_t capacity);

#endif
