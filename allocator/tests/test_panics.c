/* SPDX-License-Identifier: MIT */
/* Each misuse that is diagnosed, and a failed assertion, in a child that must abort with exactly
 * this line. */
#include "support.h"

#include "cache.h"
#include "heap_set.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct misuse {
    void *block;
    size_t offset, size, alignment;
};

static void free_it(void *context)
{
    struct misuse *misuse = context;
    anvil_free((char *)misuse->block + misuse->offset);
}

static void free_twice(void *context)
{
    free_it(context);
    free_it(context);
}

static void free_then_resize(void *context)
{
    struct misuse *misuse = context;
    free_it(context);
    (void)anvil_realloc(misuse->block, 128);
}

static void free_then_measure(void *context)
{
    struct misuse *misuse = context;
    free_it(context);
    (void)anvil_malloc_usable_size(misuse->block);
}

static void free_sized(void *context)
{
    struct misuse *misuse = context;
    anvil_free_sized(misuse->block, misuse->size);
}

static void free_aligned_sized(void *context)
{
    struct misuse *misuse = context;
    anvil_free_aligned_sized(misuse->block, misuse->alignment, misuse->size);
}

static void a_double_free_of_a_small_block_is_named(void **state)
{
    (void)state;
    void *keep = anvil_malloc(48);
    struct misuse misuse = {.block = anvil_malloc(48)};
    support_expect_panic(free_twice, &misuse, "free", "double free of a block of 48 bytes");
    anvil_free(keep);
}

static void a_double_free_of_an_extent_is_named(void **state)
{
    (void)state;
    struct misuse misuse = {.block = anvil_malloc(50000)};
    support_expect_panic(free_twice, &misuse, "free", "double free of a block of 50000 bytes");
    support_expect_panic(free_then_resize, &misuse, "realloc", "freed block of 50000 bytes");
    support_expect_panic(free_then_measure, &misuse, "malloc_usable_size",
                         "freed block of 50000 bytes");
}

static void free_and_many_more(void *context)
{
    void *wall = anvil_malloc(50000);
    free_it(context);
    for (int i = 0; i < 80; i++) {
        anvil_free(anvil_malloc(100000)); /* elsewhere: it does not fit there */
        (void)cache_flush();
    }
    anvil_free(wall);
}

static void free_twice_with_many_between(void *context)
{
    free_and_many_more(context);
    free_it(context);
}

static void resize_with_many_between(void *context)
{
    free_and_many_more(context);
    (void)anvil_realloc(((struct misuse *)context)->block, 128);
}

static void a_double_free_long_after_the_free_is_named(void **state)
{
    (void)state;
    struct misuse misuse = {.block = anvil_malloc(50000)};
    support_expect_panic(free_twice_with_many_between, &misuse, "free",
                         "double free: the block was freed and its memory reused or given back");
    support_expect_panic(resize_with_many_between, &misuse, "realloc",
                         "freed block: its memory was reused or given back");
}

static void a_double_free_of_a_mapping_is_named(void **state)
{
    (void)state;
    struct misuse misuse = {.block = anvil_malloc(2 << 20)};
    support_expect_panic(free_twice, &misuse, "free", "double free of a block of 2097152 bytes");
}

static void an_interior_pointer_is_named_in_every_size(void **state)
{
    (void)state;
    struct misuse small = {.block = anvil_malloc(256), .offset = 16};
    struct misuse extent = {.block = anvil_malloc(50000), .offset = 4096};
    struct misuse mapping = {.block = anvil_malloc(8 << 20), .offset = 1 << 20};
    support_expect_panic(free_it, &small, "free",
                         "pointer into the middle of a block of 256 bytes");
    support_expect_panic(free_it, &extent, "free",
                         "pointer into the middle of a block of 50000 bytes");
    support_expect_panic(free_it, &mapping, "free",
                         "pointer into the middle of a block of 8388608 bytes");
}

static void a_misaligned_pointer_is_named(void **state)
{
    (void)state;
    struct misuse small = {.block = anvil_malloc(64), .offset = 8},
                  large = {.block = anvil_malloc(9000), .offset = 1};
    support_expect_panic(free_it, &small, "free",
                         "misaligned pointer: every block is aligned to 16 bytes");
    support_expect_panic(free_it, &large, "free",
                         "misaligned pointer: every block is aligned to 16 bytes");
}

static void foreign_pointers_are_named_and_never_followed(void **state)
{
    (void)state;
    static char object[64];
    char local[64];
    void *own = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *const pointers[] = {
        object, local, own, (void *)0x4141414141414140, (void *)16, (void *)(uintptr_t)free_it};
    for (unsigned i = 0; i < sizeof pointers / sizeof pointers[0]; i++) {
        struct misuse misuse = {.block = pointers[i]};
        support_expect_panic(free_it, &misuse, "free", "not a block of any heap");
    }
}

static void memory_that_was_never_handed_out_is_named(void **state)
{
    (void)state;
    struct misuse misuse = {.block = anvil_malloc(1024), .offset = (size_t)1024 * 8};
    support_expect_panic(free_it, &misuse, "free", "memory of this heap that is not allocated");
}

static void a_block_of_another_heap_is_named(void **state)
{
    (void)state;
    anvil_heap *other = support_heap(ANVIL_SOURCE_MMAP, ANVIL_FIT_BEST);
    struct misuse misuse = {.block = anvil_heap_malloc(other, 100)};
    support_expect_panic(free_it, &misuse, "free", "block of another heap");
    anvil_heap_destroy(other);
}

static void a_wrong_size_is_named(void **state)
{
    (void)state;
    struct misuse small = {.block = anvil_malloc(17), .size = 18},
                  large = {.block = anvil_malloc(10000), .size = SIZE_MAX};
    support_expect_panic(free_sized, &small, "free_sized", "block of 17 bytes freed with size 18");
    support_expect_panic(free_sized, &large, "free_sized",
                         "block of 10000 bytes freed with size 18446744073709551615");
}

static void a_wrong_alignment_is_named(void **state)
{
    (void)state;
    struct misuse aligned = {.block = anvil_aligned_alloc(64, 128), .alignment = 256, .size = 128};
    struct misuse plain = {.block = anvil_malloc(64), .alignment = 64, .size = 64};
    support_expect_panic(free_aligned_sized, &aligned, "free_aligned_sized",
                         "block of alignment 64 freed with alignment 256");
    support_expect_panic(free_aligned_sized, &plain, "free_aligned_sized",
                         "block that was not asked for with an alignment");
    aligned.alignment = 64, aligned.size = 64;
    support_expect_panic(free_aligned_sized, &aligned, "free_aligned_sized",
                         "block of 128 bytes freed with size 64");
    support_expect_panic(free_sized, &aligned, "free_sized",
                         "block of alignment 64 freed without its alignment");
}

static void a_freed_block_is_named_by_realloc_and_usable_size(void **state)
{
    (void)state;
    void *keep = anvil_malloc(90);
    struct misuse misuse = {.block = anvil_malloc(90)};
    support_expect_panic(free_then_resize, &misuse, "realloc", "freed block of 96 bytes");
    support_expect_panic(free_then_measure, &misuse, "malloc_usable_size",
                         "freed block of 96 bytes");
    anvil_free(keep);
}

static void free_in_handler(int signal_number)
{
    anvil_free(anvil_malloc(100));
    (void)signal(signal_number, SIG_DFL);
}

static void panic_with_handler(void *context)
{
    (void)signal(SIGABRT, free_in_handler);
    free_it(context);
}

static void a_handler_of_the_abort_may_allocate(void **state)
{
    (void)state;
    struct misuse misuse = {.block = &misuse};
    support_expect_panic(panic_with_handler, &misuse, "free", "not a block of any heap");
}

static void free_while_being_cancelled(void *context)
{
    (void)pthread_cancel(pthread_self());
    free_it(context);
}

static void a_thread_that_is_being_cancelled_aborts_all_the_same(void **state)
{
    (void)state;
    struct misuse misuse = {.block = &misuse};
    support_expect_panic(free_while_being_cancelled, &misuse, "free", "not a block of any heap");
}

static void fail_an_assertion(void *context)
{
    (void)context;
    sync_lock_acquire(&heap_default()->lock); /* an allocation would wait for ever */
    panic_assertion("some/folder/file.c", 12, "pages > 0");
}

static void fail_elsewhere(void *context)
{
    (void)context;
    panic_assertion("file.c", 7, "true");
}

static void a_failed_assertion_is_named_and_does_not_allocate(void **state)
{
    (void)state;
    char line[300];
    support_run_to_abort(fail_an_assertion, NULL, line, sizeof line);
    assert_string_equal(line, "anvil: file.c:12: assertion failed: pages > 0\n");
    support_run_to_abort(fail_elsewhere, NULL, line, sizeof line);
    assert_string_equal(line, "anvil: file.c:7: assertion failed: true\n");
}

#ifndef NDEBUG
static void release_a_free_lock(void *context)
{
    sync_lock_release(context);
}

static void assertions_are_on_unless_ndebug(void **state)
{
    (void)state;
    char line[300];
    struct sync_lock lock = {SYNC_FREE};
    support_run_to_abort(release_a_free_lock, &lock, line, sizeof line);
    assert_non_null(strstr(line, ": assertion failed: state != SYNC_FREE\n"));
}
#endif

static void grow_until_it_moves(void *context)
{
    struct misuse *misuse = context;
    for (size_t size = misuse->size;; size *= 2) {
        char *moved = anvil_realloc(misuse->block, size);
        if (moved != misuse->block)
            break;
        misuse->size = size; /* the last one that it had there */
    }
    anvil_free(misuse->block);
}

static void a_pointer_from_before_a_mapping_moved_is_named(void **state)
{
    (void)state;
    char line[300];
    struct misuse misuse = {.block = anvil_malloc(2 << 20), .size = 2 << 20};
    void *wall = anvil_malloc(2 << 20);
    support_run_to_abort(grow_until_it_moves, &misuse, line, sizeof line);
    assert_non_null(strstr(line, "double free of a block of "));
    anvil_free(wall);
    anvil_free(misuse.block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_double_free_of_a_small_block_is_named),
        cmocka_unit_test(a_double_free_of_an_extent_is_named),
        cmocka_unit_test(a_double_free_long_after_the_free_is_named),
        cmocka_unit_test(a_double_free_of_a_mapping_is_named),
        cmocka_unit_test(an_interior_pointer_is_named_in_every_size),
        cmocka_unit_test(a_misaligned_pointer_is_named),
        cmocka_unit_test(foreign_pointers_are_named_and_never_followed),
        cmocka_unit_test(memory_that_was_never_handed_out_is_named),
        cmocka_unit_test(a_block_of_another_heap_is_named),
        cmocka_unit_test(a_wrong_size_is_named),
        cmocka_unit_test(a_wrong_alignment_is_named),
        cmocka_unit_test(a_freed_block_is_named_by_realloc_and_usable_size),
        cmocka_unit_test(a_handler_of_the_abort_may_allocate),
        cmocka_unit_test(a_thread_that_is_being_cancelled_aborts_all_the_same),
        cmocka_unit_test(a_failed_assertion_is_named_and_does_not_allocate),
#ifndef NDEBUG
        cmocka_unit_test(assertions_are_on_unless_ndebug),
#endif
        cmocka_unit_test(a_pointer_from_before_a_mapping_moved_is_named),
    };
    return cmocka_run_group_tests_name("panics", tests, NULL, NULL);
}
