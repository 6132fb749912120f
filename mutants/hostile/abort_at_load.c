/* SPDX-License-Identifier: MIT */
/* Aborts while it is loaded, with a word about it. */
#include "hostile.h"

#include <unistd.h>

__attribute__((constructor)) static void give_up(void)
{
    static const char words[] = "cannot work like this\n";
    if (write(STDERR_FILENO, words, sizeof words - 1) > 0)
        abort();
}

void *malloc(size_t size)
{
    return hostile_take(size);
}
