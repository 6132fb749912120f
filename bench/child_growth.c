/* SPDX-License-Identifier: MIT */
/* Blocks that grow, and large zeroed blocks. */
#include "bench/child.h"

#include <stdlib.h>

/* A buffer grows by `size` with every realloc, up to 16384 times that; `count` reallocs in all. */
void run_append(size_t size, uint64_t count)
{
    enum { STEPS = 16384 };
    measure_begin();
    char *buffer = NULL;
    for (uint64_t i = 0, step = 1; i < count; i++, step++) {
        if (step > STEPS) {
            free(buffer);
            buffer = NULL;
            step = 1;
        }
        buffer = want(realloc(buffer, step * size), "realloc", step * size);
        *(volatile char *)(buffer + step * size - 1) = 1;
    }
    free(buffer);
    measure_end(count, 0);
}

/* A zeroed block of `size`, of which one byte is written, and free; `count` times. */
void run_calloc(size_t size, uint64_t count)
{
    measure_begin();
    for (uint64_t i = 0; i < count; i++) {
        char *block = want(calloc(1, size), "calloc", size);
        *(volatile char *)(block + size / 2) = 1;
        free(block);
    }
    measure_end(count, 0);
}
