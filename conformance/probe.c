/* SPDX-License-Identifier: MIT */
/*
 * The registry of probes, and the probe's side of a report: outcomes, choices, phases. If several
 * threads report an outcome, the first one counts.
 */
#define PROBE_NO_NAMES
#include "conformance/report.h"

static struct probe_calls nowhere;
struct probe_calls *probe_calls = &nowhere;
static struct probe_report no_report, *report = &no_report;

const struct probe *probes_at(size_t i)
{
    const struct job *const *entry = NULL;
    do
        entry = job_next(JOB_PROBE, entry);
    while (entry != NULL && (((const struct probe *)*entry)->clauses[0] == '\0' || i-- > 0));
    return entry != NULL ? (const struct probe *)*entry : NULL;
}

bool probe_answers(const struct probe *probe, const char *clause)
{
    const char *words = probe->clauses;
    size_t length = strlen(clause);
    for (const char *at = strstr(words, clause); at != NULL; at = strstr(at + 1, clause))
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

const struct probe *probes_find(const char *clause)
{
    for (const struct job *const *entry = NULL; (entry = job_next(JOB_PROBE, entry)) != NULL;) {
        const struct probe *probe = (const struct probe *)*entry;
        if (probe_answers(probe, clause))
            return probe;
    }
    return NULL;
}

void probe_run(const struct job *job, void *memory, char *const arguments[])
{
    (void)arguments;
    report = memory;
    probe_calls = &report->calls;
    unsigned lacking = job->needs & ~subject_offers(&job_subject);
    enum probe_outcome outcome =
        lacking == 0 ? ((const struct probe *)job)->ask()
                     : probe_say(OUTCOME_NOT_APPLICABLE, "the subject has no %s",
                                 subject_call_name((unsigned)__builtin_ctz(lacking)));
    report->outcome = outcome;
}

void probe_lacks(enum probe_call_id id)
{
    report->calls.lacked = id;
    _exit(0);
}

/* Beyond that no allocator has the address space. */
static const size_t absurd_size = (size_t)PTRDIFF_MAX >> (sizeof(size_t) > 4 ? 16 : 0);

void probe_is_refused(size_t size)
{
    struct probe_calls *made = &report->calls;
    if (size > absurd_size || atomic_load(&made->are_refusals_expected) != 0)
        return;
    atomic_fetch_add(&made->refusals, 1);
    made->refused = made->last;
    made->refused_size = size > made->refused_size ? size : made->refused_size;
    made->refused_blocks = atomic_load(&made->blocks);
    made->refused_bytes = atomic_load(&made->bytes);
}

void probe_expects_refusals(void)
{
    atomic_store(&report->calls.are_refusals_expected, 1);
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
