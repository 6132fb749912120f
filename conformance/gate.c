/* SPDX-License-Identifier: MIT */
/*
 * Selects clauses, has their probes run, and collects one result for each clause and reading. Uses
 * gate_process.c, gate_judge.c and gate_choices.c.
 */
#include "conformance/gate_internal.h"

#include "harness/base/clock.h"

#include <fnmatch.h>

#define VERDICT(id, name, meaning) {name, meaning},
static const struct {
    const char *name, *meaning;
} verdicts[] = {CLAUSE_VERDICTS(VERDICT)};
#undef VERDICT

struct gate {
    const struct gate_options *options;
    struct gate_results *results;
    size_t done, all;
    struct choices choices;
};

const char *clause_verdict_name(enum clause_verdict verdict)
{
    return verdicts[verdict].name;
}

const char *clause_verdict_meaning(enum clause_verdict verdict)
{
    return verdicts[verdict].meaning;
}

enum clause_verdict clause_verdict_find(const char *name)
{
    unsigned i = 0;
    while (i < CLAUSE_VERDICT_COUNT && strcmp(verdicts[i].name, name) != 0)
        i++;
    return (enum clause_verdict)i;
}

static unsigned selected_profiles(const struct gate_options *options)
{
    return options->profiles != 0 ? options->profiles : (1u << PROFILE_COUNT) - 1;
}

bool gate_selects(const struct gate_options *options, const struct clause *clause)
{
    if ((selected_profiles(options) & clause->profiles) == 0)
        return false;
    for (size_t i = 0; i < options->glob_count; i++)
        if (fnmatch(options->globs[i], clause->id, 0) == 0)
            return true;
    return options->glob_count == 0;
}

static struct clause_result *add_result(struct gate *gate, const struct clause *clause,
                                        unsigned profiles, const struct probe *probe)
{
    struct clause_result *result = &gate->results->results[gate->results->count++];
    *result = (struct clause_result){.clause = clause, .profiles = profiles, .probe = probe};
    return result;
}

static void add_verdict(struct gate *gate, const struct clause *clause, unsigned profiles,
                        const struct probe *probe, enum clause_verdict verdict,
                        const char *evidence)
{
    struct clause_result *result = add_result(gate, clause, profiles, probe);
    result->verdict = verdict;
    snprintf(result->evidence, sizeof result->evidence, "%s", evidence);
    if (gate->options->collect != NULL)
        gate->options->collect(result, gate->options->context);
}

/* A weak reading that some of the selected profiles do not accept is a failure there, beside the
 * weak result elsewhere. */
static void add_judged(struct gate *gate, const struct clause *clause, const struct probe *probe,
                       enum clause_verdict verdict, const char *evidence)
{
    unsigned profiles = clause->profiles & selected_profiles(gate->options);
    unsigned strict = verdict == CLAUSE_WEAK ? profiles & clause->strict : 0;
    if (profiles != strict)
        add_verdict(gate, clause, profiles & ~strict, probe, verdict, evidence);
    if (strict != 0)
        add_verdict(gate, clause, strict, probe, CLAUSE_FAIL, evidence);
}

static void collect(const struct probe *probe, const struct probe_report *report,
                    const struct ending *ending, void *context)
{
    struct gate *gate = context;
    char evidence[EVIDENCE_MAX];
    choices_add(&gate->choices, probe, report);
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        if (!gate_selects(gate->options, clause) || probes_find(clause->id) != probe)
            continue;
        enum clause_verdict verdict = gate_judge(clause, report, ending, evidence);
        add_judged(gate, clause, probe, verdict, evidence);
    }
    gate->done++;
    if (gate->options->progress != NULL)
        gate->options->progress(gate->done, gate->all, gate->options->context);
}

/* NULL: nothing keeps the probe from running. */
static const char *find_obstacle(const struct gate_options *options, const struct probe *probe)
{
    if (probe->place != PLACE_PROCESS)
        return NULL;
    if (options->has_sanitizer)
        return "this build has a sanitizer, whose malloc serves the process";
    struct subject_plan whole;
    return subject_plan_whole_process(options->subject, &whole)
               ? NULL
               : "this build has no shared object of the subject to preload";
}

/* The probes to run, each once; clauses without one are results at once. ret_probes has room for
 * one probe per clause. Returns how many clauses are selected. */
static size_t select_probes(struct gate *gate, const struct probe **ret_probes)
{
    size_t selected = 0;
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        if (!gate_selects(gate->options, clause))
            continue;
        selected++;
        const struct probe *probe = probes_find(clause->id);
        const char *obstacle = probe != NULL ? find_obstacle(gate->options, probe) : NULL;
        if (probe == NULL)
            add_judged(gate, clause, NULL, CLAUSE_UNTESTABLE,
                       clause->untestable[0] != '\0' ? clause->untestable
                                                     : "no probe is written yet");
        else if (obstacle != NULL)
            add_judged(gate, clause, probe, CLAUSE_UNSUPPORTED, obstacle);
        size_t known = 0;
        while (known < gate->all && ret_probes[known] != probe)
            known++;
        if (probe != NULL && obstacle == NULL && known == gate->all)
            ret_probes[gate->all++] = probe;
    }
    return selected;
}

static int compare_results(const void *left, const void *right)
{
    const struct clause_result *a = left, *b = right;
    return a->clause != b->clause ? (a->clause > b->clause) - (a->clause < b->clause)
                                  : (a->profiles > b->profiles) - (a->profiles < b->profiles);
}

int gate_run(const struct gate_options *options, struct gate_results *ret_results,
             char error[SUBJECT_ERROR_MAX])
{
    uint64_t start = clock_now_ms();
    clauses_load();
    struct gate_results results = {.results =
                                       calloc(2 * clauses_count(), sizeof(struct clause_result))};
    struct gate *gate = calloc(1, sizeof *gate);
    const struct probe **probes = calloc(clauses_count(), sizeof *probes);
    int result = results.results == NULL || gate == NULL || probes == NULL ? ENOMEM : 0;
    snprintf(error, SUBJECT_ERROR_MAX, "no memory for the results");
    if (result == 0) {
        *gate = (struct gate){.options = options, .results = &results};
        if (select_probes(gate, probes) == 0) {
            snprintf(error, SUBJECT_ERROR_MAX, "no clause matches the selection");
            result = ENOENT;
        }
    }
    if (result == 0) {
        result = gate_run_probes(options, probes, gate->all, collect, gate);
        if (result != 0)
            snprintf(error, SUBJECT_ERROR_MAX, "cannot run the probes on %s: %s",
                     options->subject->name, strerror(result));
    }
    if (result == 0)
        choices_judge(&gate->choices, &results);
    free(probes);
    free(gate);
    if (result != 0) {
        gate_done(&results);
        return result;
    }
    qsort(results.results, results.count, sizeof *results.results, compare_results);
    results.wall_ms = (unsigned)(clock_now_ms() - start);
    *ret_results = results;
    return 0;
}

void gate_done(struct gate_results *results)
{
    free(results->results);
    results->results = NULL;
    results->count = 0;
}
