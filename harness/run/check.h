/* SPDX-License-Identifier: MIT */
/*
 * The checks that a run asserts, and the verdict that names the first one to fail. This list is the
 * only place where a check is registered, with its severity, by which reports are ordered: the
 * runner, the mutants, the reports and the documents read it.
 */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* What a failure does to a program, worst first. */
enum severity {
    SEVERITY_CORRUPTION, /* memory of others is changed, or the program ends */
    SEVERITY_WRONG,      /* a wrong result, or none */
    SEVERITY_ERRNO,      /* only the error code is wrong */
    SEVERITY_COST,       /* memory or time beyond measure */
    SEVERITY_COUNT
};

/* clause: the one that says the same, NULL: no standard does */
#define CHECKS(CHECK)                                                                              \
    CHECK(OVERLAP, CORRUPTION, "overlap", "C23-7.24.3-p1-g",                                       \
          "no live block intersects another, nor the harness's own memory")                        \
    CHECK(ALIGNMENT, WRONG, "alignment", NULL,                                                     \
          "a block is aligned to at least what the call promises")                                 \
    CHECK(CONTENT, CORRUPTION, "content", "C23-7.24.3-p1-f",                                       \
          "the bytes of a live block never change; realloc keeps min(old, new) of them")           \
    CHECK(ZEROED, WRONG, "zeroed", "C23-7.24.3.2-p2-b",                                            \
          "every byte of a calloc block is zero, in recycled memory too")                          \
    CHECK(USABLE, WRONG, "usable", "GLIBC-usable-2",                                               \
          "malloc_usable_size is at least the requested size, and stable")                         \
    CHECK(IMPOSSIBLE, WRONG, "impossible", "C23-7.24.3-p1-j",                                      \
          "nothing that cannot fit succeeds; no product wraps")                                    \
    CHECK(NULL, WRONG, "null", NULL,                                                               \
          "a modest request succeeds, and a failed posix_memalign leaves its out-parameter alone") \
    CHECK(ERRNO, ERRNO, "errno", NULL,                                                             \
          "a failure sets the right errno; free never changes errno; nothing sets it to 0")        \
    CHECK(KEPT, CORRUPTION, "kept", "C23-7.24.3.7-p3-f",                                           \
          "a failed realloc leaves the old block whole")                                           \
    CHECK(                                                                                         \
        RECOVERY, COST, "recovery", NULL,                                                          \
        "after an OS call failed on demand, freeing makes room again, and all else is as before")  \
    CHECK(FOOTPRINT, COST, "footprint", NULL,                                                      \
          "identical cycles do not grow memory; after freeing all, the same maximum fits again")   \
    CHECK(SCALING, COST, "scaling", NULL,                                                          \
          "time and OS calls per operation do not grow with the number of blocks")                 \
    CHECK(PROGRESS, WRONG, "progress", NULL, "every call returns in time")                         \
    CHECK(POLICY, WRONG, "policy", NULL,                                                           \
          "the subject keeps to its own implementation-defined choices")                           \
    CHECK(HEAP, CORRUPTION, "heap", NULL, "the subject's own walker finds its heap in order")      \
    CHECK(CRASH, CORRUPTION, "crash", NULL,                                                        \
          "every call returns to its caller: no signal, abort or exit")                            \
    CHECK(RACE, CORRUPTION, "race", NULL,                                                          \
          "no two threads touch the same plain memory without an order between them")

enum check {
#define CHECK(id, severity, name, clause, asserts) CHECK_##id,
    CHECKS(CHECK)
#undef CHECK
        CHECK_COUNT
};

const char *check_name(enum check check);
const char *check_asserts(enum check check);
/* The ID of the clause of a standard that requires the same; NULL: none does. */
const char *check_clause(enum check check);
enum severity check_severity(enum check check);
/* "corruption", "wrong result", "errno", "cost". */
const char *severity_name(enum severity severity);
/* Checks that one defect fails by turns, as bits, with this one among them: memory that two owners
 * share shows as overlap, content, a crash, or a call that never returns. */
uint32_t check_family(enum check check);
/* Returns CHECK_COUNT for an unknown name. */
enum check check_find(const char *name);

enum { VERDICT_SITE_MAX = 40, VERDICT_SENTENCE_MAX = 256 };
#define VERDICT_NO_OP UINT32_MAX

/* Says what went wrong. Plain data: travels between processes. */
struct verdict {
    uint32_t check; /* enum check */
    /* index in the trace of the op at fault, or VERDICT_NO_OP: after the last one */
    uint32_t op;
    uint32_t cycle; /* of the trace: 0, or how many identical cycles before were clean */
    /* the function at fault: with the check, what makes two findings the same */
    char site[VERDICT_SITE_MAX];
    char sentence[VERDICT_SENTENCE_MAX]; /* one sentence with numbers, no full stop */
};

/* A class of verdicts. Plain data. */
struct verdict_class {
    uint32_t check;
    char site[VERDICT_SITE_MAX];
};

/* The class of a finding, <check>-<site>, as the name of a file or folder: letters, digits, '-',
 * and '_' for anything else. */
enum { VERDICT_CLASS_MAX = 80 };
void verdict_class_name(const struct verdict *verdict, char ret_name[VERDICT_CLASS_MAX]);

/* Whether only a later cycle shows it, though it is not about cycles, as growth and recovery
 * are. */
bool verdict_is_late(const struct verdict *verdict);

#endif
