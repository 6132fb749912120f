/* SPDX-License-Identifier: MIT */
/*
 * mallet-interleave: the program behind `mallet interleave`. It is a program of its own because an
 * allocator compiled for the scheduler and the same allocator compiled for use have the same
 * symbols.
 *
 * It lists the subjects and scenarios, replays one schedule, or explores each scenario with each
 * size.
 */
#include "harness/cli/findings.h"

#include "explore.h"
#include "report.h"
#include "subjects.h"

#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    KEY_SCENARIO = 's',
    KEY_SIZE = 'n',
    KEY_STRATEGY = 't',
    KEY_BOUND = 'b',
    KEY_SCHEDULES = 'k',
    KEY_REPLAY = 'r',
    KEY_ALL = 'a'
};
enum {
    BOUND_MAX = 32,
    SIZE_MAX_ASKED = 1 << 20,
    EXHAUSTIVE_SCHEDULES = 1000000,
    PCT_SCHEDULES = 1000,
    PCT_CHANGE_POINTS = 3
};

/* One size per part of an allocator: small, medium and large blocks. */
static const size_t usual_sizes[] = {48, 200, 1100};
enum { USUAL_SIZES = sizeof usual_sizes / sizeof usual_sizes[0] };

struct request {
    struct cli cli;
    const struct interleave_subject *subject;
    const struct scenario *scenario; /* NULL: all */
    size_t size;                     /* 0: the usual ones */
    bool has_bound, wants_all_steps;
    const char *replay; /* NULL: explore */
    struct report_request report;
};

/* ---- the request ---- */

static const char *strategy_name(unsigned i)
{
    static const char *const names[] = {"exhaustive", "pct"};
    return i < sizeof names / sizeof names[0] ? names[i] : NULL;
}

static const struct scenario *parse_scenario(const char *value)
{
    const struct scenario *scenario = scenario_find(value);
    if (scenario == NULL)
        exit(refuse("--scenario: unknown scenario `%s`; --list shows the scenarios", value));
    return scenario;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_SCENARIO:
        request->scenario = parse_scenario(value);
        return 0;
    case KEY_SIZE:
        request->size = cli_parse_number("--size", value, 1, SIZE_MAX_ASKED);
        return 0;
    case KEY_STRATEGY:
        request->report.is_pct = cli_parse_choice("--strategy", value, strategy_name) == 1;
        return 0;
    case KEY_BOUND:
        request->has_bound = true;
        request->report.bound = (unsigned)cli_parse_number("--bound", value, 0, BOUND_MAX);
        return 0;
    case KEY_SCHEDULES:
        request->report.schedules = cli_parse_number("--schedules", value, 1, UINT64_MAX);
        return 0;
    case KEY_REPLAY:
        request->replay = value;
        return 0;
    case KEY_ALL:
        request->wants_all_steps = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void parse(int argc, char **argv, struct request *request)
{
    static const struct cli_spec spec = {.takes = CLI_JSON | CLI_LIST | CLI_FINDINGS | CLI_LIMIT |
                                                  CLI_AT_LEAST | CLI_SEED,
                                         .subjects_min = 1,
                                         .subjects_max = 1,
                                         .list_text = "List the subjects and the scenarios"};
    static const struct argp_option options[] = {
        {"scenario", KEY_SCENARIO, "NAME", 0, "Only the scenario NAME (default: all)", 0},
        {"size", KEY_SIZE, "BYTES", 0, "Size of a block (default: 48, 200 and 1100, in turn)", 0},
        {"strategy", KEY_STRATEGY, "NAME", 0,
         "exhaustive (default), or pct: random priorities of the threads", 0},
        {"bound", KEY_BOUND, "N", 0,
         "At most N pre-emptions (default: depends on the scenario); for pct, N steps at which "
         "priorities change (default: 3)",
         0},
        {"schedules", KEY_SCHEDULES, "N", 0,
         "Try at most N schedules (default: 1000000; for pct 1000)", 0},
        {"replay", KEY_REPLAY, "SCHEDULE", 0,
         "Run one schedule and print its steps; needs --scenario and --size", 0},
        {"all-steps", KEY_ALL, NULL, 0,
         "With --replay, also print steps that no other thread can notice", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT",
        .doc =
            "Run threads under a scheduler that switches between them inside the calls of an "
            "allocator, at every atomic and every lock, and search for an order of steps that "
            "breaks it.\v"
            "SUBJECT is anvil, a mutant (--list names them), or an allocator of your own: compile "
            "each of its sources with `cc -g -O1 -fsanitize=thread -include "
            "adversity/interleave/calls.h`, name its malloc, free and realloc in a struct "
            "interleave_subject called interleave_own, and link both with "
            "libmallet-interleave.a, jansson and pthread: the program is this command with your "
            "subject. adversity/interleave/README.md has the four lines of C and the two "
            "commands."};
    cli_parse(&spec, &argp, argc, argv, &request->cli, request);
    request->report.seed = request->cli.seed;
}

/* ---- list ---- */

static int list_json(void)
{
    json_t *subjects = json_array(), *list = json_array();
    const struct interleave_subject *subject;
    for (size_t i = 0; (subject = subject_at(i)) != NULL; i++) {
        struct mutant_catch catch;
        const struct mutant *mutant = subject_mutant(subject, &catch);
        json_array_append_new(subjects, json_pack("{s:s, s:s?, s:s?, s:s?}", "name", subject->name,
                                                  "check", mutant == NULL ? NULL : catch.names,
                                                  "scenario", mutant == NULL ? NULL : catch.where,
                                                  "what", mutant == NULL ? NULL : mutant->mistake));
    }
    for (size_t i = 0; i < scenario_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:i}", "name", scenarios[i].name, "what",
                                        scenarios[i].summary, "bound", (int)scenarios[i].bound));
    return cli_print_json(json_pack("{s:o, s:o}", "subjects", subjects, "scenarios", list));
}

static int list(void)
{
    const struct interleave_subject *subject;
    puts("subjects:");
    for (size_t i = 0; (subject = subject_at(i)) != NULL; i++) {
        struct mutant_catch catch;
        const struct mutant *mutant = subject_mutant(subject, &catch);
        printf("  %-28s  %s%s%s\n", subject->name, mutant == NULL ? "" : catch.names,
               mutant == NULL ? "" : ": ", mutant == NULL ? "" : mutant->mistake);
    }
    puts("scenarios:");
    for (size_t i = 0; i < scenario_count; i++)
        printf("  %-28s  %s\n", scenarios[i].name, scenarios[i].summary);
    return EXIT_CLEAN;
}

/* ---- replay ---- */

static int replay(struct explorer *explorer, const struct request *request)
{
    struct schedule schedule;
    char error[VERDICT_SENTENCE_MAX];
    if (request->scenario == NULL || request->size == 0)
        return refuse(
            "--replay needs --scenario and --size: a schedule belongs to one scenario and size");
    if (request->cli.as_json)
        return refuse("--replay prints steps as text; it cannot be combined with --json");
    if (!schedule_parse(request->replay, &schedule, error))
        return refuse("--replay: %s", error);
    explorer->scenario = request->scenario;
    explorer->size = request->size;
    bool has_failed = explorer_follow(explorer, &schedule, true);
    if (explorer->record->taken.count != schedule.count)
        return refuse("--replay: only %u of the %u decisions are possible: this is another "
                      "schedule, or another build",
                      explorer->record->taken.count, schedule.count);
    report_steps(explorer->record, request->wants_all_steps);
    if (!has_failed) {
        printf("ok: %u steps, %u pre-emptions\n", explorer->record->steps,
               explorer->record->preemptions);
        return EXIT_CLEAN;
    }
    report_verdict(&explorer->record->verdict, explorer->record->codes, explorer->record->output);
    return EXIT_FINDINGS;
}

/* ---- explore ---- */

/* Processor time, of the executions too: the same on a loaded machine as on an idle one. */
static double seconds_used(void)
{
    double seconds = 0;
    const int whom[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
    for (int i = 0; i < 2; i++) {
        struct rusage usage;
        (void)getrusage(whom[i], &usage);
        seconds += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    return seconds;
}

static void complete(struct report_request *report, const struct request *request,
                     const struct scenario *scenario)
{
    *report = request->report;
    if (!request->has_bound)
        report->bound = scenario->bound;
    report->change_points = request->has_bound ? request->report.bound : PCT_CHANGE_POINTS;
    if (report->schedules == 0)
        report->schedules = report->is_pct ? PCT_SCHEDULES : EXHAUSTIVE_SCHEDULES;
}

/* Where the results go. */
struct results {
    struct cli_findings findings;
    json_t *list; /* NULL unless --json */
    size_t done, left_out;
};

/* Returns whether something new was found. */
static bool add_result(struct results *results, const struct explorer *explorer,
                       const struct report_request *report, const struct exploration *exploration)
{
    struct finding finding = {0};
    bool is_new = false;
    if (exploration->is_found) {
        finding = report_make_finding(explorer, exploration);
        is_new = cli_findings_add(&results->findings, &finding);
    }
    if (results->list != NULL)
        json_array_append_new(results->list,
                              report_exploration_json(explorer, report, exploration,
                                                      exploration->is_found ? &finding : NULL));
    else
        report_exploration(explorer, report, exploration, !is_new);
    json_decref(finding.extra);
    return is_new;
}

static bool explore(struct explorer *explorer, const struct request *request,
                    struct results *results)
{
    struct exploration exploration = {0};
    struct report_request report;
    double start = seconds_used();
    complete(&report, request, explorer->scenario);
    explorer_forget_places(explorer);
    if (report.is_pct)
        explore_by_priorities(explorer, report.change_points, report.schedules, report.seed,
                              &exploration);
    else
        explore_exhaustively(explorer, report.bound, report.schedules, &exploration);
    exploration.seconds = seconds_used() - start;
    if (exploration.is_found)
        exploration_confirm(explorer, &exploration);
    if (exploration.is_stopped)
        results->left_out++;
    else
        results->done++;
    return add_result(results, explorer, &report, &exploration);
}

static bool explore_sizes(struct explorer *explorer, const struct request *request,
                          struct results *results)
{
    bool is_found = false;
    for (unsigned i = 0; i < (request->size != 0 ? 1 : USUAL_SIZES); i++) {
        explorer->size = request->size != 0 ? request->size : usual_sizes[i];
        if (cli_is_over(&request->cli, results->done, is_found)) {
            results->left_out++;
            continue;
        }
        is_found |= explore(explorer, request, results);
    }
    return is_found;
}

static const struct cli *asked; /* for is_over */

static bool is_over(void)
{
    return cli_is_over(asked, UINT64_MAX, 0);
}

static int explore_all(struct explorer *explorer, const struct request *request)
{
    struct results results = {0};
    bool is_found = false;
    int status = cli_findings_open(&results.findings, &request->cli);
    if (status != EXIT_CLEAN)
        return cli_findings_close(&results.findings, status);
    cli_catch_interrupts();
    asked = &request->cli;
    explorer->is_over = is_over;
    results.list = request->cli.as_json ? json_array() : NULL;
    for (size_t i = 0; i < scenario_count; i++) {
        explorer->scenario = &scenarios[i];
        if (request->scenario != NULL && request->scenario != explorer->scenario)
            continue;
        if (explorer->scenario->needs_realloc && request->subject->realloc == NULL)
            continue;
        is_found |= explore_sizes(explorer, request, &results);
    }
    const struct cli_work work = {.done = results.done, .minimum = results.done + results.left_out};
    if (results.list != NULL) {
        json_t *document =
            json_pack("{s:s, s:o, s:I}", "subject", request->subject->name, "explorations",
                      results.list, "not_run", (json_int_t)results.left_out);
        cli_add_work(document, &work);
        status = cli_print_json(document);
    } else if (results.left_out > 0) {
        printf("%zu exploration%s not run to the end: %s\n", results.left_out,
               results.left_out == 1 ? "" : "s", cli_why_over());
    }
    if (status == EXIT_CLEAN)
        status = cli_conclude(is_found, &work);
    return cli_findings_close(&results.findings, status);
}

/* Addresses stay the same from run to run, so that a schedule does too even in code that hashes
 * them. */
static void fix_addresses(char **argv)
{
    int now = personality(0xffffffff);
    if (now >= 0 && !(now & ADDR_NO_RANDOMIZE) &&
        personality((unsigned)now | ADDR_NO_RANDOMIZE) >= 0)
        /* without it, schedules still replay, except in code that depends on addresses */
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    struct request request = {0};
    struct explorer explorer = {0};
    cli_begin();
    fix_addresses(argv);
    parse(argc, argv, &request);
    if (request.cli.is_list)
        return request.cli.as_json ? list_json() : list();
    explorer.subject = request.subject = subject_find(request.cli.subject);
    if (request.subject == NULL)
        return refuse("unknown subject `%s`; --list shows the subjects built for the scheduler",
                      request.cli.subject);
    int result = explorer_init(&explorer);
    if (result != 0)
        return refuse("no memory to explore in: %s", strerror(result));
    int status =
        request.replay != NULL ? replay(&explorer, &request) : explore_all(&explorer, &request);
    explorer_done(&explorer);
    return status;
}
