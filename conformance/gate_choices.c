/* SPDX-License-Identifier: MIT */
/*
 * Compares what the probes observed of each implementation-defined choice: a subject must make the
 * same choice in every probe. The texts come from the subject's process and are not trusted.
 */
#include "conformance/gate_internal.h"

#include "harness/base/text.h"

void choices_add(struct choices *choices, const struct probe *probe,
                 const struct probe_report *report)
{
    for (uint32_t i = 0;
         i < report->choices && i < CHOICES_MAX && choices->count < CHOICES_KNOWN_MAX; i++) {
        struct choice *choice = &choices->choice[choices->count++];
        text_copy_printable(choice->question, CHOICE_MAX, report->choice[i].question);
        text_copy_printable(choice->answer, CHOICE_MAX, report->choice[i].answer);
        choice->probe = probe;
    }
}

/* The answer that counts: that of the probe whose name sorts first, so that the order of processes
 * does not matter. */
static const struct choice *find_reference(const struct choices *choices, const char *question)
{
    const struct choice *first = NULL;
    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->choice[i];
        if (strcmp(choice->question, question) == 0 &&
            (first == NULL || strcmp(choice->probe->job.name, first->probe->job.name) < 0))
            first = choice;
    }
    return first;
}

static void judge_result(const struct choices *choices, struct clause_result *result)
{
    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->choice[i];
        const struct choice *reference = find_reference(choices, choice->question);
        if (choice->probe != result->probe || strcmp(choice->answer, reference->answer) == 0)
            continue;
        result->verdict = CLAUSE_FAIL;
        snprintf(result->evidence, sizeof result->evidence, "%s: expected %s as in %s, observed %s",
                 choice->question, reference->answer, reference->probe->job.name, choice->answer);
        return;
    }
}

void choices_judge(const struct choices *choices, struct gate_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        struct clause_result *result = &results->results[i];
        bool is_open = result->verdict == CLAUSE_PASS || result->verdict == CLAUSE_RECORDED;
        if (is_open && result->clause->strength == STRENGTH_IMPL_DEFINED)
            judge_result(choices, result);
    }
}
