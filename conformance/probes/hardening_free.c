/* SPDX-License-Identifier: MIT */
/* Undefined use of free: double frees, and pointers that are not the start of a block. */
#include "conformance/testlib.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

PROBE(double_free_of_a_small_block, "HARD-double-free-1")
{
    void *block = malloc(32);
    free(block);
    MISUSE(free(block));
    return survived();
}

PROBE(double_free_with_another_in_between, "HARD-double-free-2")
{
    void *block = malloc(32), *other = malloc(32);
    free(block);
    free(other);
    MISUSE(free(block));
    return survived();
}

PROBE(double_free_after_many, "HARD-double-free-3")
{
    enum { BLOCKS = 64 };
    void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(32);
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    CASE("free of the first of 64 freed blocks", free(blocks[0]));
    CASE("free of the 33rd of 64 freed blocks", free(blocks[32]));
    return worst_case();
}

static void *release(void *block)
{
    free(block);
    return NULL;
}

static bool release_in_thread(void *block)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, release, block) == 0 && pthread_join(thread, NULL) == 0;
}

PROBE(double_free_by_two_threads, "HARD-double-free-4", NEEDS(threads))
{
    void *block = malloc(32);
    if (!release_in_thread(block))
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    MISUSE(release_in_thread(block));
    return survived();
}

PROBE(double_free_of_larger_blocks, "HARD-double-free-5")
{
    void *medium = malloc(5000), *huge = malloc(2 * MIB);
    free(medium);
    free(huge);
    CASE("second free of 5000 bytes", free(medium));
    CASE("second free of 2 MiB", free(huge));
    return worst_case();
}

PROBE(double_free_after_reissue, "HARD-double-free-6")
{
    enum { TRIES = 100000 };
    void *block = malloc(32), *again = NULL;
    free(block);
    for (int i = 0; i < TRIES && again != block; i++)
        again = malloc(32);
    if (again != block)
        return RECORDED("free(p): expected malloc(32) to give p again, observed other blocks %d "
                        "times, so the question cannot be put",
                        TRIES);
    MISUSE(free(block));
    free(again);
    return survived();
}

static void *release_automatic(void *unused)
{
    _Alignas(16) long area[64] = {0};
    MISUSE(free(area + 4));
    return unused;
}

/* In a stack so large that an allocator which looks for a header at a rounded address finds memory
 * there, wherever the stack lies. */
PROBE(free_of_automatic_storage, "HARD-free-stack")
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, 72 * MIB) != 0 ||
        pthread_create(&thread, &attributes, release_automatic, NULL) != 0)
        return UNSUPPORTED(
            "pthread_create: expected a thread with a stack of 72 MiB, observed none");
    pthread_join(thread, NULL);
    return survived();
}

PROBE(free_of_static_storage, "HARD-free-static")
{
    static _Alignas(16) char area[256];
    MISUSE(free(area + 32));
    return survived();
}

PROBE(free_of_wild_addresses, "HARD-free-wild")
{
    void *page = mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || munmap(page, 64 * KIB) != 0)
        return UNSUPPORTED("mmap(64 KiB): expected pages, observed errno %d", errno);
    CASE("free(0x4141414141414140)", free((void *)(uintptr_t)0x4141414141414140));
    CASE("free of an unmapped page", free(page));
    return worst_case();
}

PROBE(free_of_a_mapping_of_the_program, "HARD-free-mmap")
{
    char *area = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return UNSUPPORTED("mmap(1 MiB): expected pages, observed errno %d", errno);
    CASE("free(mmap(1 MiB))", free(area));
    CASE("free(mmap(1 MiB) + 64)", free(area + 64));
    return worst_case();
}

PROBE(free_of_code, "HARD-free-code")
{
    MISUSE(free((void *)(((uintptr_t)release + 15) / 16 * 16)));
    return survived();
}

PROBE(free_inside_a_block, "HARD-free-interior-1")
{
    char *small = malloc(256), *medium = malloc(4096);
    CASE("free(malloc(256) + 16)", free(small + 16));
    CASE("free(malloc(4096) + 64)", free(medium + 64));
    return worst_case();
}

PROBE(free_inside_a_huge_block, "HARD-free-interior-2")
{
    char *block = malloc(8 * MIB);
    MISUSE(free(block + 4096));
    return survived();
}

PROBE(free_just_outside_a_block, "HARD-free-interior-3")
{
    char *block = malloc(64);
    CASE("free(malloc(64) + 64)", free(block + 64));
    CASE("free(malloc(64) - 16)", free(block - 16));
    return worst_case();
}

PROBE(free_of_a_misaligned_pointer, "HARD-free-misaligned")
{
    char *block = malloc(64);
    CASE("free(malloc(64) + 1)", free(block + 1));
    CASE("free(malloc(64) + 8)", free(block + 8));
    return worst_case();
}

/* What glibc keeps before a block of 48 bytes, and after it. */
PROBE(free_of_a_forged_block, "HARD-free-forged")
{
    enum { WORDS = 64, FIRST = 16, CHUNK = 0x40 };
    size_t *words = malloc(WORDS * sizeof *words);
    memset(words, 0, WORDS * sizeof *words);
    words[FIRST - 1] = CHUNK | 1;
    words[FIRST - 1 + CHUNK / sizeof *words] = CHUNK | 1;
    MISUSE(free(words + FIRST));
    return survived();
}

PROBE(diagnosis_names_the_error, "HARD-report")
{
    void *block = malloc(32);
    free(block);
    CASE("second free of 32 bytes", free(block));
    EXPECT(last_case.outcome == OUTCOME_DETECTED,
           "second free of 32 bytes: expected a diagnosis, observed none at the call");
    int number = WIFSIGNALED(last_case.status) ? WTERMSIG(last_case.status) : 0;
    EXPECT(number == SIGABRT || number == SIGTRAP || number == SIGILL,
           "second free of 32 bytes: expected an end by SIGABRT, SIGTRAP or SIGILL, observed "
           "%s",
           name_end(last_case.status));
    EXPECT(last_case.said[0] != '\0',
           "second free of 32 bytes: expected a sentence on standard error, observed nothing but "
           "signal %d",
           number);
    return PASS;
}
