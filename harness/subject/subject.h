/* SPDX-License-Identifier: MIT */
/*
 * A subject: an allocator under test, as a name, a table of its functions, and what else it can do.
 * All calls go through the table. A missing function is NULL; only malloc and free must be there.
 *
 * A process has at most one subject, bound once, never unbound: a fresh process is the only
 * reliable reset of a foreign allocator.
 */
#ifndef HARNESS_SUBJECT_H
#define HARNESS_SUBJECT_H

#include "harness/subject/subject_calls.h"

#include <stdbool.h>
#include <stddef.h>

/* What every allocator is taken to be able to do, unless it says that it lacks it: id, the word for
 * people, what lacks without it. Bits behind those of the functions. */
#define SUBJECT_CAPABILITIES(CAPABILITY)                                              \
    CAPABILITY(threads, "threads", "only one thread may call it")                     \
    CAPABILITY(full_alignment, "alignment", "its blocks are aligned to 8 bytes only") \
    CAPABILITY(failure_errno, "errno", "a call that fails need not set errno")        \
    CAPABILITY(flat_cost, "cost", "calls may cost more, the more blocks there are")   \
    CAPABILITY(whole_process, "process", "it cannot be the malloc of a whole process")

enum subject_capability {
    SUBJECT_CAPABILITY_BEFORE = SUBJECT_MORE_END - 1,
#define CAPABILITY(id, word, meaning) SUBJECT_##id,
    SUBJECT_CAPABILITIES(CAPABILITY)
#undef CAPABILITY
        SUBJECT_CAPABILITY_END
};

/* Of an enum subject_more_call, too; of an enum subject_capability, its word. */
const char *subject_call_name(unsigned call);

struct subject {
    char name[64];
    struct subject_calls calls;
    /* What only a cooperating subject offers; NULL where absent. A shared object offers them by
     * exporting mallet_subject_reset, …_check, …_footprint and …_fail_os with these types. */
    void (*reset)(void); /* back to an empty, fresh heap */
    /* its own walker: 0, or non-zero with a sentence */
    int (*check)(char *sentence, size_t capacity);
    size_t (*footprint)(void);     /* bytes it holds from the system now */
    void (*fail_os)(unsigned nth); /* fail its nth-next OS request; 0 cancels */
    /* where it counts the edges that it takes, SUBJECT_COVERAGE counters; NULL: it does not */
    unsigned char **coverage;
    /* where its own libc keeps errno; NULL: this process's libc */
    int *(*errno_location)(void);
    /* bits of enum subject_capability; a shared object names them in a string,
     * `const char mallet_subject_lacks[] = "threads alignment"` */
    unsigned lacks;
};

enum { SUBJECT_ERROR_MAX = 640, SUBJECT_COVERAGE = 4096 };

/* Bit i set: calls has function i of enum subject_call, or of enum subject_more_call, or it has the
 * capability i. */
unsigned subject_offers(const struct subject *subject);

/* The bits of a list such as "threads,alignment", separated by commas or blanks. Returns 0, or
 * EINVAL with the word that is none and its length. */
int subject_parse_lacks(const char *list, unsigned *ret_lacks, const char **ret_word,
                        int *ret_length);

/* Each binds and returns 0, or returns a positive errno with one sentence in `error`, "could not
 * bind: …". */
/* anvil can be bound again, with other options; the heap before is destroyed.
 * options: SUBJECT_ANVIL_DEFAULT for the default heap, which has no arena.
 * arena_size: bytes of a fixed arena that all blocks come from, so that addresses repeat, for one
 * thread at a time; 0: the page source that the options name. */
#define SUBJECT_ANVIL_DEFAULT "default"
int subject_bind_anvil(struct subject *ret_subject, const char *options, size_t arena_size,
                       char error[SUBJECT_ERROR_MAX]);
int subject_bind_host(struct subject *ret_subject, char error[SUBJECT_ERROR_MAX]);
enum subject_namespace {
    NAMESPACE_DEEPBIND, /* dlopen(RTLD_LOCAL | RTLD_DEEPBIND) */
    NAMESPACE_OWN,      /* dlmopen: a second libc */
    NAMESPACE_PRELOADED /* it is in this process already, through LD_PRELOAD */
};
int subject_bind_library(struct subject *ret_subject, const char *path,
                         enum subject_namespace name_space, char error[SUBJECT_ERROR_MAX]);

#endif
