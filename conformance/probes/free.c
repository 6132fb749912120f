/* SPDX-License-Identifier: MIT */
/*
 * free: which pointers it accepts, that freed memory is reusable, and that errno does not change.
 */
#include "conformance/testlib.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <wchar.h>

PROBE(free_makes_space_available, "C23-7.24.3.3-p2-a")
{
    static const size_t sizes[] = {16, 4 * KIB, 128 * KIB, MIB, 8 * MIB};
    for (size_t i = 0; i < COUNT(sizes); i++)
        TRY(reuse_block(&by_malloc, 0, sizes[i], &by_free));
    return PASS;
}

/* Whether 1000 calls of free(NULL) change what the process holds. */
static enum probe_outcome free_null_often(const char *where)
{
    size_t mapped = memory_mapped(), resident = memory_resident();
    for (int i = 0; i < 1000; i++)
        free(NULL);
    size_t mapped_now = memory_mapped(), resident_now = memory_resident();
    EXPECT(mapped_now < mapped + MIB,
           "free(NULL) 1000 times, %s: expected no effect, observed %zu mapped bytes more", where,
           mapped_now - mapped);
    EXPECT(resident_now < resident + 4 * MIB,
           "free(NULL) 1000 times, %s: expected no effect, observed %zu resident bytes more", where,
           resident_now - resident);
    return PASS;
}

static void *free_null_in_thread(void *unused)
{
    free(NULL);
    (void)unused;
    return (void *)(uintptr_t)free_null_often("in a thread");
}

static int free_null_in_child(void)
{
    free(NULL);
    return free_null_often("in a forked child") != PASS;
}

PROBE(free_of_null_does_nothing, "C23-7.24.3.3-p2-b", NEEDS(threads))
{
    pthread_t thread;
    void *in_thread = NULL;
    free(NULL); /* before any other call */
    TRY(free_null_often("before any other call"));
    void *block = malloc(100);
    EXPECT_BLOCK(block, "malloc(100) after free(NULL)");
    fill(block, 100, 1);
    TRY(free_null_often("with a live block"));
    if (pthread_create(&thread, NULL, free_null_in_thread, NULL) != 0 ||
        pthread_join(thread, &in_thread) != 0)
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    TRY((enum probe_outcome)(uintptr_t)in_thread);
    int status = run_in_child(free_null_in_child);
    EXPECT(status == 0,
           "free(NULL) in a forked child: expected it to return and do nothing, observed %s",
           name_end(status));
    EXPECT(find_change(block, 100, 1) == 100,
           "free(NULL): expected no effect, observed a live block changed");
    free(block);
    return PASS;
}

/* A block that the C library allocated: all of it is the caller's, and free must take it. */
static enum probe_outcome give_back(const char *function, void *block, size_t size)
{
    EXPECT_BLOCK(block, "%s", function);
    fill(block, size, 1);
    free(block);
    return PASS;
}

static enum probe_outcome give_back_strings(const char *text, size_t length)
{
    char *printed = NULL;
    TRY(give_back("strdup", strdup(text), length + 1));
    TRY(give_back("strndup", strndup(text, length / 2), length / 2 + 1));
    TRY(give_back("wcsdup", wcsdup(L"wide"), 5 * sizeof(wchar_t)));
    EXPECT(asprintf(&printed, "%s", text) == (int)length,
           "asprintf: expected %zu characters, observed another number", length);
    TRY(give_back("asprintf", printed, length + 1));
    char *path = realpath("/", NULL), *folder = getcwd(NULL, 0);
    TRY(give_back("realpath", path, 2));
    free(folder); /* NULL where the folder is gone */
    return PASS;
}

static enum probe_outcome give_back_from_streams(char *text, size_t length)
{
    char *line = NULL, *part = NULL, *memory = NULL;
    size_t line_capacity = 0, part_capacity = 0, memory_size = 0;
    FILE *file = fmemopen(text, length, "r"), *stream = open_memstream(&memory, &memory_size);
    if (file == NULL || stream == NULL)
        return UNSUPPORTED("fmemopen, open_memstream: expected a stream, observed NULL");
    ssize_t part_length = getdelim(&part, &part_capacity, ';', file),
            line_length = getline(&line, &line_capacity, file);
    EXPECT(part_length > 0 && line_length > 0,
           "getdelim and getline: expected text, observed %zd and %zd", part_length, line_length);
    TRY(give_back("getdelim", part, part_capacity));
    TRY(give_back("getline", line, line_capacity));
    fputs(text, stream);
    fclose(stream);
    fclose(file);
    EXPECT(memory_size == length, "open_memstream: expected %zu characters, observed %zu", length,
           memory_size);
    return give_back("open_memstream", memory, length + 1);
}

static enum probe_outcome give_back_entries(void)
{
    struct dirent **entries = NULL;
    int count = scandir("/", &entries, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    return count >= 0 ? give_back("scandir", entries, (size_t)count * sizeof(struct dirent *))
                      : PASS;
}

PROCESS_PROBE(free_takes_what_the_c_library_hands_out, "POSIX17-free-1")
{
    static char text[4243];
    memset(text, 'x', sizeof text - 1);
    text[30] = ';';
    TRY(give_back_strings("short", 5));
    TRY(give_back_strings(text, sizeof text - 1));
    TRY(give_back_from_streams(text, sizeof text - 1));
    return give_back_entries();
}

PROBE(free_of_null_keeps_errno, "POSIX24-free-2")
{
    for (int i = 0; i < 1000; i++) {
        CATCH_ERRNO(error, free(NULL));
        EXPECT_UNTOUCHED(error, "free(NULL)");
    }
    return PASS;
}

static const struct batch {
    size_t size, count, alignment;
} batches[] = {{15, 10000, 0},  {729, 1000, 0},       {40 * KIB, 200, 0},
               {200000, 50, 0}, {5318153, 10, 0},     {64 * MIB, 1, 0},
               {GIB, 1, 0},     {100, 100, 64 * KIB}, {3 * MIB, 4, MIB}};

/* Takes a batch of blocks and frees it; returns errno after the first call of free that changed
 * it. */
static int errno_after_batch(const struct batch *batch)
{
    static char *block[10000];
    int changed = UNTOUCHED;
    for (size_t i = 0; i < batch->count; i++) {
        block[i] = batch->alignment > 0 && HAS(aligned_alloc)
                       ? aligned_alloc(batch->alignment, batch->size)
                       : malloc(batch->size);
        if (block[i] != NULL)
            block[i][0] = block[i][batch->size - 1] = 1;
    }
    for (size_t i = 0; i < batch->count; i++) {
        CATCH_ERRNO(error, free(block[i]));
        changed = changed == UNTOUCHED ? error : changed;
    }
    return changed;
}

PROBE(free_keeps_errno, "POSIX24-free-3 MAN-malloc-5")
{
    for (size_t i = 0; i < COUNT(batches); i++) {
        int error = errno_after_batch(&batches[i]);
        EXPECT_UNTOUCHED(error, "free of each of %zu blocks of %zu bytes", batches[i].count,
                         batches[i].size);
    }
    return PASS;
}

PROBE(free_may_change_errno, "POSIX17-free-6")
{
    size_t changes = 0;
    for (size_t i = 0; i < COUNT(batches); i++)
        changes += errno_after_batch(&batches[i]) != UNTOUCHED;
    return RECORDED("free of blocks of %zu sizes: expected any errno, observed it changed for %zu",
                    COUNT(batches), changes);
}

/* From now on munmap and madvise fail with ENOMEM, as munmap does at vm.max_map_count: a filter of
 * system calls in the kernel's own terms. */
static bool make_unmapping_fail(void)
{
    enum { LOAD_WORD = 0x20, JUMP_IF_EQUAL = 0x15, RETURN = 0x06, MODE_FILTER = 2 };
    static struct {
        uint16_t code;
        uint8_t if_true, if_false;
        uint32_t value;
    } steps[] = {{LOAD_WORD, 0, 0, 0},
                 {JUMP_IF_EQUAL, 2, 0, SYS_munmap},
                 {JUMP_IF_EQUAL, 1, 0, SYS_madvise},
                 {RETURN, 0, 0, 0x7fff0000U},           /* allow */
                 {RETURN, 0, 0, 0x00050000U | ENOMEM}}; /* refuse with this errno */
    struct {
        unsigned short count;
        void *steps;
    } program = {COUNT(steps), steps};
    static char page[1];
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0 ||
        prctl(PR_SET_SECCOMP, (long)MODE_FILTER, &program, 0L, 0L) != 0)
        return false;
    return madvise(page - (uintptr_t)page % (uintptr_t)sysconf(_SC_PAGESIZE), 1, MADV_NORMAL) !=
               0 &&
           errno == ENOMEM;
}

PROCESS_PROBE(free_keeps_errno_when_the_system_refuses, "POSIX24-free-4")
{
    static const size_t sizes[] = {100, 20000, 200000, MIB, 5318153, 16 * MIB, 64 * MIB};
    void *block[COUNT(sizes)][4];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t k = 0; k < COUNT(block[i]); k++) {
            block[i][k] = malloc(sizes[i]);
            EXPECT_BLOCK(block[i][k], "malloc(%zu)", sizes[i]);
            *(char *)block[i][k] = 1;
        }
    }
    if (!make_unmapping_fail())
        return UNSUPPORTED("prctl(PR_SET_SECCOMP): expected munmap and madvise to fail from now "
                           "on, observed errno %d",
                           errno);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t k = 0; k < COUNT(block[i]); k++) {
            CATCH_ERRNO(error, free(block[i][k]));
            EXPECT_UNTOUCHED(error, "free of %zu bytes while munmap and madvise fail", sizes[i]);
        }
    }
    return PASS;
}
