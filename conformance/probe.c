/* SPDX-License-Identifier: MIT */
/*
 * The registry of probes, and the probe's side of a report: outcomes, choices, phases. If several
 * threads report an outcome, the first one counts.
 */
#define PROBE_NO_NAMES
#include "conformance/report.h"

static struct probe_call nowhere;
struct probe_call *probe_call = &nowhere;
static struct probe_report no_report, *report = &no_report;

const struct probe *probes_at(size_t i)
{
    const struct job *const *entry = NULL;
    do
        entry = job_next(JOB_PROBE, entry);
    while (entry != NULL && i-- > 0);
    return entry != NULL ? (const struct probe *)*entry : NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

const struct probe *probes_find(const char *clause)
{
    for (const struct job *const *entry = NULL; (entry = job_next(JOB_PROBE, entry)) != NULL;) {
        const struct probe *probe = (const struct probe *)*entry;
        if (has_word(probe->clauses, clause))
            return probe;
    }
    return NULL;
}

void probe_run(const struct job *job, void *memory, char *const arguments[])
{
    (void)arguments;
    report = memory;
    probe_call = &report->call;
    enum probe_outcome outcome = ((const struct probe *)job)->ask();
    report->outcome = outcome;
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
