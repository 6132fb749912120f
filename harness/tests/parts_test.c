/* SPDX-License-Identifier: MIT */
/*
 * The functions that exported programs are made of (harness/program/parts), compiled here as one
 * source, as in a program that needs them all. Each reports a heap that is wrong by status 1 and a
 * line on stderr, and lets a heap that is right pass.
 */
#include "harness/subject/subject.h"

#include <dlfcn.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What a program has of its own. */
enum { CHILD_BLOCKS = 2, CHILD_RESIZED = 1, BLOCKS = 2 + CHILD_BLOCKS };

#define CALL(name, result, parameters) static result(*volatile do_##name) parameters;
CALL(malloc, void *, (size_t size))
CALL(free, void, (void *block))
CALL(realloc, void *, (void *block, size_t size))
CALL(posix_memalign, int, (void **block, size_t alignment, size_t size))
CALL(free_sized, void, (void *block, size_t size))
CALL(free_aligned_sized, void, (void *block, size_t alignment, size_t size))
CALL(mallet_subject_check, int, (char *sentence, size_t capacity))
#undef CALL
static void cycle(void);

#define WITH_BREAK
#define WITH_FAULTS
#define WITH_LARGE
#define WITH_OVERLAP
#define WITH_STABLE
#define WITH_UNTOUCHED

/* Each uses those before it. */
/* clang-format off */
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "harness/program/parts/faults.c"
#include "harness/program/parts/threads.c"
#include "harness/program/parts/usable.c"
#include "harness/program/parts/calls.c"
#include "harness/program/parts/break.c"
#include "harness/program/parts/blocks.c"
#include "harness/program/parts/fork.c"
#include "harness/program/parts/cycles.c"
#include "harness/program/parts/ends.c"
/* NOLINTEND(bugprone-suspicious-include) */
/* clang-format on */

/* Runs a function in a child and returns its exit status, with what it says on stderr. */
static int run(void (*function)(void), char ret_said[200])
{
    int ends[2], status = 0;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL); /* a child that calls exit shall not write it again */
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        function();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t more; (more = read(ends[0], ret_said + length, 199 - length)) > 0;)
        length += (size_t)more;
    ret_said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void passes(void (*function)(void))
{
    char said[200];
    int status = run(function, said);
    if (status != 0)
        fail_msg("status %d: %s", status, said);
}

static void fails(void (*function)(void), const char *sentence)
{
    char said[200];
    int status = run(function, said);
    if (status != 1 || strstr(said, sentence) == NULL)
        fail_msg("status %d instead of 1 with `%s`: %s", status, sentence, said);
}

/* ---- blocks ---- */

static void live_whole(void)
{
    take(0, do_malloc(100), 100);
    take(1, do_malloc(3 << 20), 3 << 20);
    move(0, do_realloc(hold(0), 5000), 5000);
    take(2, zeroed(calloc(3, 7), 21), times(3, 7));
    take(3, posix(64, 10), 10);
    do_free(drop(0));
    do_free(drop(1));
    release_sized(drop(2), 21);
    release_aligned_sized(drop(3), 64, 10);
}

static void spoil_byte(void)
{
    take(0, do_malloc(100), 100);
    p[0][99] ^= 1;
    hold(0);
}

static void lose_prefix(void)
{
    take(0, do_malloc(100), 100);
    move(0, calloc(1, 200), 200);
}

static void spoil_kept_block(void)
{
    take(0, do_malloc(100), 100);
    p[0][5] ^= 1;
    move(0, NULL, 200);
}

static void overlap(void)
{
    void *block = do_malloc(100);
    take(0, block, 100);
    take(1, block, 10);
}

static void clear_badly(void)
{
    char *block = calloc(10, 10);
    block[70] = 1;
    zeroed(block, 100);
}

static void change_usable(void)
{
    take(0, do_malloc(100), 100);
    filled[0]++;
    hold(0);
}

static void blocks_are_filled_and_verified(void **state)
{
    (void)state;
    passes(live_whole);
    fails(spoil_byte, "block 0 of 100 bytes: byte 99 must be");
    fails(lose_prefix, "byte 0 must be");
    fails(spoil_kept_block, "byte 5 must be");
    fails(overlap, "intersects live block 0");
    fails(clear_badly, "calloc of 100 bytes: byte 70 must be 0");
    fails(change_usable, "malloc_usable_size of block 0 was");
}

static void large_blocks_are_verified_at_both_ends_and_between(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20 };
    size_t visits = 0, last = 0;
    for (size_t at = 0; at < SIZE; at = next(at, SIZE), visits++) {
        assert_true(at < 4096 || at - last <= SIZE / 1024);
        last = at;
    }
    assert_int_equal(last, SIZE - 1);
    assert_in_range(visits, 2 * 4096, 2 * 4096 + 1024);
}

/* ---- calls ---- */

static int fail_and_write(void **block, size_t alignment, size_t size)
{
    *block = (void *)(alignment + size);
    return 12;
}

static int succeed_without_writing(void **block, size_t alignment, size_t size)
{
    (void)block, (void)alignment, (void)size;
    return 0;
}

static void fail_badly(void)
{
    do_posix_memalign = fail_and_write;
    posix(16, 1);
}

static void succeed_badly(void)
{
    do_posix_memalign = succeed_without_writing;
    posix(16, 1);
}

static int find_damage(char *sentence, size_t capacity)
{
    snprintf(sentence, capacity, "a bin is broken");
    return 1;
}

static void walk_damaged(void)
{
    walk(); /* nothing to walk with */
    do_mallet_subject_check = find_damage;
    walk();
}

static size_t sized_total;

static void note_sized(void *block, size_t size)
{
    sized_total += size;
    free(block);
}

static void note_aligned_sized(void *block, size_t alignment, size_t size)
{
    sized_total += alignment + size;
    free(block);
}

static void calls_are_judged_by_their_answers(void **state)
{
    (void)state;
    fails(fail_badly, "failed with 12 and wrote");
    fails(succeed_badly, "left its out-parameter unset");
    fails(walk_damaged, "walker: a bin is broken");
    do_free_sized = note_sized;
    do_free_aligned_sized = note_aligned_sized;
    release_sized(malloc(10), 10);
    release_aligned_sized(malloc(10), 64, 10);
    do_free_sized = NULL;
    do_free_aligned_sized = NULL;
    assert_int_equal(sized_total, 10 + 64 + 10);
    assert_true(times(SIZE_MAX, 2) == SIZE_MAX);
    assert_int_equal(is_own((void *)malloc), 1);
    assert_int_equal(is_own((void *)run), 0);
}

/* ---- the system ---- */

static bool can_map(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && munmap(page, 4096) == 0;
}

static void refuse_when_told(void)
{
    watch_os();
    fail_os(3); /* the call after a map and its unmap; then the one after that */
    fail_os(1);
    bool is_right = can_map() && !can_map() && !can_map() && can_map() && failed == 2;
    fail_os(1);
    fail_os(0);
    if (!is_right || !can_map())
        FAIL("refused at the wrong time, %u in all\n", failed);
}

static pthread_t seen[3];
static int part_count;

static void note_thread(void)
{
    seen[part_count++] = pthread_self();
}

static void pass_token(void)
{
    watch_os();
    fail_os(1); /* not for the system calls of a thread's start and end */
    run_in(1, note_thread);
    run_in(0, note_thread);
    end_thread(1);
    end_thread(2);
    run_in(1, note_thread);
    bool is_right = part_count == 3 && !pthread_equal(seen[0], seen[1]) &&
                    pthread_equal(seen[1], pthread_self()) && failed == 0 && !can_map();
    if (!is_right)
        FAIL("%d parts, %u calls refused\n", part_count, failed);
}

static void visit(void)
{
    take(0, do_malloc(100), 100);
    visit_in_child();
    hold(0);
}

static void *resize_without_copy(void *block, size_t size)
{
    (void)block;
    return calloc(1, size);
}

static void visit_badly(void)
{
    do_realloc = resize_without_copy;
    visit();
}

static void resize_no_more_than_a_run_does(void)
{
    take(0, do_malloc(100), 100);
    take(1, do_malloc(100), 100);
    resize_inherited();
    if (n[0] != 250 || n[1] != 100)
        FAIL("%zu and %zu bytes\n", n[0], n[1]);
}

static void share_break(void)
{
    move_break(0, 100);
    move_break(0, 100); /* a second cycle: once is enough */
    verify_break();
    take(0, do_malloc(1000), 1000);
    verify_break();
    if (foreign_bytes[0] != 100 || foreign_memory[1] != NULL)
        FAIL("%zu bytes taken\n", foreign_bytes[0]);
}

static void spoil_break(void)
{
    share_break();
    foreign_memory[0][42] ^= 1;
    verify_break();
}

static void hand_break_out(void)
{
    share_break();
    keep_off(foreign_memory[0] - 10, 20);
}

static void lower_break(void)
{
    share_break();
    brk(foreign_memory[0]);
    verify_break();
}

static void what_another_user_of_the_break_got_is_its_own(void **state)
{
    (void)state;
    passes(share_break);
    fails(spoil_break, "byte 42 of 100 that another user of sbrk got");
    fails(hand_break_out, "intersects 100 bytes");
    fails(lower_break, "the program break fell to");
}

static void threads_forks_and_refusals_are_those_of_the_trace(void **state)
{
    (void)state;
    passes(refuse_when_told);
    passes(pass_token);
    passes(visit);
    fails(visit_badly, "byte 0 must be");
    passes(resize_no_more_than_a_run_does);
}

/* ---- cycles and ends ---- */

static size_t lost_in_a_cycle;

static void cycle(void)
{
    void *block = do_malloc(lost_in_a_cycle + 100);
    memset(block, 1, lost_in_a_cycle + 100);
    if (lost_in_a_cycle == 0)
        do_free(block);
}

static void go_in_cycles(void)
{
    watch_cycles(1 << 13, 512, (uint64_t)1 << 20);
}

static void leak_in_cycles(void)
{
    lost_in_a_cycle = 8192;
    watch_cycles(1 << 13, 512, (uint64_t)1 << 20);
}

static void leak_in_few_cycles(void)
{
    lost_in_a_cycle = 8192;
    watch_cycles(1 << 10, 512, (uint64_t)1 << 20);
}

static void end_early(void)
{
    atexit(check_done);
    exit(0);
}

static void end_done(void)
{
    is_done = 1;
    atexit(check_done);
    exit(0);
}

static void take_too_long(void)
{
    give_up(SIGALRM);
}

static void growth_and_early_ends_are_told(void **state)
{
    (void)state;
    char said[200];
    passes(go_in_cycles);
    assert_int_equal(run(leak_in_few_cycles, said), 2);
    fails(leak_in_cycles, "2048 cycles that free everything grew memory");
    fails(end_early, "a call ended the process");
    passes(end_done);
    fails(take_too_long, "did not return within 10 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_filled_and_verified),
        cmocka_unit_test(large_blocks_are_verified_at_both_ends_and_between),
        cmocka_unit_test(calls_are_judged_by_their_answers),
        cmocka_unit_test(what_another_user_of_the_break_got_is_its_own),
        cmocka_unit_test(threads_forks_and_refusals_are_those_of_the_trace),
        cmocka_unit_test(growth_and_early_ends_are_told),
    };
    do_malloc = malloc;
    do_free = free;
    do_realloc = realloc;
    do_posix_memalign = posix_memalign;
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
