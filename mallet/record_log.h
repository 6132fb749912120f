/* SPDX-License-Identifier: MIT */
/*
 * The log that the recorder library, inside the recorded program, shares with `mallet record`: a
 * header and fixed records in one mapped file. Writers take a record by an atomic index, fill it
 * and set its kind last; a record of kind 0 was never finished.
 *
 * A block's end is logged before the real call and its beginning after it, so that by the log's
 * order no two live blocks share an address, whatever the threads do. realloc is both: its two
 * records frame the call.
 */
#ifndef MALLET_RECORD_LOG_H
#define MALLET_RECORD_LOG_H

#include <stdint.h>

/* Environment of the recorded program: where the log is, and whose child writes it (its own
 * children inherit the variables, not the role). */
#define RECORD_FILE_VARIABLE   "MALLET_RECORD_FILE"
#define RECORD_PARENT_VARIABLE "MALLET_RECORD_PARENT"

#define RECORD_MAGIC 0x31676f6c74656c6cu /* "lletlog1" */

enum record_kind {
    RECORD_UNFINISHED,
    RECORD_ALLOCATE,   /* after the call; op: enum op_kind */
    RECORD_FREE,       /* before the call */
    RECORD_MOVE_BEGIN, /* before a realloc or reallocarray of old */
    RECORD_MOVE_END,   /* after it */
    RECORD_NEW_PROGRAM /* exec: all blocks are gone */
};

struct record {
    uint32_t kind;   /* enum record_kind; written last, with release order */
    uint32_t thread; /* the system's number of it */
    uint32_t op;     /* enum op_kind */
    uint32_t reserved;
    uint64_t block; /* result, or the block freed */
    uint64_t old;   /* of a move */
    uint64_t size;
    uint64_t extra; /* count or alignment */
};
_Static_assert(sizeof(struct record) == 48, "shared between processes");

struct record_log {
    uint64_t magic;
    uint64_t capacity; /* records that fit */
    uint64_t taken;    /* records asked for, beyond capacity too; atomic */
    uint64_t reserved[5];
    struct record records[];
};

#endif
