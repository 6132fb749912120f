/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the gate: gate.c selects and collects, gate_process.c runs probes,
 * gate_judge.c turns endings into verdicts, gate_choices.c compares the choices of a subject.
 */
#ifndef CONFORMANCE_GATE_INTERNAL_H
#define CONFORMANCE_GATE_INTERNAL_H

#define PROBE_NO_NAMES /* malloc means this process's own */
#include "conformance/gate.h"
#include "conformance/report.h"

enum { OUTPUT_MAX = 160 };

/* What became of one probe's process. */
struct ending {
    int status; /* as of waitpid */
    bool is_timed_out;
    const char *unbound;     /* why the subject could not be bound; NULL: it was */
    char output[OUTPUT_MAX]; /* the first line that it printed, cleaned */
};

/* Runs probes, `jobs` at a time, and hands each report to `collect`, in any order. Returns 0 or a
 * positive errno. */
typedef void collect_function(const struct probe *probe, const struct probe_report *report,
                              const struct ending *ending, void *context);
int gate_run_probes(const struct gate_options *options, const struct probe *const *probes,
                    size_t count, collect_function *collect, void *context);

/* Implementation-defined choices that probes reported: a subject must answer a question the same
 * way wherever it is put. */
enum { CHOICES_KNOWN_MAX = 256 };

struct choices {
    size_t count;
    struct choice {
        char question[CHOICE_MAX], answer[CHOICE_MAX];
        const struct probe *probe;
    } choice[CHOICES_KNOWN_MAX];
};
void choices_add(struct choices *choices, const struct probe *probe,
                 const struct probe_report *report);
/* Turns the results of IMPL-DEFINED clauses that contradict an earlier probe into failures. Does
 * not depend on the order of choices_add. */
void choices_judge(const struct choices *choices, struct gate_results *results);

/* The verdict of a probe in the light of a clause, with its evidence. */
enum clause_verdict gate_judge(const struct clause *clause, const struct probe_report *report,
                               const struct ending *ending, char ret_evidence[EVIDENCE_MAX]);

#endif
