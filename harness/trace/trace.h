/* SPDX-License-Identifier: MIT */
/*
 * A trace: a list of ops of the malloc family on numbered slots. A slot names one block, or none
 * (the NULL of a failed call).
 *
 * Three forms, loss-free between each other:
 *   bytes   fixed 4-byte records, what a fuzzing engine mutates          trace_bytes.c,
 *           trace_codes.c
 *   ops     struct trace_op, what runs                                   this header
 *   text    one op a line, what a person reads, reviews and commits      trace_text.c,
 *           trace_number.c
 *
 * Well-formed, by a count of live slots that assumes every call succeeds: an allocating op names a
 * dead slot, every other op that takes a slot names a live one. trace_normalize makes any list
 * well-formed; decoding bytes does so by the way, so every byte string is a trace. At run time a
 * call may fail: its slot is then live with the block NULL, and later ops on it pass NULL where
 * that is allowed.
 *
 * No function here allocates or touches errno; all are pure and may run in any thread.
 */
#ifndef HARNESS_TRACE_H
#define HARNESS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_RECORD_SIZE = 4,
    TRACE_NARROW_SLOTS = 256,                    /* slots that a record names without a prefix */
    TRACE_SLOTS = 1 << 16,                       /* slots that a trace may use */
    TRACE_OPS_MAX = 1 << 20,                     /* ops that a trace may have */
    TRACE_OP_BYTES_MAX = 12 * TRACE_RECORD_SIZE, /* one encoded op with all its prefixes */
    TRACE_LINE_MAX = 160                         /* one op as text, newline and NUL included */
};

/* What an op takes and does, as bits. */
enum op_trait {
    OP_ALLOCATES = 1 << 0,     /* its slot was dead and is live afterwards */
    OP_USES = 1 << 1,          /* its slot is live and stays so */
    OP_FREES = 1 << 2,         /* its slot was live and is dead afterwards */
    OP_HAS_SIZE = 1 << 3,      /* takes `size` */
    OP_HAS_COUNT = 1 << 4,     /* `extra` is the first factor of a product, size the second */
    OP_HAS_ALIGNMENT = 1 << 5, /* `extra` is the alignment, in bytes, valid or not */
    OP_HAS_NUMBER = 1 << 6,    /* takes no size; `extra` is a plain number, 0..65535 */
    OP_PASSES_NULL = 1 << 7,   /* passes NULL where its function takes a block */
    OP_ZEROES = 1 << 8,        /* every byte of its block is 0 */
    OP_RETURNS_ERROR = 1 << 9, /* returns an errno, and the block through an out-parameter */
    OP_IS_PAGED = 1 << 10,     /* its block begins on a page */
    OP_WANTS_EVEN = 1 << 11,   /* may refuse a size that is no multiple of the alignment */
    OP_IS_EXTENSION = 1 << 12, /* of no standard: manuals say only that a failure sets errno */
    OP_PASSES_TOKEN = 1 << 13, /* the ops behind it run in another thread, or this thread ends */

    OP_TAKES_SLOT = OP_ALLOCATES | OP_USES | OP_FREES,
    OP_TAKES_EXTRA = OP_HAS_COUNT | OP_HAS_ALIGNMENT | OP_HAS_NUMBER
};

/* Which frees may take the block that an op makes; of a free, which blocks it may take. The
 * standard lets free_sized and its sibling take only blocks of their own kind. */
enum op_pairing {
    PAIRS_NONE,          /* the op neither makes nor frees a block, or only free may take it */
    PAIRS_ANY,           /* free: takes every block */
    PAIRS_SIZED,         /* malloc, calloc, realloc and so on: free_sized may take it */
    PAIRS_ALIGNED_SIZED, /* aligned_alloc: free_aligned_sized may take it */
};

/* Register once: name in code, name in text, the C function that it calls (none: it calls none),
 * traits, pairing. The order is the byte opcode. */
#define TRACE_OPS(OP)                                                                           \
    OP(MALLOC, "malloc", malloc, OP_ALLOCATES | OP_HAS_SIZE, PAIRS_SIZED)                       \
    OP(FREE, "free", free, OP_FREES, PAIRS_ANY)                                                 \
    OP(REALLOC, "realloc", realloc, OP_USES | OP_HAS_SIZE, PAIRS_SIZED)                         \
    OP(CALLOC, "calloc", calloc, OP_ALLOCATES | OP_HAS_COUNT | OP_HAS_SIZE | OP_ZEROES,         \
       PAIRS_SIZED)                                                                             \
    OP(REALLOCARRAY, "reallocarray", reallocarray, OP_USES | OP_HAS_COUNT | OP_HAS_SIZE,        \
       PAIRS_SIZED)                                                                             \
    OP(ALIGNED_ALLOC, "aligned_alloc", aligned_alloc,                                           \
       OP_ALLOCATES | OP_HAS_ALIGNMENT | OP_HAS_SIZE | OP_WANTS_EVEN, PAIRS_ALIGNED_SIZED)      \
    OP(POSIX_MEMALIGN, "posix_memalign", posix_memalign,                                        \
       OP_ALLOCATES | OP_HAS_ALIGNMENT | OP_HAS_SIZE | OP_RETURNS_ERROR, PAIRS_NONE)            \
    OP(MEMALIGN, "memalign", memalign,                                                          \
       OP_ALLOCATES | OP_HAS_ALIGNMENT | OP_HAS_SIZE | OP_IS_EXTENSION, PAIRS_NONE)             \
    OP(VALLOC, "valloc", valloc, OP_ALLOCATES | OP_HAS_SIZE | OP_IS_PAGED | OP_IS_EXTENSION,    \
       PAIRS_NONE)                                                                              \
    OP(PVALLOC, "pvalloc", pvalloc, OP_ALLOCATES | OP_HAS_SIZE | OP_IS_PAGED | OP_IS_EXTENSION, \
       PAIRS_NONE)                                                                              \
    OP(FREE_SIZED, "free_sized", free_sized, OP_FREES, PAIRS_SIZED)                             \
    OP(FREE_ALIGNED_SIZED, "free_aligned_sized", free_aligned_sized, OP_FREES,                  \
       PAIRS_ALIGNED_SIZED)                                                                     \
    OP(USABLE_SIZE, "malloc_usable_size", malloc_usable_size, OP_USES, PAIRS_NONE)              \
    OP(REALLOC_NULL, "realloc NULL", realloc, OP_ALLOCATES | OP_HAS_SIZE | OP_PASSES_NULL,      \
       PAIRS_SIZED)                                                                             \
    OP(REALLOCARRAY_NULL, "reallocarray NULL", reallocarray,                                    \
       OP_ALLOCATES | OP_HAS_COUNT | OP_HAS_SIZE | OP_PASSES_NULL, PAIRS_SIZED)                 \
    OP(FREE_NULL, "free NULL", free, OP_PASSES_NULL, PAIRS_ANY)                                 \
    OP(TRIM, "malloc_trim", malloc_trim, OP_HAS_NUMBER, PAIRS_NONE)                             \
    OP(SWEEP, "sweep", none, 0, PAIRS_NONE)                                                     \
    OP(THREAD, "thread", none, OP_HAS_NUMBER | OP_PASSES_TOKEN, PAIRS_NONE)                     \
    OP(FAIL_OS, "fail-os", none, OP_HAS_NUMBER, PAIRS_NONE)                                     \
    OP(FORK, "fork", none, 0, PAIRS_NONE)                                                       \
    OP(THREAD_EXIT, "thread-exit", none, OP_HAS_NUMBER | OP_PASSES_TOKEN, PAIRS_NONE)           \
    OP(SBRK, "sbrk", none, OP_HAS_NUMBER, PAIRS_NONE)

enum op_kind {
#define OP(id, text, function, traits, pairing) OP_##id,
    TRACE_OPS(OP)
#undef OP
        OP_KINDS
};

/* How trace_op.size is meant. */
enum size_base {
    SIZE_EXACT, /* bytes */
    /* requested size of the live slot size_slot, plus size (two's complement delta, -16..15) */
    SIZE_REQUESTED,
    SIZE_USABLE /* observed usable size of that slot, plus size likewise */
};

struct trace_op {
    uint8_t kind;       /* enum op_kind */
    uint8_t size_base;  /* enum size_base */
    uint16_t reserved;  /* 0, so that ops compare with memcmp */
    uint32_t slot;      /* < TRACE_SLOTS; 0 for ops without a slot */
    uint32_t size_slot; /* < TRACE_SLOTS; 0 unless size_base is not SIZE_EXACT */
    uint32_t reserved2; /* 0 */
    uint64_t size;      /* see size_base; 0 for ops without a size */
    uint64_t extra;     /* count, alignment or number by traits; else 0 */
};
_Static_assert(sizeof(struct trace_op) == 32, "shared between processes");

struct trace {
    struct trace_op *ops; /* caller's storage */
    size_t count;
    size_t capacity;
};

/* What the table says of a kind below OP_KINDS: traits, pairing and text name. */
extern const uint16_t op_traits[OP_KINDS];
static inline unsigned trace_op_traits(enum op_kind kind)
{
    return op_traits[kind];
}
const char *trace_op_name(enum op_kind kind);
/* Whether the function of a freeing op may take a block that an op of kind `maker` made. */
bool trace_op_may_free(enum op_kind kind, enum op_kind maker);

/* Whether the op's function must accept the alignment; true of one that takes none. */
bool trace_op_is_alignment_valid(const struct trace_op *op);
/* An alignment that the function's manual rules out (memalign's must be a power of two): the
 * allocator may do anything, so a run makes no such call. The standards' functions must fail. */
bool trace_op_is_undefined(const struct trace_op *op);
/* Bytes that an op asks for; UINT64_MAX if the product overflows, or if only a run can tell. */
uint64_t trace_op_total(const struct trace_op *op);

/* Processor time that a sound allocator may spend on the bytes of one block, if it copies or clears
 * those of the largest that the first `count` ops ask for; of a product that wraps, what it wraps
 * to. */
uint32_t trace_touch_ms(const struct trace *trace, size_t count);

/* Bit per enum op_kind that occurs in the trace. */
uint32_t trace_kinds(const struct trace *trace);

/* The set of live slots, as normalising, decoding and mutating track it. Zero-initialised: nothing
 * live. More of it: trace_slots.h. */
struct slot_set {
    uint64_t live[TRACE_SLOTS / 64];
    /* bit w: live[w] is not 0; where it is clear, nobody reads live[w] */
    uint64_t occupied[TRACE_SLOTS / 64 / 64];
    size_t count;
};
/* Has op's effect on the set: 0, or a sentence (static, no full stop) why op is not well-formed
 * there; the set is then unchanged. */
const char *slot_set_apply(struct slot_set *set, const struct trace_op *op);

enum normalize_mode {
    /* a bad slot moves to the next that fits, cyclic; what fits nowhere is dropped (decoding,
     * mutation) */
    NORMALIZE_RETARGET,
    NORMALIZE_DROP /* a badly slotted op is dropped (shrinking) */
};
/* Makes a trace well-formed in place; also zeroes unused fields. */
void trace_normalize(struct trace *trace, enum normalize_mode mode);

/* Bytes to ops; total: never fails. A trailing partial record is ignored, ops beyond capacity are
 * left out. */
void trace_decode(const uint8_t *bytes, size_t length, struct trace *ret_trace);
/* Ops to canonical bytes: returns the length needed, writes nothing if that exceeds capacity.
 * encode ∘ decode is idempotent, decode ∘ encode is the identity on well-formed traces. */
size_t trace_encode(const struct trace *trace, uint8_t *ret_bytes, size_t capacity);

/* One op as text, no newline. Returns its length, always below TRACE_LINE_MAX. */
size_t trace_format_op(const struct trace_op *op, char ret_line[TRACE_LINE_MAX]);
/* Whole trace as text: returns the length needed (NUL not counted), writes only what fits, always
 * ends it with NUL if capacity > 0. */
size_t trace_format(const struct trace *trace, char *ret_text, size_t capacity);
/* Text to ops. Returns 0, or EINVAL / ENOSPC (more ops than capacity) with the 1-based line and one
 * sentence in ret_error; the trace's count is then unchanged, its storage is not. */
struct trace_error {
    size_t line;
    char sentence[160];
};
int trace_parse(const char *text, size_t length, struct trace *ret_trace,
                struct trace_error *ret_error);

#endif
