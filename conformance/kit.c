/* SPDX-License-Identifier: MIT */
#include "conformance/kit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

void fill(void *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)block)[i] = (unsigned char)(i * 7 + (i >> 8) * 13 + seed * 31 + 1);
}

size_t find_change(const void *block, size_t size, unsigned seed)
{
    size_t i = 0;
    while (i < size && ((const unsigned char *)block)[i] == (unsigned char)(i * 7 + (i >> 8) * 13 + seed * 31 + 1))
        i++;
    return i;
}

size_t find_nonzero(const void *block, size_t size)
{
    size_t i = 0;
    while (i < size && ((const unsigned char *)block)[i] == 0)
        i++;
    return i;
}

bool is_aligned(const void *block, size_t alignment)
{
    return (uintptr_t)block % alignment == 0;
}

size_t next_size(size_t size)
{
    if (size < 1024)
        return size + 1;
    size_t power = 1024;
    while (power * 2 - 1 <= size)
        power *= 2;
    return size < power ? power : size == power ? power + 1 : size == power + 1 ? power * 2 - 1 : power * 2;
}

size_t huge_size(size_t i)
{
    return i == 0 ? (size_t)PTRDIFF_MAX + 1 : i == 1 ? (size_t)PTRDIFF_MAX + 2 : SIZE_MAX - (HUGE_COUNT - 1 - i);
}

uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

const char *null_or_block(const void *block)
{
    return block == NULL ? "NULL" : "a block";
}

/* Field 0 of statm is the mapped pages, field 1 the resident ones. */
static size_t read_statm(int field)
{
    char text[128] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    if (length <= 0)
        return 0;
    char *rest = text;
    size_t pages = strtoul(rest, &rest, 10);
    if (field == 1)
        pages = strtoul(rest, &rest, 10);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

size_t mapped_bytes(void)
{
    return read_statm(0);
}

size_t resident_bytes(void)
{
    return read_statm(1);
}

bool limit_memory(size_t room)
{
    size_t limit = mapped_bytes() + room;
    struct rlimit wanted = {limit, limit};
    return limit > room && setrlimit(RLIMIT_AS, &wanted) == 0;
}

int run_in_child(int (*function)(void), unsigned seconds)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(seconds);
        _exit(function());
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

enum probe_outcome survived(void)
{
    enum { BLOCKS = 256, SIZES = 12 };
    static void *blocks[BLOCKS];
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < BLOCKS; i++)
            blocks[i] = malloc((size_t)16 << (i % SIZES));
        for (size_t i = 0; i < BLOCKS; i++)
            free(blocks[i]);
    }
    return SILENT("expected a diagnosis, observed none, nor from %d calls of malloc and free afterwards", 8 * BLOCKS);
}
