/* SPDX-License-Identifier: MIT */
/*
 * mallet-interleave: `mallet interleave` runs it. A program of its own, because code built for the
 * scheduler and the same code built for use do not fit into one.
 */
#include "explore.h"
#include "report.h"
#include "subjects.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_FINDINGS = 1, EXIT_REFUSED = 2, EXIT_INTERNAL = 3 };
enum {
    KEY_SCENARIO = 's',
    KEY_SIZE = 'n',
    KEY_STRATEGY = 't',
    KEY_BOUND = 'b',
    KEY_SCHEDULES = 'k',
    KEY_SEED = 'e',
    KEY_REPLAY = 'r',
    KEY_JSON = 'j',
    KEY_LIST = 'l',
    KEY_ALL = 'a'
};
enum {
    BOUND_MAX = 32,
    SIZE_MAX_ASKED = 1 << 20,
    EXHAUSTIVE_SCHEDULES = 1000000,
    PCT_SCHEDULES = 1000,
    PCT_CHANGE_POINTS = 3
};

/* One for each part that allocators tell apart. */
static const size_t usual_sizes[] = {48, 200, 1100};
enum { USUAL_SIZES = sizeof usual_sizes / sizeof usual_sizes[0] };

struct request {
    const struct interleave_subject *subject;
    const struct scenario *scenario; /* NULL: all */
    size_t size;                     /* 0: the usual ones */
    bool has_bound, wants_all_steps, as_json, is_list;
    const char *replay; /* NULL: explore */
    struct report_request report;
};

static int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fputs("mallet: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_REFUSED;
}

/* ---- the request ---- */

static unsigned long long parse_number(const char *option, const char *text, unsigned long long min,
                                       unsigned long long max)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != 0 || errno != 0 || number < min || number > max)
        exit(refuse("%s: `%s` is not a number from %llu to %llu", option, text, min, max));
    return number;
}

static bool parse_strategy(const char *value)
{
    if (strcmp(value, "exhaustive") != 0 && strcmp(value, "pct") != 0)
        exit(refuse("--strategy: `%s` is neither `exhaustive` nor `pct`", value));
    return strcmp(value, "pct") == 0;
}

static const struct scenario *parse_scenario(const char *value)
{
    const struct scenario *scenario = scenario_find(value);
    if (scenario == NULL)
        exit(refuse("--scenario: there is no `%s`; --list shows them", value));
    return scenario;
}

static const struct interleave_subject *parse_subject(const struct request *request,
                                                      const char *value)
{
    const struct interleave_subject *subject = subject_find(value);
    if (request->subject != NULL)
        exit(refuse("one subject, and `%s` is one more", value));
    if (subject == NULL)
        exit(refuse("unknown subject `%s`; --list shows those that are built for the scheduler",
                    value));
    return subject;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_SCENARIO:
        request->scenario = parse_scenario(value);
        return 0;
    case KEY_SIZE:
        request->size = parse_number("--size", value, 1, SIZE_MAX_ASKED);
        return 0;
    case KEY_STRATEGY:
        request->report.is_pct = parse_strategy(value);
        return 0;
    case KEY_BOUND:
        request->has_bound = true;
        request->report.bound = (unsigned)parse_number("--bound", value, 0, BOUND_MAX);
        return 0;
    case KEY_SCHEDULES:
        request->report.schedules = parse_number("--schedules", value, 1, UINT64_MAX);
        return 0;
    case KEY_SEED:
        request->report.seed = parse_number("--seed", value, 0, UINT64_MAX);
        return 0;
    case KEY_REPLAY:
        request->replay = value;
        return 0;
    case KEY_ALL:
        request->wants_all_steps = true;
        return 0;
    case KEY_JSON:
        request->as_json = true;
        return 0;
    case KEY_LIST:
        request->is_list = true;
        return 0;
    case ARGP_KEY_ARG:
        request->subject = parse_subject(request, value);
        return 0;
    case ARGP_KEY_END:
        if (request->subject == NULL && !request->is_list)
            argp_error(state, "SUBJECT is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"scenario", KEY_SCENARIO, "NAME", 0, "this one only; all of them otherwise", 0},
    {"size", KEY_SIZE, "BYTES", 0, "of a block; 48, 200 and 1100 one after the other otherwise", 0},
    {"strategy", KEY_STRATEGY, "NAME", 0, "exhaustive (default), or pct: random priorities", 0},
    {"bound", KEY_BOUND, "N", 0,
     "at most N pre-emptions; for pct, N steps at which priorities change (default: the "
     "scenario's; 3)",
     0},
    {"schedules", KEY_SCHEDULES, "N", 0, "try at most N (default 1000000; for pct 1000)", 0},
    {"seed", KEY_SEED, "N", 0, "of the priorities (default 1)", 0},
    {"replay", KEY_REPLAY, "SCHEDULE", 0,
     "run that one and print its steps; needs --scenario and --size", 0},
    {"all-steps", KEY_ALL, NULL, 0, "print those too that no other thread can notice", 0},
    {"json", KEY_JSON, NULL, 0, "print JSON", 0},
    {"list", KEY_LIST, NULL, 0, "the subjects and the scenarios", 0},
    {0}};
static const struct argp parser = {
    options,
    parse_option,
    "SUBJECT",
    "Lets a scheduler switch between threads inside the calls of an allocator, at every atomic and "
    "every lock, and looks "
    "for an order of steps that breaks it.\v"
    "Exit status: 0 clean, 1 findings, 2 the request cannot be carried out, 3 an internal error.",
    NULL,
    NULL,
    NULL};

/* ---- list ---- */

static int print_json(json_t *document)
{
    int result = document == NULL ? -1 : json_dumpf(document, stdout, JSON_INDENT(2));
    json_decref(document);
    putchar('\n');
    return result == 0 && fflush(stdout) == 0 ? EXIT_CLEAN : EXIT_INTERNAL;
}

static int list_json(void)
{
    json_t *subjects = json_array(), *list = json_array();
    const struct interleave_subject *subject;
    for (size_t i = 0; (subject = subject_at(i)) != NULL; i++) {
        const struct mutant *mutant = subject_mutant(subject);
        json_array_append_new(subjects,
                              json_pack("{s:s, s:s?, s:s?, s:s?}", "name", subject->name, "check",
                                        mutant == NULL ? NULL : mutant->check, "scenario",
                                        mutant == NULL ? NULL : mutant->scenario, "what",
                                        mutant == NULL ? NULL : mutant->what));
    }
    for (size_t i = 0; i < scenario_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:i}", "name", scenarios[i].name, "what",
                                        scenarios[i].summary, "bound", (int)scenarios[i].bound));
    return print_json(json_pack("{s:o, s:o}", "subjects", subjects, "scenarios", list));
}

static int list(void)
{
    const struct interleave_subject *subject;
    puts("subjects:");
    for (size_t i = 0; (subject = subject_at(i)) != NULL; i++) {
        const struct mutant *mutant = subject_mutant(subject);
        printf("  %-28s  %s%s%s\n", subject->name, mutant == NULL ? "" : mutant->check,
               mutant == NULL ? "" : ": ", mutant == NULL ? "" : mutant->what);
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
        return refuse("--replay needs --scenario and --size: a schedule is about one story");
    if (request->as_json)
        return refuse("--replay prints steps for people; --json does not go with it");
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

static bool explore(struct explorer *explorer, const struct request *request, json_t *results)
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
    if (results != NULL)
        json_array_append_new(results, report_exploration_json(explorer, &report, &exploration));
    else
        report_exploration(explorer, &report, &exploration);
    return exploration.is_found;
}

static bool explore_sizes(struct explorer *explorer, const struct request *request, json_t *results)
{
    bool is_found = false;
    for (unsigned i = 0; i < (request->size != 0 ? 1 : USUAL_SIZES); i++) {
        explorer->size = request->size != 0 ? request->size : usual_sizes[i];
        is_found |= explore(explorer, request, results);
    }
    return is_found;
}

static int explore_all(struct explorer *explorer, const struct request *request)
{
    json_t *results = request->as_json ? json_array() : NULL;
    bool is_found = false;
    for (size_t i = 0; i < scenario_count; i++) {
        explorer->scenario = &scenarios[i];
        if (request->scenario != NULL && request->scenario != explorer->scenario)
            continue;
        if (explorer->scenario->needs_realloc && request->subject->realloc == NULL)
            continue;
        is_found |= explore_sizes(explorer, request, results);
    }
    if (results != NULL && print_json(json_pack("{s:s, s:o}", "subject", request->subject->name,
                                                "explorations", results)) != EXIT_CLEAN)
        return EXIT_INTERNAL;
    return is_found ? EXIT_FINDINGS : EXIT_CLEAN;
}

/* Addresses stay the same from run to run, so that a schedule does too even in code that hashes
 * them. */
static void fix_addresses(char **argv)
{
    int now = personality(0xffffffff);
    if (now >= 0 && !(now & ADDR_NO_RANDOMIZE) &&
        personality((unsigned)now | ADDR_NO_RANDOMIZE) >= 0)
        /* if not, schedules hold all the same but for code that looks at addresses */
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    struct request request = {.report.seed = 1};
    struct explorer explorer = {0};
    argp_err_exit_status = EXIT_REFUSED;
    fix_addresses(argv);
    if (argp_parse(&parser, argc, argv, 0, NULL, &request) != 0)
        return EXIT_REFUSED;
    if (request.is_list)
        return request.as_json ? list_json() : list();
    explorer.subject = request.subject;
    int result = explorer_init(&explorer);
    if (result != 0)
        return refuse("no memory to explore in: %s", strerror(result));
    int status =
        request.replay != NULL ? replay(&explorer, &request) : explore_all(&explorer, &request);
    explorer_done(&explorer);
    return status;
}
