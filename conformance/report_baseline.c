/* SPDX-License-Identifier: MIT */
/* Failures as findings, for baselines and for programs; which entries of a baseline no longer
 * apply. */
#include "conformance/report_formats.h"
#include "harness/base/text.h"
#include "harness/subject/catalog.h"

#include <string.h>

void report_make_finding(struct finding *ret_finding, const char *subject,
                         const struct clause_result *result)
{
    *ret_finding = (struct finding){.op = VERDICT_NO_OP, .reproduced = 1, .attempts = 1};
    text_copy_printable(ret_finding->subject, sizeof ret_finding->subject, subject);
    text_copy_printable(ret_finding->check, sizeof ret_finding->check, result->clause->id);
    text_copy_printable(ret_finding->site, sizeof ret_finding->site,
                        clause_verdict_name(result->verdict));
    text_copy_printable(ret_finding->sentence, sizeof ret_finding->sentence, result->evidence);
    ret_finding->note = result->counts ? NULL : "not every edition of C or of POSIX requires it";
}

/* What the clause came to instead, for a subject that the entry is about; NULL: it does what the
 * entry expects, or nobody knows. */
static const struct clause_result *find_better(const struct baseline_entry *entry,
                                               const struct report_column *column,
                                               bool *ret_applies)
{
    const struct clause_result *better = NULL;
    if (!catalog_matches(entry->subject, column->name))
        return NULL;
    for (size_t i = 0; i < column->results.count; i++) {
        const struct clause_result *result = &column->results.results[i];
        if (strcmp(result->clause->id, entry->check) != 0)
            continue;
        bool is_as_expected = strcmp(clause_verdict_name(result->verdict), entry->site) == 0;
        *ret_applies |= is_as_expected;
        if (result->verdict != CLAUSE_UNSUPPORTED && result->verdict != CLAUSE_NOT_RUN &&
            !is_as_expected)
            better = result;
    }
    return better;
}

bool report_is_outdated(const struct conform_report *report, const struct baseline_entry *entry,
                        char ret_news[REPORT_NEWS_MAX])
{
    const struct clause_result *better = NULL;
    bool applies = false;
    if (!baseline_is_clause(entry))
        return false;
    if (clauses_find(entry->check) == NULL) {
        snprintf(ret_news, REPORT_NEWS_MAX, "no longer applies: %s %s %s: there is no such clause",
                 entry->subject, entry->check, entry->site);
        return true;
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct clause_result *found = find_better(entry, &report->columns[i], &applies);
        better = found != NULL ? found : better;
    }
    if (applies || better == NULL)
        return false;
    snprintf(ret_news, REPORT_NEWS_MAX, "no longer applies: %s %s %s: the verdict is %s",
             entry->subject, entry->check, entry->site, clause_verdict_name(better->verdict));
    return true;
}
