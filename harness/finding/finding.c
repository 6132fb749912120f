/* SPDX-License-Identifier: MIT */
/* Makes a finding of a verdict, counts how often it shows. Whatever a subject printed, or put into
 * a sentence, is foreign text: it is made printable here, once, before it goes anywhere. */
#include "harness/finding/finding.h"
#include "harness/base/text.h"

#include <string.h>

void finding_make(struct finding *ret_finding, const char *subject, const struct verdict *verdict,
                  const char *output)
{
    *ret_finding = (struct finding){.op = verdict->op, .cycle = verdict->cycle};
    text_copy_printable(ret_finding->subject, sizeof ret_finding->subject, subject);
    text_copy_printable(ret_finding->check, sizeof ret_finding->check, check_name(verdict->check));
    text_copy_printable(ret_finding->site, sizeof ret_finding->site, verdict->site);
    text_copy_printable(ret_finding->sentence, sizeof ret_finding->sentence, verdict->sentence);
    text_copy_printable(ret_finding->output, sizeof ret_finding->output, output);
}

struct verdict finding_verdict(const struct finding *finding)
{
    struct verdict verdict = {
        .check = check_find(finding->check), .op = finding->op, .cycle = finding->cycle};
    snprintf(verdict.site, sizeof verdict.site, "%s", finding->site);
    snprintf(verdict.sentence, sizeof verdict.sentence, "%s", finding->sentence);
    return verdict;
}

int finding_count(finding_trial *trial, void *context, unsigned attempts, unsigned *ret_shown)
{
    unsigned shown = 0;
    for (unsigned attempt = 0; attempt < attempts; attempt++) {
        bool shows = false;
        int failure = trial(context, &shows);
        if (failure != 0)
            return failure;
        shown += shows;
    }
    *ret_shown = shown;
    return 0;
}

/* Fresh processes show it, and its program does not: what differs is how the subject got there. */
static const char *describe_binding(enum subject_binding binding)
{
    switch (binding) {
    case BIND_DLOPEN:
    case BIND_DLMOPEN:
        return "only when dlopened: its own program, under LD_PRELOAD, does not show it";
    case BIND_STATIC:
        return "only when linked in: its own program, under LD_PRELOAD, does not show it";
    default:
        return "its own program does not show it";
    }
}

const char *finding_note(const struct finding *finding)
{
    if (finding->note != NULL)
        return finding->note;
    if (finding->confirmed == CONFIRM_NO)
        return describe_binding(finding->reproduced > 0 ? finding->binding : BIND_AUTO);
    bool is_unrepeated = finding->attempts > 0 && finding->reproduced == 0;
    return is_unrepeated && finding->confirmed != CONFIRM_YES ? "no fresh process repeats it"
                                                              : NULL;
}

bool finding_is_exit(const char *sentence)
{
    return strstr(sentence, " exit(") != NULL;
}

bool finding_is_clause(const struct finding *finding)
{
    return check_find(finding->check) == CHECK_COUNT;
}
