/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <errno.h>
#include <string.h>

static anvil_heap *heap;

static void check_grid(void)
{
    for (size_t alignment = 1; alignment <= (size_t)1 << 22; alignment *= 2) {
        const size_t sizes[] = {0,
                                1,
                                alignment / 2,
                                alignment - 1,
                                alignment,
                                alignment + 1,
                                2 * alignment,
                                3 * alignment};
        void *held[8];
        for (unsigned i = 0; i < 8; i++) {
            held[i] = anvil_heap_aligned_alloc(heap, alignment, sizes[i]);
            assert_non_null(held[i]);
            assert_int_equal((uintptr_t)held[i] % alignment, 0);
            assert_int_equal((uintptr_t)held[i] % 16, 0);
            memset(held[i], 0x77, sizes[i]);
        }
        support_check(heap);
        for (unsigned i = 0; i < 8; i++)
            anvil_heap_free_aligned_sized(heap, held[i], alignment, sizes[i]);
    }
}

static void every_source_honours_every_alignment(void **state)
{
    (void)state;
    heap = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    check_grid();
    anvil_heap_destroy(heap);
    heap = support_heap(ANVIL_SOURCE_SBRK, ANVIL_FIT_FIRST);
    check_grid();
    anvil_heap_destroy(heap);
    heap = support_arena_heap((size_t)256 << 20, ANVIL_FIT_NEXT);
    check_grid();
    anvil_heap_destroy(heap);
}

static void an_alignment_that_is_no_power_of_two_is_invalid(void **state)
{
    (void)state;
    const size_t alignments[] = {0, 3, 24, 100, SIZE_MAX, ((size_t)1 << 63) + 1};
    for (int i = 0; i < 6; i++) {
        errno = 0;
        assert_null(anvil_aligned_alloc(alignments[i], 64));
        assert_int_equal(errno, EINVAL);
    }
}

static void memalign_rounds_an_odd_alignment_up(void **state)
{
    (void)state;
    const size_t alignments[] = {0, 1, 3, 24, 100, 5000}, granted[] = {16, 16, 16, 32, 128, 8192};
    for (int i = 0; i < 6; i++) {
        void *block = anvil_memalign(alignments[i], 64);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % granted[i], 0);
        anvil_free(block);
    }
    errno = 0;
    assert_null(anvil_memalign(((size_t)1 << 63) + 1, 64));
    assert_int_equal(errno, EINVAL);
}

static void an_absurd_alignment_fails_with_enomem(void **state)
{
    (void)state;
    for (unsigned shift = 47; shift < 64; shift++) {
        errno = 0;
        assert_null(anvil_aligned_alloc((size_t)1 << shift, 64));
        assert_int_equal(errno, ENOMEM);
        errno = 0;
        assert_null(anvil_aligned_alloc((size_t)1 << shift, SIZE_MAX - 4095));
        assert_int_equal(errno, ENOMEM);
    }
}

static void posix_memalign_reports_by_its_result_only(void **state)
{
    (void)state;
    void *const untouched = &heap;
    void *block = untouched;
    errno = 7777;
    assert_int_equal(anvil_posix_memalign(&block, 0, 8), EINVAL);
    assert_int_equal(anvil_posix_memalign(&block, 4, 8), EINVAL);
    assert_int_equal(anvil_posix_memalign(&block, 24, 8), EINVAL);
    assert_int_equal(anvil_posix_memalign(&block, 64, SIZE_MAX - 64), ENOMEM);
    assert_ptr_equal(block, untouched);
    assert_int_equal(anvil_posix_memalign(&block, 64, 100), 0);
    assert_int_equal((uintptr_t)block % 64, 0);
    assert_int_equal(errno, 7777);
    anvil_free_aligned_sized(block, 64, 100);
}

static void valloc_and_pvalloc_give_pages(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 4096, 4097};
    for (int i = 0; i < 4; i++) {
        void *block = anvil_valloc(sizes[i]), *whole = anvil_pvalloc(sizes[i]);
        assert_int_equal((uintptr_t)block % PAGE_BYTES, 0);
        assert_int_equal((uintptr_t)whole % PAGE_BYTES, 0);
        assert_true(anvil_malloc_usable_size(whole) >= size_round_up(sizes[i], PAGE_BYTES));
        anvil_free(block);
        anvil_free(whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_source_honours_every_alignment),
        cmocka_unit_test(an_alignment_that_is_no_power_of_two_is_invalid),
        cmocka_unit_test(memalign_rounds_an_odd_alignment_up),
        cmocka_unit_test(an_absurd_alignment_fails_with_enomem),
        cmocka_unit_test(posix_memalign_reports_by_its_result_only),
        cmocka_unit_test(valloc_and_pvalloc_give_pages),
    };
    return cmocka_run_group_tests_name("aligned", tests, NULL, NULL);
}
