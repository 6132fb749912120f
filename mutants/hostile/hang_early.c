/* SPDX-License-Identifier: MIT */
/* Every call of malloc after the tenth looks for something that is not there: so does every command
 * in its first steps. */
#include "hostile.h"

void *malloc(size_t size)
{
    static volatile unsigned calls;
    calls++;
    while (calls > 10)
        ;
    return hostile_take(size);
}
