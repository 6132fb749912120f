/* SPDX-License-Identifier: MIT */
/*
 * The probe's side of a report: outcomes, choices, phases. If several threads report an outcome,
 * the first one counts.
 */
#define PROBE_NO_NAMES
#include "conformance/process.h"

struct probe_calls calls;
static struct probe_call nowhere;
struct probe_call *probe_call = &nowhere;
static struct probe_report no_report, *report = &no_report;

void probe_report_to(struct probe_report *target)
{
    report = target;
    probe_call = &target->call;
}

enum probe_outcome probe_say(enum probe_outcome outcome, const char *format, ...)
{
    uint32_t none = OUTCOME_NONE;
    if (!atomic_compare_exchange_strong(&report->claimed, &none, outcome))
        return (enum probe_outcome)none;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(report->evidence, sizeof report->evidence, format, arguments);
    va_end(arguments);
    return outcome;
}

void probe_choose(const char *question, const char *answer)
{
    if (report->choices >= CHOICES_MAX)
        return;
    snprintf(report->choice[report->choices].question, CHOICE_MAX, "%s", question);
    snprintf(report->choice[report->choices].answer, CHOICE_MAX, "%s", answer);
    report->choices++;
}

void probe_misuse_begins(void)
{
    report->phase = PHASE_MISUSE;
}

void probe_misuse_returned(void)
{
    report->phase = PHASE_AFTER_MISUSE;
}
