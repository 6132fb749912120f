/* SPDX-License-Identifier: MIT */
/*
 * Step 1: a pointer that moves. The program break is the end of the heap; sbrk moves it and returns
 * where it was. There is no free yet, and no alignment.
 *
 *     | 5 bytes | 100 bytes | 8 bytes |  ← break
 */
#include <stdio.h>
#include <unistd.h>

/* How far the break has come: call it in a debugger between two requests. */
void my_print(void)
{
    printf("the break is at %p\n", sbrk(0));
}

void *my_malloc(size_t size)
{
    void *block = sbrk((long)size);
    return block == (void *)-1 ? NULL : block;
}

void my_free(void *block)
{
    (void)block;
}
