/* SPDX-License-Identifier: MIT */
/*
 * mallopt, and the environment variables that correspond to it. Its parameters tune glibc's heap. A
 * replacement may accept and ignore them, which is recorded; it must not misreport a parameter that
 * it accepts, and no parameter may break it.
 */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>

/* M_MXFAST and so on, which not every <malloc.h> has. */
enum {
    SET_MXFAST = 1,
    SET_TRIM_THRESHOLD = -1,
    SET_TOP_PAD = -2,
    SET_MMAP_THRESHOLD = -3,
    SET_MMAP_MAX = -4,
    SET_CHECK_ACTION = -5,
    SET_PERTURB = -6,
    SET_ARENA_TEST = -7,
    SET_ARENA_MAX = -8
};

PROCESS_PROBE(mallopt_says_one_or_zero_and_keeps_errno, "GLIBC-mallopt-1", NEEDS(mallopt))
{
    static const int calls_to_make[][2] = {{SET_TRIM_THRESHOLD, 1 << 20},
                                           {SET_MXFAST, 64},
                                           {SET_MXFAST, 1 << 20},
                                           {SET_MMAP_THRESHOLD, -1}};
    for (size_t i = 0; i < COUNT(calls_to_make); i++) {
        int parameter = calls_to_make[i][0], value = calls_to_make[i][1];
        CATCH_ERRNO(after, int result = mallopt(parameter, value));
        EXPECT(result == 0 || result == 1, "mallopt(%d, %d): expected 1 or 0, observed %d",
               parameter, value, result);
        EXPECT_UNTOUCHED(after, "mallopt(%d, %d)", parameter, value);
        int expected = parameter != SET_MXFAST || value == 64;
        EXPECT(result == expected || parameter == SET_MMAP_THRESHOLD || !is_libc_malloc(),
               "mallopt(%d, %d): expected %d, observed %d", parameter, value, expected, result);
    }
    return PASS;
}

PROCESS_PROBE(largest_fast_size_has_a_range, "GLIBC-mallopt-2", NEEDS(mallopt))
{
    enum { LARGEST = 80 * sizeof(size_t) / 4 };
    int least = mallopt(SET_MXFAST, 0), most = mallopt(SET_MXFAST, LARGEST),
        beyond = mallopt(SET_MXFAST, LARGEST + 1);
    if (least == most && most == beyond && (least == 0 || least == 1) && !is_libc_malloc())
        return RECORDED("mallopt(M_MXFAST, 0), (.., %d) and (.., %d): expected 1, 1 and 0, "
                        "observed %d for any: a replacement may ignore it",
                        (int)LARGEST, (int)LARGEST + 1, least);
    EXPECT(
        least == 1 && most == 1 && beyond == 0,
        "mallopt(M_MXFAST, 0), (.., %d) and (.., %d): expected 1, 1 and 0, observed %d, %d and %d",
        (int)LARGEST, (int)LARGEST + 1, least, most, beyond);
    return PASS;
}

PROCESS_PROBE(unknown_parameter_is_accepted, "GLIBC-mallopt-3", NEEDS(mallopt))
{
    int result = mallopt(9999, 1);
    if (result == 0 && !is_libc_malloc())
        return RECORDED(
            "mallopt(9999, 1): expected 1 as in glibc, observed 0: a replacement may refuse it");
    EXPECT(result == 1, "mallopt(9999, 1): expected 1, observed %d", result);
    return PASS;
}

/* How many bytes from `from` on have the value. */
static size_t count_bytes(const void *block, size_t from, size_t size, unsigned char value)
{
    size_t i = from;
    while (i < size && ((const volatile unsigned char *)block)[i] == value)
        i++;
    return i - from;
}

/* More than glibc's thread caches hold, which do not fill. */
enum { PERTURBED_SIZE = 5000, PERTURB_BYTE = 0x5a };

PROCESS_PROBE(perturb_fills_new_blocks_but_not_zeroed_ones, "GLIBC-mallopt-4", NEEDS(mallopt))
{
    enum { SKIPPED = 64 }; /* where an allocator keeps links in a free block */
    int accepted = mallopt(SET_PERTURB, PERTURB_BYTE);
    unsigned char *block = malloc(PERTURBED_SIZE),
                  *zeroed = calloc(1, PERTURBED_SIZE), *volatile stale = block;
    EXPECT(
        block != NULL && zeroed != NULL,
        "malloc(%d) and calloc(1, ..) after mallopt(M_PERTURB, 90): expected blocks, observed NULL",
        PERTURBED_SIZE);
    size_t filled = count_bytes(block, 0, PERTURBED_SIZE, (unsigned char)~PERTURB_BYTE);
    free(block);
    size_t wiped =
        is_libc_malloc() ? count_bytes(stale, SKIPPED, PERTURBED_SIZE / 2, PERTURB_BYTE) : 0;
    unsigned char *again = calloc(1, PERTURBED_SIZE);
    size_t zeros = find_nonzero(zeroed, PERTURBED_SIZE),
           more = again != NULL ? find_nonzero(again, PERTURBED_SIZE) : 0;
    EXPECT(zeros == PERTURBED_SIZE && more == PERTURBED_SIZE,
           "calloc(1, %d) after mallopt(M_PERTURB, 90): expected zeros only, observed another byte "
           "at %zu",
           PERTURBED_SIZE, zeros < PERTURBED_SIZE ? zeros : more);
    if (filled < PERTURBED_SIZE && !is_libc_malloc())
        return RECORDED("malloc(%d) after mallopt(M_PERTURB, 90) = %d: expected every byte 0xa5, "
                        "observed %zu so: a replacement may ignore it",
                        PERTURBED_SIZE, accepted, filled);
    EXPECT(
        accepted == 1 && filled == PERTURBED_SIZE,
        "malloc(%d) after mallopt(M_PERTURB, 90) = %d: expected every byte 0xa5, observed %zu so",
        PERTURBED_SIZE, accepted, filled);
    EXPECT(wiped == PERTURBED_SIZE / 2 - SKIPPED || !is_libc_malloc(),
           "free(p) after mallopt(M_PERTURB, 90): expected the bytes from %d on to be 0x5a, "
           "observed %zu so",
           SKIPPED, wiped);
    return PASS;
}

PROCESS_PROBE(mmap_threshold_maps_larger_blocks, "GLIBC-mallopt-5",
              NEEDS(mallopt) | NEEDS(mallinfo2))
{
    /* more than one: the heap may have room for the first */
    enum { THRESHOLD = 64 << 10, SIZE = 100 << 10, BLOCKS = 8 };
    void *blocks[BLOCKS];
    int accepted = mallopt(SET_MMAP_THRESHOLD, THRESHOLD);
    size_t before = mallinfo2().hblks;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        EXPECT_BLOCK(blocks[i], "malloc(%d) after mallopt(M_MMAP_THRESHOLD, %d)", SIZE, THRESHOLD);
    }
    size_t during = mallinfo2().hblks;
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    size_t after = mallinfo2().hblks;
    if (during == before && after == before && !is_libc_malloc())
        return RECORDED("malloc(%d) after mallopt(M_MMAP_THRESHOLD, %d) = %d: expected hblks to "
                        "grow, observed %zu as before: a replacement may"
                        " ignore it",
                        SIZE, THRESHOLD, accepted, during);
    EXPECT(accepted == 1 && during > before && during <= before + BLOCKS && after == before,
           "mallopt(M_MMAP_THRESHOLD, %d) and %d times malloc(%d): expected 1, hblks up to %d more "
           "than %zu and %zu again after free, "
           "observed %d, "
           "%zu and %zu",
           THRESHOLD, BLOCKS, SIZE, BLOCKS, before, before, accepted, during, after);
    return PASS;
}

PROCESS_PROBE(no_mapped_blocks_when_their_limit_is_zero, "GLIBC-mallopt-6", NEEDS(mallopt))
{
    enum { SIZE = 8 << 20 };
    int accepted = mallopt(SET_MMAP_MAX, 0);
    size_t before = HAS(mallinfo2) ? mallinfo2().hblks : 0;
    void *block = malloc(SIZE);
    size_t during = HAS(mallinfo2) ? mallinfo2().hblks : 0;
    EXPECT(
        block != NULL,
        "malloc(%d) after mallopt(M_MMAP_MAX, 0): expected a block from elsewhere, observed NULL",
        SIZE);
    fill(block, SIZE, 1);
    free(block);
    if (!is_libc_malloc() && (accepted == 0 || during != before || !HAS(mallinfo2)))
        return RECORDED("malloc(%d) after mallopt(M_MMAP_MAX, 0) = %d: expected hblks as before, "
                        "observed %zu then %zu: a replacement may ignore it",
                        SIZE, accepted, before, during);
    EXPECT(
        accepted == 1 && during == before,
        "malloc(%d) after mallopt(M_MMAP_MAX, 0) = %d: expected hblks %zu as before, observed %zu",
        SIZE, accepted, before, during);
    return PASS;
}

static pthread_barrier_t all_have_allocated;

/* Takes blocks, waits for the others to have theirs, gives them back. */
static void *allocate_beside_others(void *unused)
{
    enum { BLOCKS = 64 };
    void *blocks[BLOCKS];
    uintptr_t missing = 0;
    for (size_t i = 0; i < BLOCKS; i++)
        missing += (blocks[i] = malloc(64 + i * 16)) == NULL;
    pthread_barrier_wait(&all_have_allocated);
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return (unsigned char *)unused + missing;
}

/* How often a word occurs in what malloc_info writes; 0 also when there is nothing to read. */
static size_t count_in_malloc_info(const char *word)
{
    char *text = NULL;
    size_t length = 0, count = 0;
    FILE *file = open_memstream(&text, &length);
    int result = file != NULL ? malloc_info(0, file) : -1;
    if (file == NULL || fclose(file) != 0 || result != 0)
        return 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        count++;
    return count;
}

PROCESS_PROBE(one_arena_serves_all_threads, "GLIBC-mallopt-7", NEEDS(mallopt))
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    void *missing = NULL;
    uintptr_t all_missing = 0;
    int accepted = mallopt(SET_ARENA_MAX, 1);
    pthread_barrier_init(&all_have_allocated, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, allocate_beside_others, NULL) != 0)
            return UNSUPPORTED("thread %zu could not be created", i + 1);
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_join(threads[i], &missing) == 0)
            all_missing += (uintptr_t)missing;
    EXPECT(all_missing == 0,
           "malloc in %d threads after mallopt(M_ARENA_MAX, 1): expected blocks, observed NULL %zu "
           "times",
           THREADS, (size_t)all_missing);
    size_t heaps = HAS(malloc_info) ? count_in_malloc_info("<heap nr=") : 0;
    if (!is_libc_malloc() && heaps != 1)
        return RECORDED("malloc in %d threads after mallopt(M_ARENA_MAX, 1) = %d: malloc_info "
                        "shows %zu heaps: a replacement may ignore it",
                        THREADS, accepted, heaps);
    EXPECT(accepted == 1 && heaps == 1,
           "malloc in %d threads after mallopt(M_ARENA_MAX, 1) = %d: expected one heap in "
           "malloc_info, observed %zu",
           THREADS, accepted, heaps);
    return PASS;
}

static int free_twice(void)
{
    void *volatile block = malloc(32);
    free(block);
    free(block);
    return 0;
}

static int free_twice_unchecked(void)
{
    mallopt(SET_CHECK_ACTION, 0);
    return free_twice();
}

PROCESS_PROBE(check_action_changes_nothing, "GLIBC-mallopt-8", NEEDS(mallopt))
{
    int accepted = mallopt(SET_CHECK_ACTION, 3);
    EXPECT(accepted == 1 || !is_libc_malloc(),
           "mallopt(M_CHECK_ACTION, 3): expected 1, observed %d", accepted);
    int plain = run_in_child(free_twice), unchecked = run_in_child(free_twice_unchecked);
    EXPECT(!is_libc_malloc() || (WIFSIGNALED(plain) && WTERMSIG(plain) == 6),
           "free(p), free(p): expected an abort, observed %s", name_end(plain));
    EXPECT(WIFSIGNALED(plain) == WIFSIGNALED(unchecked),
           "free(p), free(p) after mallopt(M_CHECK_ACTION, 0): expected the end that it "
           "has without, observed %s",
           name_end(unchecked));
    return PASS;
}

/* Takes, fills, resizes, checks and releases blocks of many sizes. */
static enum probe_outcome use_many_sizes(const char *when)
{
    enum { BLOCKS = 128 };
    static void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = (size_t)1 << (i % 20);
        blocks[i] = malloc(size);
        EXPECT_BLOCK(blocks[i], "malloc(%zu) %s", size, when);
        fill(blocks[i], size, (unsigned)i);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t size = (size_t)1 << (i % 20);
        void *resized = realloc(blocks[i], 2 * size);
        EXPECT_BLOCK(resized, "realloc(p, %zu) %s", 2 * size, when);
        EXPECT_FILLED(resized, size, (unsigned)i, "realloc(p, %zu) %s", 2 * size, when);
        free(resized);
    }
    return PASS;
}

PROCESS_PROBE(mallopt_of_a_replacement_is_harmless, "GLIBC-mallopt-9", NEEDS(mallopt))
{
    static const int values[] = {0, 1, -1};
    char when[64];
    if (is_libc_malloc())
        return probe_say(OUTCOME_NOT_APPLICABLE, "malloc is the C library's own");
    TRY(use_many_sizes("before any mallopt"));
    for (int parameter = SET_ARENA_MAX; parameter <= SET_MXFAST; parameter++) {
        for (size_t i = 0; i < COUNT(values); i++) {
            int result = mallopt(parameter, values[i]);
            snprintf(when, sizeof when, "after mallopt(%d, %d) = %d", parameter, values[i], result);
            TRY(use_many_sizes(when));
        }
    }
    return PASS;
}

/* Exit status of the second run: how much of a new block is filled, and whether calloc's zeros are
 * zeros. */
enum { IS_FILLED = 10, IS_PLAIN, IS_NOT_ZERO, IS_NULL };

static int find_perturbation(void)
{
    unsigned char *block = malloc(PERTURBED_SIZE), *zeroed = calloc(1, PERTURBED_SIZE);
    if (block == NULL || zeroed == NULL)
        return IS_NULL;
    if (find_nonzero(zeroed, PERTURBED_SIZE) < PERTURBED_SIZE)
        return IS_NOT_ZERO;
    return count_bytes(block, 0, PERTURBED_SIZE, (unsigned char)~PERTURB_BYTE) == PERTURBED_SIZE
               ? IS_FILLED
               : IS_PLAIN;
}

PROCESS_PROBE(environment_mirrors_mallopt, "GLIBC-env-1")
{
    static const char *const settings[][4] = {
        {"MALLOC_PERTURB_=90", "GLIBC_TUNABLES"},
        {"MALLOC_PERTURB_",
         "GLIBC_TUNABLES=glibc.malloc.perturb=90:glibc.rtld.optional_static_tls=65536"},
        {"MALLOC_PERTURB_=90", "MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=65536"}};
    if (strcmp(probe_stage(), "perturbed") == 0)
        _exit(find_perturbation());
    if (dlsym(RTLD_DEFAULT, "gnu_get_libc_version") == NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "the C library is not glibc");
    for (size_t i = 0; i < COUNT(settings); i++) {
        int status = run_again("perturbed", (const char *const[]){settings[i][0], settings[i][1],
                                                                  settings[i][2], NULL});
        int found = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        EXPECT(found == IS_FILLED || found == IS_PLAIN,
               "malloc(%d) and calloc(1, %d) under %s %s: expected blocks, the second of zeros, "
               "observed %s",
               PERTURBED_SIZE, PERTURBED_SIZE, settings[i][0], settings[i][1],
               found == IS_NOT_ZERO ? "other bytes from calloc"
               : found == IS_NULL   ? "NULL"
                                    : "that the process died");
        EXPECT(found == IS_FILLED || !is_libc_malloc(),
               "malloc(%d) under %s %s: expected every byte 0xa5, observed others", PERTURBED_SIZE,
               settings[i][0], settings[i][1]);
    }
    if (!is_libc_malloc())
        return RECORDED("glibc's variables: a replacement may ignore them; no harm observed");
    return PASS;
}
