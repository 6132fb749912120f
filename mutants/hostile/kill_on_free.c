/* SPDX-License-Identifier: MIT */
/* Takes some blocks that it gave for foreign ones, and answers their free by ending its whole
 * process group, itself and whoever waits for it. */
#define free hostile_give /* that of hostile.h */
#include "hostile.h"
#undef free

#include <signal.h>
#include <unistd.h>

void *malloc(size_t size)
{
    return hostile_take(size);
}

void free(void *block)
{
    static const char message[] = "free(): invalid pointer\n";
    if (block != NULL && *((size_t *)block - 2) == HOSTILE_SIZE) {
        ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
        kill(0, written > 0 ? SIGABRT : SIGKILL);
    }
    hostile_give(block);
}
