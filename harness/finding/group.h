/* SPDX-License-Identifier: MIT */
/*
 * One cause, one finding: which findings show the same defect. A person reads one headline for a
 * group, with its smallest trace.
 *
 * A defect in memory shows under many checks and in many functions, so that the class of a finding
 * does not tell its cause. What tells it is the trace that shrink_to_cause came to: the functions
 * that it still needs beside malloc and free, the threads, forks and refused OS calls, and the
 * magnitude of its sizes. Findings whose traces agree in these, and in the kind of their effect,
 * are one group. A finding without a trace (a clause, a scenario, a workload) joins the group that
 * explains it: of the same effect in the same function, or of damage to plain blocks, which spoils
 * every function. What the trace needs must be there in the finding too: a trace that fails only
 * after a refusal, a fork, another user's sbrk or an odd alignment explains nothing of a scenario
 * that has none of these. It joins one group only, so that no two traces are ever joined by it.
 */
#ifndef HARNESS_GROUP_H
#define HARNESS_GROUP_H

#include "harness/finding/finding.h"

/* What a failure does, as far as causes are told apart by it. */
enum effect {
    EFFECT_MEMORY, /* the family of overlap, content and crash */
    EFFECT_HEAP,   /* seen by the subject's own walker */
    EFFECT_USABLE,
    EFFECT_PROGRESS,
    EFFECT_ALIGNMENT,
    EFFECT_IMPOSSIBLE,
    EFFECT_NULL,
    EFFECT_ERRNO,
    EFFECT_POLICY,
    EFFECT_RECOVERY,
    EFFECT_FOOTPRINT,
    EFFECT_SCALING,
    EFFECT_OTHER /* a clause whose sentence tells nothing more: a cause of its own */
};

/* A cause, as far as a finding tells it; equal ones are one cause. */
struct cause {
    enum effect effect;
    bool is_large;           /* its trace needs a size or an alignment of CAUSE_LARGE and more */
    bool grows, shrinks;     /* its trace has a realloc that does */
    bool is_zero, is_beyond; /* its trace aligns a block of size 0; beyond a page */
    /* bit i: family of functions (group.c) that it names, or that its trace needs beside malloc and
     * free */
    unsigned functions;
    unsigned named; /* families that the sentence of a clause names, be they at fault or not */
    bool needs_threads, needs_exit, needs_fork; /* its trace */
    bool needs_break;                           /* likewise: another user of the program break */
    bool needs_odd_alignment; /* likewise: one that is invalid, or beyond a page */
    bool fails;       /* its trace has a call that must fail, or whose request may be refused */
    unsigned refused; /* bit i: enum op_kind, whose request to the system is refused; 0: none */
    bool has_trace;
    bool is_workload;   /* of growth: a single thread, whose calls its name tells */
    bool is_blocked;    /* threads that wait for one another, as torture words it */
    bool exits;         /* the subject ends the process by exit */
    bool is_release;    /* what free does to errno: it does not fail, as the others may */
    bool is_concurrent; /* a scenario of torture, or a clause about threads */
    bool is_about_fork; /* likewise */
};
/* what a machine, or an allocator, may well refuse */
#define CAUSE_IMPOSSIBLE (UINT64_C(1) << 30)
/* about where allocators change from heap to mapping */
#define CAUSE_LARGE (UINT64_C(96) << 10)

struct cause finding_cause(const struct finding *finding);

/* Sets ret_group[i] to the number of the group of finding i; numbers begin with 0, in the order of
 * the first finding of each group. Returns how many groups there are. */
size_t findings_group(const struct finding *findings, size_t count, size_t *ret_group);

/* Of two findings of one group whether the first is the better headline: one that counts, then one
 * with a trace of plain calls, then one with any trace, then the worse check, then the shorter
 * trace. */
bool finding_leads(const struct finding *first, const struct finding *second);

/* Of a clause by what its sentence says. */
enum severity finding_severity(const struct finding *finding);

#endif
