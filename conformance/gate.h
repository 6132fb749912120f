/* SPDX-License-Identifier: MIT */
/*
 * The gate: runs the probes of the selected clauses on one subject, each in a process of its own,
 * and judges what became of them.
 *
 *   registry ─ selection ─→ probes ─ one process each ─→ reports, deaths ─ judge ─→ results:
 *                                                            one for each clause and reading
 *
 * One probe may answer several clauses; it then runs once. Not thread-safe; one gate at a time.
 */
#ifndef CONFORMANCE_GATE_H
#define CONFORMANCE_GATE_H

#include "conformance/clauses.h"
#include "conformance/outcome.h"

#include "harness/subject/subject_plan.h"

#define CLAUSE_VERDICTS(VERDICT)                                                       \
    VERDICT(PASS, "pass", "the requirement holds")                                     \
    VERDICT(FAIL, "fail", "it does not hold: the gate fails")                          \
    VERDICT(WEAK, "weak",                                                              \
            "it holds in a documented weaker reading only, or a SHOULD does not hold") \
    VERDICT(RECORDED, "recorded", "a choice within what is permitted")                 \
    VERDICT(DETECTED, "detected", "undefined use was noticed by the call that did it") \
    VERDICT(LATE, "late", "undefined use was noticed by a later call")                 \
    VERDICT(SILENT, "silent", "undefined use went unnoticed")                          \
    VERDICT(NOT_APPLICABLE, "not-applicable", "the subject lacks what it is about")    \
    VERDICT(UNSUPPORTED, "unsupported", "the question cannot be put here")             \
    VERDICT(ERROR, "error", "the subject could not be bound in the probe's process")   \
    VERDICT(NOT_RUN, "not-run", "there was no time, or the subject hangs in a call")   \
    VERDICT(UNTESTABLE, "untestable", "no run-time probe can answer it; the registry says why")

enum clause_verdict {
#define VERDICT(id, name, meaning) CLAUSE_##id,
    CLAUSE_VERDICTS(VERDICT)
#undef VERDICT
        CLAUSE_VERDICT_COUNT
};
const char *clause_verdict_name(enum clause_verdict verdict);
const char *clause_verdict_meaning(enum clause_verdict verdict);
/* CLAUSE_VERDICT_COUNT: no such verdict. */
enum clause_verdict clause_verdict_find(const char *name);

/* One clause, in the selected profiles that share the verdict: a weak reading that fails in strict
 * profiles makes two results. */
struct clause_result {
    const struct clause *clause;
    unsigned profiles; /* bit i: enum profile */
    enum clause_verdict verdict;
    /* A failure in what is asked for: of the profiles that were selected, or, where none was, of
     * what C17 and C23 or both editions of POSIX require. Others are shown. */
    bool counts;
    unsigned offers; /* functions that the probe found, as subject_offers; 0: it did not run */
    const struct probe *probe; /* NULL: untestable */
    char evidence[EVIDENCE_MAX];
};

struct gate_results {
    size_t count;
    struct clause_result *results; /* in the registry's order */
    size_t run;                    /* clauses whose probe ran */
    size_t probes;                 /* clauses that have a probe */
    unsigned wall_ms;
};

struct gate_options {
    unsigned profiles;        /* bit i: enum profile; 0: all, and failures count as by `counts` */
    const char *const *globs; /* of clause ids, as for fnmatch; NULL or empty: all */
    size_t glob_count;
    unsigned jobs;     /* probes at a time; 0: one a processor */
    unsigned limit_ms; /* for all probes, once at_least of them ran; 0: none */
    uint64_t at_least;
    uint64_t capacity; /* bytes that the subject can give at a time; 0: measured when it matters */
    /* in process; probes that need the whole process get it preloaded */
    const struct subject_plan *subject;
    bool has_sanitizer; /* of this build: then such probes are unsupported */
    /* Asked all the time: whether to stop. May be NULL. */
    bool (*is_over)(void);
    /* Called with each result as it is judged; may be NULL. What an implementation-defined choice
     * comes to in the light of others is known at the end only. */
    void (*collect)(const struct clause_result *result, void *context);
    /* Called after every probe; may be NULL. */
    void (*progress)(size_t done, size_t all, void *context);
    void *context;
};

/* Returns 0, or a positive errno with one sentence in `error`: ENOENT if the selection matches no
 * clause. Results are the caller's, to be released by gate_done. */
int gate_run(const struct gate_options *options, struct gate_results *ret_results,
             char error[SUBJECT_ERROR_MAX]);
void gate_done(struct gate_results *results);

/* Clauses that have to be run for a run that found nothing to say so: GATE_MINIMUM, or all of those
 * selected that have a probe. */
enum { GATE_MINIMUM = 100 };
size_t gate_minimum(const struct gate_results *results);

bool gate_selects(const struct gate_options *options, const struct clause *clause);

#endif
