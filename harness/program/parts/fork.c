/* SPDX-License-Identifier: MIT */
/* A child that visits the heap. */
#include "harness/program/parts/fail.h"

#include <sys/wait.h>

/* A forked child finds every block whole, resizes and frees them, and allocates; the parent does
 * not notice. */
static void visit_in_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
#ifdef WITH_FAULTS
        fail_os(0);
#endif
        alarm(10);
        for (int i = 0; i < BLOCKS; i++)
            hold(i);
        for (int i = 0; i < BLOCKS; i++) {
            size_t size = n[i] + n[i] / 2 + 100;
            if (p[i] != NULL)
                move(i, do_realloc(hold(i), size), size);
            do_free(drop(i));
        }
        for (int i = 0; i < 8; i++)
            take(0, do_malloc((size_t)16 << 2 * i), (size_t)16 << 2 * i);
        _exit(0);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && status != 0)
        FAIL("the forked child ended with status 0x%x\n", (unsigned)status);
    for (int i = 0; i < BLOCKS; i++)
        hold(i);
}
