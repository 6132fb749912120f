/* SPDX-License-Identifier: MIT */
/*
 * Selects clauses, has their probes run, and collects one result for each clause and reading. Uses
 * gate_process.c, gate_judge.c, gate_room.c and gate_choices.c.
 */
#include "conformance/gate_internal.h"

#include "harness/base/clock.h"

#include <fnmatch.h>
#include <sys/wait.h>

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
    struct room room;
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

static bool is_broken_requirement(const struct clause_result *result)
{
    return result->verdict == CLAUSE_FAIL && (result->clause->strength == STRENGTH_MUST ||
                                              result->clause->strength == STRENGTH_IMPL_DEFINED);
}

/* An edition may say so in a clause of its own, which the same probe answers. */
static bool does_count(const struct gate_results *results, const struct clause_result *result,
                       unsigned profiles)
{
    unsigned broken = 0;
    if (result->verdict != CLAUSE_FAIL || profiles != 0)
        return result->verdict == CLAUSE_FAIL || result->verdict == CLAUSE_ERROR;
    for (size_t i = 0; i < results->count; i++)
        if (results->results[i].probe == result->probe &&
            is_broken_requirement(&results->results[i]))
            broken |= results->results[i].profiles;
    return is_broken_requirement(result) && profiles_count_by_default(broken);
}

/* The loader asks for memory by itself, and ends a process that it cannot serve. */
static bool is_loader_refused(struct gate *gate, const struct ending *ending)
{
    return strstr(ending->output, "cannot allocate memory") != NULL && WIFEXITED(ending->status) &&
           room_is_limited(&gate->room, gate->options);
}

/* A probe whose scene needs more memory than the subject has cannot tell anything. */
static enum clause_verdict excuse_refusal(struct gate *gate, const struct probe_report *report,
                                          const struct ending *ending, enum clause_verdict verdict,
                                          char evidence[EVIDENCE_MAX])
{
    char call[CALL_TEXT_MAX];
    const struct probe_calls *made = &report->calls;
    if (verdict != CLAUSE_FAIL && verdict != CLAUSE_WEAK)
        return verdict;
    if (is_loader_refused(gate, ending)) {
        snprintf(evidence, EVIDENCE_MAX, "the loader needs more memory than the subject gives: %s",
                 ending->output);
        return CLAUSE_UNSUPPORTED;
    }
    if (atomic_load(&made->refusals) == 0 || !room_is_short(&gate->room, gate->options, made))
        return verdict;
    struct probe_call refused = made->refused;
    snprintf(evidence, EVIDENCE_MAX,
             "the probe needs more memory than the subject gives: %s was refused after %llu blocks "
             "of %llu bytes in all",
             gate_describe_call(&refused, call), (unsigned long long)made->refused_blocks,
             (unsigned long long)made->refused_bytes);
    return CLAUSE_UNSUPPORTED;
}

/* Tells of results as soon as all of their probe are known. */
static void hand_over(struct gate *gate, size_t first)
{
    for (size_t i = first; i < gate->results->count; i++) {
        struct clause_result *result = &gate->results->results[i];
        result->counts = does_count(gate->results, result, gate->options->profiles);
        if (gate->options->collect != NULL)
            gate->options->collect(result, gate->options->context);
    }
}

static void collect(const struct probe *probe, const struct probe_report *report,
                    const struct ending *ending, void *context)
{
    struct gate *gate = context;
    char evidence[EVIDENCE_MAX];
    size_t first = gate->results->count;
    choices_add(&gate->choices, probe, report);
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        if (!gate_selects(gate->options, clause) || !probe_answers(probe, clause->id))
            continue;
        enum clause_verdict verdict = gate_judge(clause, report, ending, evidence);
        verdict = excuse_refusal(gate, report, ending, verdict, evidence);
        add_judged(gate, clause, probe, verdict, evidence);
        gate->results->run += verdict != CLAUSE_NOT_RUN;
    }
    for (size_t i = first; i < gate->results->count; i++)
        gate->results->results[i].offers = ending->offers;
    hand_over(gate, first);
    gate->done++;
    if (gate->options->progress != NULL)
        gate->options->progress(gate->done, gate->all, gate->options->context);
}

bool gate_can_serve_process(const struct subject_plan *subject)
{
    struct subject_plan whole;
    return subject_plan_whole_process(subject, &whole) &&
           (subject->offers == 0 || subject_plan_serves_process(subject->offers));
}

/* Something that keeps the probe from running, and what its clauses come to; NULL: nothing does. */
static const char *find_obstacle(const struct gate_options *options, const struct probe *probe,
                                 enum clause_verdict *ret_verdict)
{
    const struct subject_plan *subject = options->subject;
    const unsigned drop_in = NEEDS(threads) | NEEDS(full_alignment) | NEEDS(whole_process);
    struct subject_plan whole;
    *ret_verdict = CLAUSE_UNSUPPORTED;
    if (probe->place == PLACE_CALLS)
        return NULL;
    if (options->has_sanitizer)
        return "this build has a sanitizer, whose malloc serves the process";
    if (probe->place == PLACE_EITHER)
        return NULL;
    if (!subject_plan_whole_process(subject, &whole))
        return "this build has no shared object of the subject to preload";
    /* Not left to the process itself, whose start would mix two heaps. */
    *ret_verdict = CLAUSE_NOT_APPLICABLE;
    if (subject->offers != 0 && (subject->offers & drop_in) != drop_in)
        return "the subject is not meant to serve a whole process";
    return gate_can_serve_process(subject) || probe->job.needs == 0
               ? NULL
               : "the subject lacks what a whole process needs: calloc, realloc, threads, "
                 "alignment";
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
        enum clause_verdict verdict;
        const char *obstacle = probe != NULL ? find_obstacle(gate->options, probe, &verdict) : NULL;
        if (probe == NULL)
            add_judged(gate, clause, NULL, CLAUSE_UNTESTABLE,
                       clause->untestable[0] != '\0' ? clause->untestable
                                                     : "no probe is written yet");
        else if (obstacle != NULL)
            add_judged(gate, clause, probe, verdict, obstacle);
        gate->results->probes += probe != NULL && obstacle == NULL;
        size_t known = 0;
        while (known < gate->all && ret_probes[known] != probe)
            known++;
        if (probe != NULL && obstacle == NULL && known == gate->all)
            ret_probes[gate->all++] = probe;
    }
    return selected;
}

/* The cheapest and most telling probes first: what C and POSIX require of the functions, then of
 * the process, then what only some editions require, then misuse. */
static unsigned rank_probe(const struct probe *probe)
{
    unsigned best = STRENGTH_COUNT;
    bool is_common = false;
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        if (!probe_answers(probe, clause->id))
            continue;
        best = clause->strength < best ? clause->strength : best;
        is_common |= clause->strength == STRENGTH_MUST &&
                     (clause->profiles & (PROFILES_OF_C | PROFILES_OF_POSIX)) != 0;
    }
    return (is_common ? 0 : 2 + best) + (probe->place == PLACE_PROCESS);
}

struct ranked_probe {
    const struct probe *probe;
    unsigned rank, place; /* place: in the registry's order, which remains among equals */
};

static int compare_ranks(const void *left, const void *right)
{
    const struct ranked_probe *a = left, *b = right;
    return a->rank != b->rank ? (a->rank > b->rank) - (a->rank < b->rank)
                              : (a->place > b->place) - (a->place < b->place);
}

/* Leaves the order as it is if there is no memory. */
static void order_probes(const struct probe **probes, size_t count)
{
    struct ranked_probe *ranked = calloc(count + 1, sizeof *ranked);
    for (unsigned i = 0; ranked != NULL && i < count; i++)
        ranked[i] = (struct ranked_probe){probes[i], rank_probe(probes[i]), i};
    if (ranked != NULL)
        qsort(ranked, count, sizeof *ranked, compare_ranks);
    for (size_t i = 0; ranked != NULL && i < count; i++)
        probes[i] = ranked[i].probe;
    free(ranked);
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
        order_probes(probes, gate->all);
        result = gate_run_probes(options, probes, gate->all, collect, gate);
        if (result != 0)
            snprintf(error, SUBJECT_ERROR_MAX, "cannot run the probes on %s: %s",
                     options->subject->name, strerror(result));
    }
    if (result == 0) {
        choices_judge(&gate->choices, &results);
        for (size_t i = 0; i < results.count; i++)
            results.results[i].counts =
                does_count(&results, &results.results[i], options->profiles);
    }
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

size_t gate_minimum(const struct gate_results *results)
{
    return results->probes < GATE_MINIMUM ? results->probes : GATE_MINIMUM;
}

void gate_done(struct gate_results *results)
{
    free(results->results);
    results->results = NULL;
    results->count = 0;
}
