/* SPDX-License-Identifier: MIT */
/*
 * What can run under the scheduler. To test your own allocator, compile it as README.md says, link
 * it with libmallet-interleave.a and one file that defines `interleave_own`; the result is a
 * program like mallet-interleave, with that allocator as one more subject.
 */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <stdbool.h>
#include <stddef.h>

struct interleave_subject {
    const char *name;
    void *(*malloc)(size_t size);
    void (*free)(void *block);
    void *(*realloc)(void *block, size_t size); /* NULL: what needs it is passed over */
    /* its own walker: 0, or non-zero with a sentence; or NULL */
    int (*check)(char *sentence, size_t capacity);
    /* Memory freed by or for a thread that is over may stay unused: footprint is not asked. */
    bool keeps_for_threads;
    /* Which mutant it is: stored to *choice before the first call, if that is not NULL. */
    int *choice, chosen;
};

/* Defined by an author for an allocator of his own. */
extern const struct interleave_subject interleave_own __attribute__((weak));

#endif
