/* SPDX-License-Identifier: MIT */
/*
 * Size classes: a block of a slab has one of 80 sizes. Steps of 16 bytes up to 256, then eight
 * classes for each doubling up to 32 KiB, and one more behind each power of two, where the step is
 * longest for its size: above 256 bytes at most a ninth of a block is waste.
 *
 * A block of no bytes has a class of its own, whose slabs nobody may read or write: that finds
 * programs that do.
 *
 * The list below is the only place that names them: bytes of a block, the size of the class before,
 * and the pages of the first slabs of a class and of those that follow. The first slabs are small
 * because most programs need few blocks of most classes; the later ones are those up to 16 pages
 * (32 for the largest blocks) that waste least in pages and in metadata.
 *
 * Run classes: a larger block that a thread may keep for itself is a run of pages of one of 40
 * lengths, again eight for each doubling, up to 1 MiB.
 */
#ifndef ANVIL_SIZE_CLASS_H
#define ANVIL_SIZE_CLASS_H

#include "base.h"

/* X(block size, size of the class before, pages of a first slab, pages of a later slab) */
/* clang-format off */
#define SIZE_CLASS_LIST(X)                                                                      \
    X(16, 0, 3, 7) X(32, 16, 3, 15)X(48, 32, 1, 11) X(64, 48, 3, 15) X(80, 64, 2, 9)            \
    X(96, 80, 1, 11) X(112, 96, 2, 13) X(128, 112, 1, 15) X(144, 128, 3, 16)                    \
    X(160, 144, 3, 9) X(176, 160, 2, 10) X(192, 176, 2, 11) X(208, 192, 2, 12)                  \
    X(224, 208, 2, 13) X(240, 224, 2, 14) X(256, 240, 2, 14) X(272, 256, 1, 15)                 \
    X(288, 272, 1, 16) X(304, 288, 3, 15) X(320, 304, 2, 15) X(352, 320, 2, 16)                 \
    X(384, 352, 2, 9) X(416, 384, 3, 11) X(448, 416, 1, 16) X(480, 448, 2, 12)                  \
    X(512, 480, 1, 13) X(544, 512, 2, 14) X(576, 544, 1, 15) X(640, 576, 3, 15)                 \
    X(704, 640, 3, 16) X(768, 704, 3, 15) X(832, 768, 3, 13) X(896, 832, 2, 16)                 \
    X(960, 896, 4, 15) X(1024, 960, 1, 11) X(1088, 1024, 4, 12) X(1152, 1088, 2, 11)            \
    X(1280, 1152, 1, 10) X(1408, 1280, 3, 11) X(1536, 1408, 2, 15) X(1664, 1536, 3, 13)         \
    X(1792, 1664, 1, 14) X(1920, 1792, 1, 15) X(2048, 1920, 1, 16) X(2176, 2048, 8, 16)         \
    X(2304, 2176, 3, 9) X(2560, 2304, 2, 15) X(2816, 2560, 3, 11) X(3072, 2816, 3, 15)          \
    X(3328, 3072, 5, 13) X(3584, 3328, 1, 14) X(3840, 3584, 1, 15) X(4096, 3840, 1, 16)         \
    X(4352, 4096, 16, 16) X(4608, 4352, 5, 9) X(5120, 4608, 4, 15) X(5632, 5120, 3, 11)         \
    X(6144, 5632, 3, 15) X(6656, 6144, 5, 13) X(7168, 6656, 2, 14) X(7680, 7168, 2, 15)         \
    X(8192, 7680, 2, 16) X(8704, 8192, 15, 17) X(9216, 8704, 5, 9) X(10240, 9216, 5, 15)        \
    X(11264, 10240, 3, 11) X(12288, 11264, 3, 15) X(13312, 12288, 7, 13)                        \
    X(14336, 13312, 4, 14) X(15360, 14336, 4, 15) X(16384, 15360, 4, 16)                        \
    X(17408, 16384, 17, 17) X(18432, 17408, 5, 27) X(20480, 18432, 5, 30)                       \
    X(22528, 20480, 6, 22) X(24576, 22528, 6, 30) X(26624, 24576, 7, 26)                        \
    X(28672, 26624, 7, 28) X(30720, 28672, 8, 30) X(32768, 30720, 8, 32)
/* clang-format on */

/* Numbers the classes in the order of the list. */
#define SIZE_CLASS_NUMBER(bytes, before, first, later) SIZE_CLASS_##bytes,
enum size_class_number {
    SIZE_CLASS_LIST(SIZE_CLASS_NUMBER) /* and, behind those of the list: */
    SIZE_CLASS_NOTHING,                /* blocks of no bytes, each with an address of its own */
    SIZE_CLASS_COUNT
};
#undef SIZE_CLASS_NUMBER

enum {
    SIZE_CLASS_BYTES_MAX = 32768,
    SIZE_CLASS_STEP = 16,           /* of the table below; every class size is a multiple of it */
    SIZE_CLASS_REMAINDER = 1 << 17, /* no slab is longer, and no reciprocal smaller */
};
_Static_assert(SIZE_CLASS_STEP == BLOCK_ALIGNMENT, "every class size keeps a block aligned");

struct size_class {
    /* rounded up 2^32 / bytes: for every offset into a slab, offset * reciprocal >> 32 is the
     * index of the block, and the low half is below the reciprocal exactly at the start of a
     * block (Lemire, Kaser and Kurz, "Faster remainder by direct computation", 2019). It is then
     * at most as long as the slab, so it can be compared with a constant: see below. */
    uint32_t reciprocal;
    uint16_t bytes;
    uint8_t pages_first, pages;
};
extern const struct size_class size_classes[SIZE_CLASS_COUNT];
/* The class of every size, in steps: see size_class_of. */
extern const uint8_t size_class_table[SIZE_CLASS_BYTES_MAX / SIZE_CLASS_STEP + 1];

/* The smallest class whose blocks hold `size` bytes. */
static inline unsigned size_class_of(size_t size)
{
    ASSERT(size <= SIZE_CLASS_BYTES_MAX);
    return size_class_table[(size + SIZE_CLASS_STEP - 1) / SIZE_CLASS_STEP];
}

/* Do slabs serve this request? A slab starts at a page, so no block of it is aligned to more. */
static inline bool size_class_serves(size_t size, size_t alignment)
{
    return size <= SIZE_CLASS_BYTES_MAX && alignment <= PAGE_BYTES;
}

/* Bytes that the user of a block may use. */
static inline size_t size_class_usable(unsigned class_index)
{
    return class_index == SIZE_CLASS_NOTHING ? 0 : size_classes[class_index].bytes;
}

/*
 * The class for a block at a multiple of `alignment`. The size rounded up to the alignment is a
 * multiple of it, and so is the next class size: classes are multiples of an eighth of their power
 * of two, and an alignment above that eighth divides a rounded size that is a class itself.
 */
static inline unsigned size_class_of_aligned(size_t size, size_t alignment)
{
    ASSERT(size_class_serves(size, alignment));
    if (UNLIKELY(size == 0) && alignment <= BLOCK_ALIGNMENT)
        return SIZE_CLASS_NOTHING;
    return size_class_of(size_round_up(size_max(size, 1), size_max(alignment, BLOCK_ALIGNMENT)));
}

/* ---- run classes ---- */

enum {
    RUN_PAGES_BELOW = 8, /* no class has so few pages */
    RUN_PAGES_MAX = 256,
    RUN_BYTES_MAX = RUN_PAGES_MAX << PAGE_SHIFT,
    RUN_CLASS_COUNT = 40,
    RUN_CLASS_NONE = 0xff,
};
_Static_assert(RUN_PAGES_BELOW << PAGE_SHIFT == SIZE_CLASS_BYTES_MAX,
               "the run classes begin where the size classes end");

static inline bool run_class_serves(size_t pages)
{
    return pages - (RUN_PAGES_BELOW + 1) < RUN_PAGES_MAX - RUN_PAGES_BELOW;
}

/* log2 of the step between the classes around this length, which is one of theirs. */
static inline unsigned run_class_shift(size_t pages)
{
    ASSERT(run_class_serves(pages));
    return 60 - (unsigned)__builtin_clzl(pages - 1);
}

/* The smallest class of at least so many pages. */
static inline unsigned run_class_of(size_t pages)
{
    unsigned shift = run_class_shift(pages);
    return shift * 8 + (unsigned)((pages - 1) >> shift) - RUN_PAGES_BELOW;
}

/* The length of that class in pages. */
static inline size_t run_class_round_up(size_t pages)
{
    return size_round_up(pages, (size_t)1 << run_class_shift(pages));
}

#endif
