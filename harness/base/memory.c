/* SPDX-License-Identifier: MIT */
/* How much memory a process holds, from /proc. */
#include "harness/base/memory.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

/* The second field of statm. */
static size_t parse_pages(const char *text, ssize_t length)
{
    size_t pages = 0;
    ssize_t i = 0;
    while (i < length && text[i] != ' ')
        i++;
    for (i++; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        pages = pages * 10 + (size_t)(text[i] - '0');
    return pages;
}

size_t memory_resident(void)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text);
    close(file);
    return parse_pages(text, length) * (size_t)sysconf(_SC_PAGESIZE);
}
