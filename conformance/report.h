/* SPDX-License-Identifier: MIT */
/*
 * The report of a probe's process, in memory that the process shares with the gate. The gate trusts
 * none of it.
 */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include "conformance/probe.h"

enum { CHOICES_MAX = 16, CHOICE_MAX = 64 };

enum report_phase { PHASE_PROBE, PHASE_MISUSE, PHASE_AFTER_MISUSE };

/* What a subject can give at a time: the largest block, small blocks, bytes in all. */
struct probe_capacity {
    _Alignas(8) volatile uint64_t largest;
    volatile uint64_t blocks, bytes;
};

struct probe_report {
    _Atomic uint32_t claimed;  /* enum probe_outcome: whoever set it writes the evidence */
    volatile uint32_t outcome; /* enum probe_outcome, once the probe returned */
    volatile uint32_t phase;
    struct probe_calls calls;
    char evidence[EVIDENCE_MAX];
    volatile uint32_t choices;
    struct {
        char question[CHOICE_MAX], answer[CHOICE_MAX];
    } choice[CHOICES_MAX];
    struct probe_capacity capacity; /* given so far to the probe that measures it */
};
/* A 32-bit child and the gate share it. */
_Static_assert(offsetof(struct probe_report, calls) % 8 == 0 &&
                   offsetof(struct probe_report, capacity) % 8 == 0 &&
                   sizeof(struct probe_report) % 8 == 0,
               "one layout for both widths");

#endif
