/* SPDX-License-Identifier: MIT */
/* Another user of the program break, as a library with a heap of its own is: what it got stays its
 * own. */
#include "harness/program/parts/fail.h"

#include <stdint.h>

static unsigned char *foreign_memory[16]; /* what it got */
static size_t foreign_bytes[16];

/* Only once for each i, however often the program comes by. */
static void move_break(int i, size_t size)
{
    void *start = foreign_memory[i] == NULL && size != 0 ? sbrk((intptr_t)size) : (void *)-1;
    if (start == (void *)-1)
        return;
    foreign_memory[i] = start;
    foreign_bytes[i] = size;
    for (size_t at = 0; at < size; at++)
        foreign_memory[i][at] = (unsigned char)(at * 13 + 7 + (unsigned)i);
}

static void verify_break(void)
{
    for (int i = 0; i < 16; i++) {
        if (foreign_memory[i] == NULL)
            continue;
        if (foreign_memory[i] + foreign_bytes[i] > (unsigned char *)sbrk(0))
            FAIL("the program break fell to %p: %zu bytes at %p, which another user of sbrk got, "
                 "are gone\n",
                 sbrk(0), foreign_bytes[i], (void *)foreign_memory[i]);
        for (size_t at = 0; at < foreign_bytes[i]; at++)
            if (foreign_memory[i][at] != (unsigned char)(at * 13 + 7 + (unsigned)i))
                FAIL("byte %zu of %zu that another user of sbrk got at %p is 0x%02x\n", at,
                     foreign_bytes[i], (void *)foreign_memory[i], foreign_memory[i][at]);
    }
}

/* No block may lie there. */
static void keep_off(const unsigned char *block, size_t size)
{
    for (int i = 0; i < 16; i++)
        if (foreign_memory[i] != NULL && block < foreign_memory[i] + foreign_bytes[i] &&
            foreign_memory[i] < block + size)
            FAIL("%p of %zu bytes intersects %zu bytes at %p that another user of sbrk got\n",
                 (const void *)block, size, foreign_bytes[i], (void *)foreign_memory[i]);
}
