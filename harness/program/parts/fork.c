/* SPDX-License-Identifier: MIT */
/* A child that visits the heap. */
#include "harness/program/parts/fail.h"

#include <sys/wait.h>

/* Of the first blocks, every other one grows by half, the others shrink to half. */
static void resize_inherited(void)
{
    unsigned left = 0;
    for (int i = 0; i < BLOCKS && left < CHILD_RESIZED; i++)
        left += p[i] != NULL;
    for (int i = 0; i < BLOCKS && left > 0; i++)
        if (p[i] != NULL) {
            size_t size = left-- % 2 != 0 ? n[i] + n[i] / 2 + 100 : n[i] / 2 + 1;
            move(i, do_realloc(hold(i), size), size);
        }
}

static void allocate_anew(void)
{
    for (int i = 0, made = 0; i < BLOCKS && made < CHILD_BLOCKS; i++)
        if (p[i] == NULL) {
            size_t size = (size_t)16 << 2 * made++;
            take(i, do_malloc(size), size);
        }
}

static void drop_all(void)
{
    for (int i = 0; i < BLOCKS; i++)
        if (p[i] != NULL)
            do_free(drop(i));
}

/* A forked child finds every block whole, resizes and frees them, and allocates before and after
 * that; the parent does not notice. */
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
        resize_inherited();
        allocate_anew();
        drop_all();
        allocate_anew();
        _exit(0);
    }
    if (child > 0 && waitpid(child, &status, 0) == child && status != 0)
        FAIL("the forked child ended with status 0x%x\n", (unsigned)status);
    for (int i = 0; i < BLOCKS; i++)
        hold(i);
}
