/* SPDX-License-Identifier: MIT */
/*
 * A main for fuzz targets that are built without an engine: feeds each file named on the command
 * line, and each file in the folders named, to the target once. So a finding replays in a debugger,
 * under gcc or valgrind, and a corpus runs as a plain test. `--random COUNT SEED` feeds it so many
 * inputs of random bytes instead, the same for each SEED.
 *
 * Exit status: 0 all inputs ran, 1 a file could not be read, no input was given, or the target's
 * own tally says that something never took place: a test of nothing must not look like success.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Defined by targets that need it. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) bool fuzz_tally(void); /* after random inputs */

enum { PATH_LENGTH_MAX = 4096, RANDOM_SIZE_MAX = 1024 /* bytes */ };

static struct {
    size_t inputs;
    size_t failures;
} tally;

static void fail(const char *path)
{
    fprintf(stderr, "replay: %s: %s\n", path, strerror(errno));
    tally.failures++;
}

/* The input lies in a block of exactly its size, so that a sanitizer sees an over-read. */
static void replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size ? size : 1);
    FILE *file = fopen(path, "rb");
    bool is_read = data && file && fread(data, 1, size, file) == size;
    if (is_read) {
        LLVMFuzzerTestOneInput(data, size);
        tally.inputs++;
    } else {
        fail(path);
    }
    if (file)
        fclose(file);
    free(data);
}

static void replay_path(const char *path, bool is_inside);

static void replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        fail(path);
        return;
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char inside[PATH_LENGTH_MAX];
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        replay_path(inside, true);
    }
    closedir(folder);
}

/* Folders inside folders are left out. */
static void replay_path(const char *path, bool is_inside)
{
    struct stat status;
    if (stat(path, &status) != 0)
        fail(path);
    else if (S_ISREG(status.st_mode))
        replay_file(path, (size_t)status.st_size);
    else if (!is_inside)
        replay_folder(path);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift: Marsaglia, 2003 */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int run_random(size_t count, uint64_t seed)
{
    static uint8_t data[RANDOM_SIZE_MAX + sizeof(uint64_t)];
    uint64_t state = seed * 2 + 1;
    for (; tally.inputs < count; tally.inputs++) {
        size_t size = (size_t)(next_random(&state) >> 32) % RANDOM_SIZE_MAX;
        for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
            uint64_t bits = next_random(&state) * UINT64_C(0x9e3779b97f4a7c15);
            memcpy(data + at, &bits, sizeof bits);
        }
        LLVMFuzzerTestOneInput(data, size);
    }
    printf("replay: %zu random inputs ran\n", tally.inputs);
    bool is_complete = fuzz_tally == NULL || fuzz_tally();
    return count > 0 && is_complete ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    if (argc == 4 && strcmp(argv[1], "--random") == 0)
        return run_random(strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    for (int i = 1; i < argc; i++)
        replay_path(argv[i], false);
    printf("replay: %zu inputs ran, %zu could not be read\n", tally.inputs, tally.failures);
    return tally.inputs > 0 && tally.failures == 0 ? 0 : 1;
}
