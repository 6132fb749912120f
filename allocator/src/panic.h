/* SPDX-License-Identifier: MIT */
/*
 * The caller's bugs that anvil recognises, each with its one text. A line reads
 *
 *     anvil: free(0x7f0012345670): double free of a block of 48 bytes
 *
 * Tests match these texts: they stand in this table and nowhere else.
 */
#ifndef ANVIL_PANIC_H
#define ANVIL_PANIC_H

#include "base.h"

/* name, text; the text gets two numbers: the size at stake, and what the caller gave. */
#define FAULT_LIST(X)                                                                           \
    X(DOUBLE_FREE, "double free of a block of %zu bytes")                                       \
    X(DOUBLE_FREE_GONE, "double free: the block was freed and its memory reused or given back") \
    X(INTERIOR, "pointer into the middle of a block of %zu bytes")                              \
    X(MISALIGNED, "misaligned pointer: every block is aligned to 16 bytes")                     \
    X(NOT_ALLOCATED, "memory of this heap that is not allocated")                               \
    X(FOREIGN, "not a block of any heap")                                                       \
    X(OTHER_HEAP, "block of another heap")                                                      \
    X(WRONG_SIZE, "block of %zu bytes freed with size %zu")                                     \
    X(WRONG_ALIGNMENT, "block of alignment %zu freed with alignment %zu")                       \
    X(NOT_ALIGNED_BLOCK, "block that was not asked for with an alignment")                      \
    X(IS_ALIGNED_BLOCK, "block of alignment %zu freed without its alignment")                   \
    X(NEW_DELETED_AS_ARRAY, "block of %zu bytes from new, which delete[] does not free")        \
    X(NEW_ARRAY_DELETED, "block of %zu bytes from new[], which delete does not free")           \
    X(OVERFLOW, "write past the end of a block of %zu bytes")                                   \
    X(WRITE_AFTER_FREE, "write to freed memory of %zu bytes")                                   \
    X(USE_AFTER_FREE, "freed block of %zu bytes")                                               \
    X(USE_AFTER_FREE_GONE, "freed block: its memory was reused or given back")

#define FAULT_NAME(name, text) FAULT_##name,
enum fault_kind { FAULT_NONE, FAULT_LIST(FAULT_NAME) FAULT_COUNT };
#undef FAULT_NAME

struct fault {
    enum fault_kind kind;
    size_t size, given; /* the numbers of the text, as far as it has any */
};

/* Writes the line to stderr and aborts. Call it without a lock: a handler of SIGABRT may
 * allocate. */
_Noreturn void panic_fault(const char *function, const void *block, const struct fault *fault);
/* The bare text of a fault, format directives included. */
const char *panic_text(enum fault_kind kind);

#endif
