/* SPDX-License-Identifier: MIT */
/* How much memory a process holds, from /proc/self/statm and maps. Part of exported programs
 * too. */
#include "harness/base/memory.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

static size_t parse_pages(const char *text, ssize_t length, unsigned field)
{
    size_t pages = 0;
    ssize_t i = 0;
    for (; field > 0; field--)
        while (i < length && text[i++] != ' ')
            ;
    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (size_t)(text[i] - '0');
    return pages;
}

static size_t read_statm(unsigned field)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text);
    close(file);
    return parse_pages(text, length, field) * (size_t)sysconf(_SC_PAGESIZE);
}

size_t memory_mapped(void)
{
    return read_statm(0);
}

size_t memory_resident(void)
{
    return read_statm(1);
}

bool memory_is_the_allocators(void)
{
#ifdef MALLET_SANITIZED
    return false;
#else
    return true;
#endif
}

/* A line each. */
size_t memory_mappings(void)
{
    char text[4096];
    size_t lines = 0;
    ssize_t length;
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    while ((length = read(file, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < length; i++)
            lines += text[i] == '\n';
    close(file);
    return lines;
}

size_t memory_mappings_max(void)
{
    char text[32];
    int file = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text);
    close(file);
    return parse_pages(text, length, 0);
}
