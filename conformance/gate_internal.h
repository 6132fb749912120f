/* SPDX-License-Identifier: MIT */
/*
 * Shared by the files of the gate: gate.c selects and collects, gate_process.c runs probes,
 * gate_judge.c turns endings into verdicts, gate_room.c tells whether a subject had memory left,
 * gate_choices.c compares the choices of a subject.
 */
#ifndef CONFORMANCE_GATE_INTERNAL_H
#define CONFORMANCE_GATE_INTERNAL_H

#define PROBE_NO_NAMES /* malloc means this process's own */
#include "conformance/gate.h"
#include "conformance/report.h"

enum { OUTPUT_MAX = 160 };

/* How a probe's process ended. */
enum ending_kind {
    ENDING_OWN,    /* by itself, or by a signal: the status tells */
    ENDING_HANG,   /* it was stopped in one call: processor time without a return, or a deadlock */
    ENDING_SLOW,   /* it was stopped while calls returned: its processor time was used up */
    ENDING_NOT_RUN /* it was not started, or the limit of the run stopped it */
};

struct ending {
    enum ending_kind kind;
    bool is_deadlock;        /* of a hang */
    unsigned hang_ms;        /* of processor time in the call, if it is none */
    int status;              /* as of waitpid */
    const char *reason;      /* for ENDING_NOT_RUN: one sentence */
    const char *unbound;     /* why the subject could not be bound; NULL: it was */
    unsigned offers;         /* the functions that it found, as subject_offers */
    char output[OUTPUT_MAX]; /* the first line that it printed, cleaned */
};

/* Processor time of a probe in all, and in one call: where none of its function was seen to hang
 * yet, a call gets more, since slow ones return by then. Where the time of the run is limited,
 * probes that need more than the first share, or much longer, are put off until all others have
 * run. */
enum {
    FIRST_CPU_S = 1,
    FIRST_WALL_MS = 4000,
    PROBE_CPU_S = 10,
    HANG_CPU_MS = 1000,
    HANG_FIRST_CPU_MS = 5000
};

/* Runs probes in this order, `jobs` at a time, and hands each report to `collect`, in any order.
 * Probes for which there is no time, or that need a function in which the subject hangs again and
 * again, are handed over as not run. Returns 0 or a positive errno. */
typedef void collect_function(const struct probe *probe, const struct probe_report *report,
                              const struct ending *ending, void *context);
int gate_run_probes(const struct gate_options *options, const struct probe *const *probes,
                    size_t count, collect_function *collect, void *context);

/* Whether it can be the malloc of a whole process, as far as is known. */
bool gate_can_serve_process(const struct subject_plan *subject);

/* What the subject gives in a process of its own when it is asked for so much; less if it has less,
 * or is too slow. All 0 if that process cannot be started. */
struct probe_capacity gate_measure_capacity(const struct gate_options *options,
                                            const struct probe_capacity *asked);
extern const struct probe capacity_probe;

/* What is known of the subject's capacity; all 0 at first. */
struct room {
    struct probe_capacity asked, given;
};
/* May the subject have had nothing to give when the probe that made these calls was refused
 * memory? */
bool room_is_short(struct room *room, const struct gate_options *options,
                   const struct probe_calls *made);
/* Has it less than probes may need? */
bool room_is_limited(struct room *room, const struct gate_options *options);

/* "malloc(64)"; "before any call of the subject" if there was none. */
enum { CALL_TEXT_MAX = 128 };
const char *gate_describe_call(const struct probe_call *call, char ret_text[CALL_TEXT_MAX]);

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
