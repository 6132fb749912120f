/* SPDX-License-Identifier: MIT */
/*
 * From lines to causes. Shrinking comes first: it is what makes traces of one cause alike. The
 * program of a headline runs last; if it does not show the finding, the next of the group has its
 * turn, so that a cause is a note only if nothing of it can be shown.
 */
#include "mallet/check_causes.h"

#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "harness/finding/finding_json.h"
#include "harness/program/confirm.h"
#include "harness/program/export.h"
#include "mallet/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FIRST_BUDGET = 4,    /* runs for one class, before any gets more */
    FEW_OPS = 2,         /* of malloc and free: they tell their cause, shrunk to the end or not */
    SHRINK_BUDGET = 800, /* runs for one class */
    HANG_BUDGET = 4000,  /* each of these counts as many */
    CPU_LIMIT_MS = 500,
    ATTEMPTS = 5,
    RACE_RUNS = 3,
    CONFIRM_SHARE = 3, /* one part in so many of the time is for programs */
    OPS_MAX = 1 << 16,
    ROOM = 64 /* a fork may become several calls */
};

static double end_of_work; /* what is_cancelled has no other way to know */

static bool is_over(void)
{
    return check_now() >= end_of_work || cli_is_interrupted();
}

/* ---- candidates: one finding of each class, shrunk ---- */

struct candidate {
    struct finding finding; /* its trace is its own */
    size_t member;          /* index of the finding that it was */
    size_t group;
    bool is_shrunk; /* its trace has only what its cause needs */
    bool is_tried;  /* by its program */
};

struct search {
    struct check_causes *causes;
    struct candidate *candidates;
    size_t count;
    struct executor *executor; /* NULL: the subject cannot be run here */
};

static bool copy_trace(const struct trace *trace, struct trace *ret_trace)
{
    const size_t capacity = trace->count + ROOM;
    struct trace copy = {
        .ops = calloc(capacity, sizeof *copy.ops), .count = trace->count, .capacity = capacity};
    if (copy.ops == NULL)
        return false;
    memcpy(copy.ops, trace->ops, trace->count * sizeof *copy.ops);
    *ret_trace = copy;
    return true;
}

/* Whether the second shows the class better: what a step of this build saw before what an earlier
 * build had, whose program shows it still, but in its own words. */
static bool is_better(const struct check_finding *best, const struct check_finding *other)
{
    bool is_earlier = strcmp(best->step, "earlier") == 0;
    return is_earlier ? finding_note(&other->finding) == NULL
                      : finding_leads(&other->finding, &best->finding);
}

/* The best of each class. */
static void choose_candidates(struct search *search)
{
    struct check_causes *causes = search->causes;
    search->candidates = calloc(causes->finding_count + 1, sizeof *search->candidates);
    for (size_t i = 0; search->candidates != NULL && i < causes->finding_count; i++) {
        size_t best = i;
        if (causes->findings[i].class != i)
            continue;
        for (size_t j = i + 1; j < causes->finding_count; j++)
            if (causes->findings[j].class == i &&
                is_better(&causes->findings[best], &causes->findings[j]))
                best = j;
        struct candidate *candidate = &search->candidates[search->count++];
        *candidate = (struct candidate){.finding = causes->findings[best].finding, .member = best};
        if (!copy_trace(&candidate->finding.trace, &candidate->finding.trace))
            candidate->finding.trace = (struct trace){0};
    }
}

static void copy_count(struct finding *shrunk, const struct finding *finding)
{
    shrunk->binding = finding->binding;
    shrunk->reproduced = finding->reproduced;
    shrunk->attempts = finding->attempts;
}

static bool is_short_and_plain(const struct trace *trace)
{
    bool is_plain = trace->count <= FEW_OPS;
    for (size_t i = 0; is_plain && i < trace->count; i++)
        is_plain = trace->ops[i].kind == OP_MALLOC || trace->ops[i].kind == OP_FREE;
    return is_plain;
}

/* Makes the candidate the finding that its smallest trace shows. What does not show any more stays
 * as it was found. budget: 0: what there is for one class. */
static void shrink_candidate(struct search *search, struct candidate *candidate, unsigned budget)
{
    struct finding *finding = &candidate->finding, shrunk;
    struct execution execution;
    struct trace trace;
    char error[SUBJECT_ERROR_MAX];
    const struct verdict verdict = finding_verdict(finding);
    const unsigned most = verdict.check == CHECK_PROGRESS ? HANG_BUDGET : SHRINK_BUDGET;
    if (finding->trace.count == 0 || is_over() || !copy_trace(&finding->trace, &trace))
        return;
    int failure = shrink_to_cause(search->executor, &trace, &verdict, budget > 0 ? budget : most,
                                  &execution, error);
    if (failure != 0 || execution.is_clean) {
        free(trace.ops);
        if (failure == 0 && finding->attempts == 0)
            finding->attempts = ATTEMPTS; /* nobody had repeated it, and nothing does */
        return;
    }
    finding_make(&shrunk, search->causes->subject, &execution.verdict, execution.output);
    shrunk.trace = trace;
    if (budget > 0 || finding_reproduce(search->executor, &shrunk, ATTEMPTS, error) != 0)
        copy_count(&shrunk, finding);
    free(finding->trace.ops);
    *finding = shrunk;
    candidate->is_shrunk = (budget == 0 && !is_over()) || is_short_and_plain(&trace);
}

/* In which order: a trace, a trace that takes its whole limit in each run, no trace. */
static unsigned effort_of(const struct candidate *candidate)
{
    bool is_hang = check_find(candidate->finding.check) == CHECK_PROGRESS;
    return candidate->finding.trace.count == 0 ? 2 : is_hang;
}

/* The shortest shrinks fastest, and a hang takes its limit in each run: when the time ends, most
 * have had their turn. What has no trace comes last, so that it is also confirmed last. */
static int compare_efforts(const void *left, const void *right)
{
    const struct candidate *first = left, *second = right;
    size_t one = first->finding.trace.count, other = second->finding.trace.count;
    if (effort_of(first) != effort_of(second))
        return effort_of(first) < effort_of(second) ? -1 : 1;
    return (one > other) - (one < other);
}

/* The defect may be a known one that showed in another way. */
static bool is_expected(const struct search *search, const struct candidate *candidate)
{
    return cli_findings_expect(search->causes->log, &candidate->finding) != NULL;
}

static void shrink_candidates(struct search *search)
{
    char error[SUBJECT_ERROR_MAX];
    const struct cli *cli = &search->causes->request->cli;
    const struct executor_options options = {.cpu_limit_ms = CPU_LIMIT_MS,
                                             .has_capacity = cli->has_capacity,
                                             .capacity = cli->capacity,
                                             .is_cancelled = is_over};
    size_t kept = 0;
    if (executor_start(&search->executor, search->causes->request->subject, &options, error) != 0)
        return;
    for (size_t i = 0; i < search->count; i++) /* what is not shrunk in time has a program too */
        shrink_drop_lacking(search->executor, &search->candidates[i].finding.trace,
                            &search->candidates[i].finding.op);
    qsort(search->candidates, search->count, sizeof *search->candidates, compare_efforts);
    for (size_t i = 0; i < search->count; i++)
        shrink_candidate(search, &search->candidates[i], FIRST_BUDGET);
    for (size_t i = 0; i < search->count; i++)
        shrink_candidate(search, &search->candidates[i], 0);
    executor_stop(search->executor);
    for (size_t i = 0; i < search->count; i++)
        if (is_expected(search, &search->candidates[i])) {
            search->causes->expected++;
            free(search->candidates[i].finding.trace.ops);
        } else {
            search->candidates[kept++] = search->candidates[i];
        }
    search->count = kept;
}

/* A trace that was not shrunk says nothing about its cause: most of it is not needed. The check and
 * the function have to tell it. */
static size_t group_candidates(struct search *search)
{
    struct finding *findings = calloc(search->count + 1, sizeof *findings);
    size_t *groups = calloc(search->count + 1, sizeof *groups), count = 0;
    for (size_t i = 0; findings != NULL && i < search->count; i++) {
        findings[i] = search->candidates[i].finding;
        if (!search->candidates[i].is_shrunk)
            findings[i].trace = (struct trace){0};
    }
    if (findings != NULL && groups != NULL)
        count = findings_group(findings, search->count, groups);
    for (size_t i = 0; groups != NULL && i < search->count; i++)
        search->candidates[i].group = groups[i];
    free(findings);
    free(groups);
    return count;
}

/* ---- the headline of a group ---- */

static struct candidate *best_of(const struct search *search, size_t group)
{
    struct candidate *best = NULL;
    for (size_t i = 0; i < search->count; i++) {
        struct candidate *candidate = &search->candidates[i];
        if (candidate->group == group &&
            (best == NULL || finding_leads(&candidate->finding, &best->finding)))
            best = candidate;
    }
    return best;
}

static bool write_part(const char *path, const struct finding *finding,
                       void (*write)(FILE *, const struct finding *))
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (output_open(&output, path, error) != 0)
        return false;
    write(output.file, finding);
    return output_close(&output, error) == 0;
}

static void write_program(FILE *out, const struct finding *finding)
{
    struct verdict verdict = finding_verdict(finding);
    (void)export_program(out, &finding->trace, &verdict);
}

static void write_text(FILE *out, const struct finding *finding)
{
    fputs(finding->program, out);
}

/* A clause has its program where the step was told to put it. */
static void find_clause_program(const struct check_causes *causes, const struct finding *finding,
                                char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%.2000s/clauses/%s-%s.c", causes->request->output,
             causes->subject, finding->check);
    FILE *file = fopen(ret_path, "re");
    if (file != NULL)
        fclose(file);
    else
        ret_path[0] = '\0';
}

/* Puts trace and program into the cause's folder, or finds the program where its step left it. */
static void save(const struct check_causes *causes, struct check_cause *cause)
{
    const struct finding *lead = &cause->lead;
    char error[OUTPUT_ERROR_MAX], path[PATH_MAX];
    bool has_text = lead->program != NULL && strchr(lead->program, '\n') != NULL;
    cause->program[0] = cause->trace[0] = '\0';
    snprintf(path, sizeof path, "%.3000s/program.c", cause->folder);
    if (output_make_folder(cause->folder, error) != 0)
        return;
    if (lead->trace.count > 0) {
        snprintf(cause->trace, sizeof cause->trace, "%.3000s/trace.trace", cause->folder);
        (void)write_part(cause->trace, lead, report_write_trace);
        (void)write_part(path, lead, write_program);
        snprintf(cause->program, sizeof cause->program, "%s", path);
    } else if (has_text && write_part(path, lead, write_text)) {
        snprintf(cause->program, sizeof cause->program, "%s", path);
    } else if (finding_is_clause(lead)) {
        find_clause_program(causes, lead, cause->program);
    } else if (lead->program != NULL) {
        snprintf(cause->program, sizeof cause->program, "%s", lead->program);
    }
}

/* A race that does not show in a few runs of a program may be there all the same. */
static void confirm(const struct check_causes *causes, struct check_cause *cause)
{
    struct finding *lead = &cause->lead;
    bool is_race = strncmp(lead->site, "torture/", 8) == 0;
    if (lead->confirmed != CONFIRM_UNKNOWN || cause->program[0] == '\0' || is_over())
        return;
    const struct confirm_request request = {.subject = causes->request->subject,
                                            .source = cause->program,
                                            .is_hang = check_find(lead->check) == CHECK_PROGRESS,
                                            .touch_ms =
                                                trace_touch_ms(&lead->trace, lead->trace.count),
                                            .runs = is_race ? RACE_RUNS : 0,
                                            .ret_run = &cause->shown_by_run,
                                            .is_cancelled = is_over};
    enum confirmation confirmed = confirm_by_program(&request);
    if (!is_race || confirmed == CONFIRM_YES)
        lead->confirmed = confirmed;
}

static void count_members(const struct search *search, size_t group, struct check_cause *cause)
{
    cause->severity = SEVERITY_COUNT;
    for (size_t i = 0; i < search->count; i++) {
        const struct candidate *candidate = &search->candidates[i];
        enum severity severity = finding_severity(&candidate->finding);
        if (candidate->group != group)
            continue;
        cause->members++;
        if (severity < cause->severity)
            cause->severity = severity;
    }
}

/* Tries one after the other until the best one is confirmed, or cannot be. */
static void make_cause(const struct search *search, size_t group, struct check_cause *cause)
{
    struct candidate *best;
    snprintf(cause->folder, sizeof cause->folder, "%.3000s/.group",
             search->causes->request->output);
    cause->group = group;
    count_members(search, group, cause);
    for (;;) {
        best = best_of(search, group);
        cause->lead = best->finding;
        cause->step = search->causes->findings[best->member].step;
        save(search->causes, cause);
        if (best->is_tried)
            break;
        confirm(search->causes, cause);
        best->is_tried = true;
        best->finding.confirmed = cause->lead.confirmed;
    }
    cause->counts = cli_findings_counts(search->causes->log, &cause->lead);
}

/* ---- all of it ---- */

static void map_members(const struct search *search)
{
    struct check_causes *causes = search->causes;
    for (size_t i = 0; i < causes->finding_count; i++)
        causes->findings[i].cause = SIZE_MAX;
    for (size_t i = 0; i < search->count; i++) {
        size_t class = causes->findings[search->candidates[i].member].class;
        for (size_t j = 0; j < causes->finding_count; j++)
            if (causes->findings[j].class == class)
                causes->findings[j].cause = search->candidates[i].group;
    }
}

static int compare_causes(const void *left, const void *right)
{
    const struct check_cause *first = left, *second = right;
    if (first->counts != second->counts)
        return first->counts ? -1 : 1;
    if (first->severity != second->severity)
        return first->severity < second->severity ? -1 : 1;
    return first->members > second->members ? -1 : first->members < second->members;
}

/* Members name their cause by its group until it has its place. */
static void sort_causes(struct check_causes *causes)
{
    size_t *places = calloc(causes->cause_count + 1, sizeof *places);
    qsort(causes->causes, causes->cause_count, sizeof *causes->causes, compare_causes);
    for (size_t i = 0; places != NULL && i < causes->cause_count; i++)
        places[causes->causes[i].group] = i;
    for (size_t i = 0; places != NULL && i < causes->finding_count; i++)
        if (causes->findings[i].cause < causes->cause_count)
            causes->findings[i].cause = places[causes->findings[i].cause];
    free(places);
}

static void remove_folder(const char *folder)
{
    static const char *const parts[] = {"program.c", "trace.trace"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(path, sizeof path, "%.3000s/%s", folder, parts[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* Under the numbers of the page; those of an earlier check go. */
static void save_causes(struct check_causes *causes)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.3000s/.group", causes->request->output);
    remove_folder(folder);
    for (size_t i = 0; i < causes->cause_count || access(folder, F_OK) == 0; i++) {
        snprintf(folder, sizeof folder, "%.3000s/%zu", causes->request->output, i + 1);
        remove_folder(folder);
        if (i >= causes->cause_count)
            continue;
        memcpy(causes->causes[i].folder, folder, sizeof folder);
        save(causes, &causes->causes[i]);
    }
}

void check_causes_find(struct check_causes *causes, double until)
{
    struct search search = {.causes = causes};
    double left = until - check_now();
    choose_candidates(&search);
    end_of_work = until - left / (double)CONFIRM_SHARE;
    shrink_candidates(&search);
    end_of_work = until;
    size_t count = group_candidates(&search);
    causes->causes = calloc(count + 1, sizeof *causes->causes);
    map_members(&search);
    for (size_t group = 0; causes->causes != NULL && group < count; group++) {
        struct check_cause *cause = &causes->causes[causes->cause_count++];
        make_cause(&search, group, cause);
        causes->note_count += !cause->counts;
        if (!copy_trace(&cause->lead.trace, &cause->lead.trace))
            cause->lead.trace = (struct trace){0};
    }
    sort_causes(causes);
    save_causes(causes);
    for (size_t i = 0; i < search.count; i++)
        free(search.candidates[i].finding.trace.ops);
    free(search.candidates);
}

void check_causes_done(struct check_causes *causes)
{
    for (size_t i = 0; i < causes->cause_count; i++)
        free(causes->causes[i].lead.trace.ops);
    for (size_t i = 0; i < causes->finding_count; i++) {
        free(causes->findings[i].finding.trace.ops);
        finding_done(&causes->findings[i].finding);
    }
    free(causes->causes);
    free(causes->findings);
}
