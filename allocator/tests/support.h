/* SPDX-License-Identifier: MIT */
/* What the tests of all layers share: cmocka with its includes in the right order, arenas, heaps on
 * them, and children that must abort. */
#ifndef ANVIL_TESTS_SUPPORT_H
#define ANVIL_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "anvil.h"
#include "base.h"

/* A fresh, zeroed, page-aligned region. Unmapped by the end of the process. */
char *support_arena(size_t size);
anvil_heap *support_arena_heap(size_t arena_size, enum anvil_fit fit);
anvil_heap *support_heap(enum anvil_source source, enum anvil_fit fit);
/* Fails the test with the checker's own words if the heap is not whole. */
void support_check(anvil_heap *heap);

void support_fill(void *block, size_t size, unsigned key);
bool support_is_filled(const void *block, size_t size, unsigned key);
bool support_is_zero(const void *block, size_t size);

/* Runs act(context) in a child, which must die of SIGABRT. `line` gets what it wrote to stderr. */
void support_run_to_abort(void (*act)(void *context), void *context, char *line, size_t line_size);
/* The same for a misuse: the child must have written exactly "anvil: FUNCTION(0x…): TEXT\n". */
void support_expect_panic(void (*act)(void *context), void *context, const char *function,
                          const char *text);

#endif
