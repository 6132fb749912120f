/* SPDX-License-Identifier: MIT */
/*
 * A step is a child with stdout and stderr in memory files. Its time is stretched on a busy
 * machine and for a slow subject, so that the check gets slower there, not emptier; only a limit
 * that the user gave is firm.
 *
 *     seconds × slowness: --limit, after which the step begins nothing new
 *     minimum:            --at-least, without a limit of the user and before anything is found: it
 *                         goes on for so much before
 *     × patience, GRACE_S: SIGINT, after which it prints what it has
 *     + stop_seconds():    SIGKILL; its lines of findings are there all the same
 */
#include "mallet/check_run.h"

#include "harness/base/clock.h"
#include "harness/cli/output.h"
#include "harness/run/check.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORDS_MAX = 64,
    COMMAND_MAX = 512,
    GRACE_S = 5,
    STOP_MIN_S = 2,
    STOP_MAX_S = 10,
    POLL_MS = 200
};

/* ---- time ---- */

double check_now(void)
{
    return (double)clock_now_ns() * 1e-9;
}

double check_slowness(void)
{
    enum { SAMPLE_NS = 30000000 };
    uint64_t wall = clock_now_ns(), cpu = clock_cpu_ns();
    while (clock_cpu_ns() - cpu < SAMPLE_NS)
        ;
    double slowness = (double)(clock_now_ns() - wall) / (double)SAMPLE_NS;
    const double most = CHECK_SLOWNESS_MAX;
    return slowness < 1 ? 1 : slowness > most ? most : slowness;
}

static bool is_firm(const struct check_request *request)
{
    return request->cli.limit != 0;
}

unsigned check_most_seconds(const struct check_request *request)
{
    return is_firm(request) ? request->limit : CHECK_PATIENCE * request->limit;
}

/* ---- the command line ---- */

struct words {
    char *list[WORDS_MAX + 1];
    size_t count;
    char command[COMMAND_MAX], output[PATH_MAX], findings[PATH_MAX], time[16], least[16];
    char capacity[24];
    char allowed[256];
};

static void add(struct words *words, const char *word)
{
    if (words->count < WORDS_MAX)
        words->list[words->count++] = (char *)(uintptr_t)word;
}

static void add_option(struct words *words, const char *option, const char *value)
{
    add(words, option);
    add(words, value);
}

static void add_command(const struct check_request *request, const struct check_step *step,
                        bool has_limit, struct words *words)
{
    char *rest = NULL, error[OUTPUT_ERROR_MAX];
    snprintf(words->command, sizeof words->command, "%s", step->commands[request->level]);
    snprintf(words->output, sizeof words->output, "%.3000s/%s", request->output, step->name);
    (void)output_make_folder(words->output, error); /* the step says so if it is not there */
    for (char *word = strtok_r(words->command, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "?limit") != 0)
            add(words, strcmp(word, "$S") == 0   ? request->subject
                       : strcmp(word, "$C") == 0 ? request->corpus
                       : strcmp(word, "$O") == 0 ? words->output
                       : strcmp(word, "$T") == 0 ? words->time
                                                 : word);
        else if (has_limit)
            add_option(words, "--limit", words->time);
    }
}

static void add_allowed(const struct cli *cli, struct words *words)
{
    size_t used = 0;
    words->allowed[0] = '\0';
    for (unsigned check = 0; check < CHECK_COUNT && used < sizeof words->allowed; check++)
        if ((cli->allowed >> check & 1) != 0)
            used += (size_t)snprintf(words->allowed + used, sizeof words->allowed - used, "%s%s",
                                     used > 0 ? "," : "", check_name((enum check)check));
    if (used > 0)
        add_option(words, "--allow", words->allowed);
}

static bool takes_capacity(const struct words *words)
{
    return strcmp(words->list[1], "interleave") != 0;
}

/* seconds 0: no limit. */
static void fill_words(const struct check_request *request, const struct check_step *step,
                       unsigned seconds, bool is_patient, struct words *words)
{
    const struct cli *cli = &request->cli;
    *words = (struct words){0};
    snprintf(words->time, sizeof words->time, "%u", seconds > 0 ? seconds : 1);
    add(words, "mallet");
    add_command(request, step, seconds > 0, words);
    if (seconds > 0 && is_patient) {
        snprintf(words->least, sizeof words->least, "%lu", step->minimum[request->level]);
        add_option(words, "--at-least", words->least);
    }
    for (unsigned i = 0; i < cli->baseline_count; i++)
        add_option(words, "--baseline", cli->baselines[i]);
    add_allowed(cli, words);
    if (cli->has_capacity && takes_capacity(words)) {
        snprintf(words->capacity, sizeof words->capacity, "%llu",
                 (unsigned long long)cli->capacity);
        add_option(words, "--capacity", words->capacity);
    }
    check_findings_path(request, step, words->findings);
    unlink(words->findings); /* of a check before this one */
    add_option(words, "--findings", words->findings);
}

void check_findings_path(const struct check_request *request, const struct check_step *step,
                         char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%.3000s/%s.findings", request->output, step->name);
}

/* ---- one step ---- */

struct running {
    const struct check_step *step; /* NULL: nothing runs here */
    struct process process;
    int out, errors;
    double started, seconds; /* seconds: what it should take; 0: no limit */
    double deadline;         /* of the SIGKILL */
    bool is_stopped;         /* it had its SIGINT */
    bool had_time;           /* it was stopped by its own deadline, not by the request's last */
};

/* How many steps run at a time. */
static size_t slot_count(const struct check_request *request)
{
    const size_t most = CHECK_SLOTS_MAX;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = request->cli.jobs > 0 ? request->cli.jobs
                    : processors > 1      ? (size_t)processors
                                          : 1;
    return wanted < most ? wanted : most;
}

/* Why a step is not meant for the subject; NULL: it is. */
static const char *find_obstacle(const struct check_request *request, const struct check_step *step)
{
    if (step->is_anvils && !request->is_anvil)
        return "only for code that is built for it: see adversity/interleave";
    return (step->needs & ~request->offers) != 0 ? step->why_not : NULL;
}

/* Seconds of this step and of all behind it, as the table has them. */
static double seconds_from(const struct check_request *request, const struct check_step *step)
{
    double sum = 0;
    size_t i = 0;
    while (check_step_at(i) != step)
        i++;
    for (; check_step_at(i) != NULL; i++)
        if (find_obstacle(request, check_step_at(i)) == NULL)
            sum += check_step_at(i)->seconds[request->level];
    return sum;
}

/* Seconds of the step; 0: no limit. More on a busy machine, but no more than leaves the steps
 * behind it their proportion of the time that is left. */
static unsigned step_seconds(const struct check_request *request, const struct check_step *step,
                             double slowness)
{
    double seconds = step->seconds[request->level], left = request->end - check_now();
    double factor = slowness;
    if (request->end > 0 && seconds > 0) {
        double most = left * (double)slot_count(request) / seconds_from(request, step);
        factor = factor < most ? factor : most;
    }
    if (request->end > 0 && (seconds <= 0 || seconds * factor > left))
        return left > 1 ? (unsigned)left : 1;
    return seconds > 0 && seconds * factor < 1 ? 1 : (unsigned)(seconds * factor);
}

/* Returns 0 or a positive errno. */
static int start(const struct check_request *request, const struct check_step *step,
                 bool is_patient, struct running *running)
{
    struct words words;
    double slowness = check_slowness();
    unsigned seconds = step_seconds(request, step, slowness);
    *running = (struct running){.step = step, .started = check_now()};
    running->out = memfd_create("out", MFD_CLOEXEC);
    running->errors = memfd_create("errors", MFD_CLOEXEC);
    running->seconds = is_firm(request) ? seconds : step->seconds[request->level] * slowness;
    fill_words(request, step, seconds, is_patient, &words);
    const struct process_descriptor descriptors[] = {{STDOUT_FILENO, running->out},
                                                     {STDERR_FILENO, running->errors}};
    const struct process_plan plan = {.program = "/proc/self/exe",
                                      .arguments = (const char *const *)words.list,
                                      .keeps_environment = true,
                                      .descriptors = descriptors,
                                      .descriptor_count = 2};
    return running->out < 0 || running->errors < 0 ? errno
                                                   : process_spawn(&plan, &running->process);
}

/* What is to be printed takes its time on a busy machine; the time kept for the findings has room
 * for it. */
static double stop_seconds(const struct check_request *request)
{
    const double seconds = request->limit / 10.0, least = STOP_MIN_S, most = STOP_MAX_S;
    if (request->limit == 0 || seconds > most)
        return most;
    return seconds < least ? least : seconds;
}

/* Ends what has had its time; what was asked to end already is killed. */
static void limit(const struct check_request *request, bool is_patient, struct running *running)
{
    double now = check_now(), patience = is_patient ? (double)CHECK_PATIENCE : 1.5;
    double end = is_patient ? request->last : request->end;
    bool is_over = end > 0 && now >= end;
    bool is_late = running->seconds > 0 &&
                   now >= running->started + patience * running->seconds + (double)GRACE_S;
    if (running->is_stopped && now >= running->deadline)
        process_kill(&running->process);
    if (running->is_stopped || (!is_over && !is_late && !cli_is_interrupted()))
        return;
    process_signal(&running->process, SIGINT);
    running->is_stopped = true;
    running->had_time = is_late && !is_over;
    running->deadline = now + stop_seconds(request);
}

/* Everything written to a file, NUL behind it; NULL if that cannot be read. The caller frees. */
static char *read_back(int file, size_t *ret_length)
{
    off_t end = lseek(file, 0, SEEK_END);
    char *text = end < 0 ? NULL : malloc((size_t)end + 1);
    ssize_t length = text == NULL ? -1 : pread(file, text, (size_t)end, 0);
    *ret_length = length < 0 ? 0 : (size_t)length;
    if (text != NULL)
        text[*ret_length] = '\0';
    return text;
}

static void keep_last_line(int file, char *ret_line, size_t capacity)
{
    size_t length;
    char *text = read_back(file, &length);
    while (text != NULL && length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *line = text == NULL ? "" : text;
    for (const char *at = line; *at != '\0'; at++)
        if (*at == '\n' || *at == '\r')
            line = at + 1;
    if (strncmp(line, "mallet: ", 8) == 0)
        line += 8;
    snprintf(ret_line, capacity, "%s", line);
    free(text);
}

static json_t *read_document(int out)
{
    size_t length;
    char *text = read_back(out, &length);
    json_t *document = text == NULL ? NULL : json_loadb(text, length, 0, NULL);
    free(text);
    return document;
}

static int exit_status(const struct process *process)
{
    return WIFEXITED(process->status) ? WEXITSTATUS(process->status) : EXIT_INTERNAL;
}

/* A limit that the user gave is named. */
static const char *over(const struct check_request *request, char ret_text[32])
{
    if (!is_firm(request))
        return "the time is over";
    snprintf(ret_text, 32, "the %u seconds are over", request->limit);
    return ret_text;
}

static void judge(const struct check_request *request, const struct running *running,
                  struct check_result *result)
{
    char text[32];
    int status = exit_status(&running->process);
    bool is_broken = !running->is_stopped && (status == EXIT_INTERNAL ||
                                              (result->document == NULL && status != EXIT_REFUSED));
    result->state = is_broken                        ? STEP_BROKEN
                    : result->done < result->minimum ? STEP_INCOMPLETE
                                                     : STEP_DONE;
    if (status == EXIT_REFUSED && result->state == STEP_DONE)
        result->state = STEP_INCOMPLETE;
    if (running->is_stopped && cli_is_interrupted())
        snprintf(result->sentence, sizeof result->sentence, "interrupted");
    else if (running->is_stopped && !running->had_time)
        snprintf(result->sentence, sizeof result->sentence, "stopped: %s", over(request, text));
    else if (running->is_stopped)
        snprintf(result->sentence, sizeof result->sentence, "stopped after %.0f seconds",
                 result->seconds);
    else if (status != EXIT_REFUSED && !is_broken)
        result->sentence[0] = '\0';
    else if (result->sentence[0] == '\0')
        snprintf(result->sentence, sizeof result->sentence, "it ended without a report");
}

static void finish(const struct check_request *request, struct running *running,
                   struct check_result *ret_result)
{
    *ret_result = (struct check_result){.step = running->step,
                                        .seconds = check_now() - running->started,
                                        .document = read_document(running->out)};
    ret_result->done = check_step_done(ret_result->document);
    ret_result->minimum = check_step_minimum(running->step, request->level, ret_result->document);
    keep_last_line(running->errors, ret_result->sentence, sizeof ret_result->sentence);
    judge(request, running, ret_result);
    process_release(&running->process);
    close(running->out);
    close(running->errors);
    *running = (struct running){0};
}

/* ---- all of them ---- */

struct schedule {
    const struct check_request *request;
    int (*take)(void *context, struct check_result *result);
    void *context;
    struct running running[CHECK_SLOTS_MAX];
    size_t slots, next, found; /* found: findings that count so far */
    unsigned ended;
    int status;
};

static void take(struct schedule *schedule, struct check_result *result)
{
    int status = schedule->take(schedule->context, result);
    if (schedule->status == EXIT_CLEAN)
        schedule->status = status;
    json_decref(result->document);
    schedule->found = result->found;
    schedule->ended++;
}

/* Whether steps go on for their minimum. Once something is found the status is settled, and that
 * every step has its turn tells more than that one has its minimum. */
static bool is_patient(const struct schedule *schedule)
{
    return !is_firm(schedule->request) && schedule->found == 0;
}

/* A step that does not run, and why. */
static void pass_over(struct schedule *schedule, const struct check_step *step,
                      enum step_state state, const char *why)
{
    struct check_result result = {
        .step = step, .state = state, .minimum = step->minimum[schedule->request->level]};
    snprintf(result.sentence, sizeof result.sentence, "%s", why);
    take(schedule, &result);
}

static void begin(struct schedule *schedule, const struct check_step *step, struct running *running)
{
    const struct check_request *request = schedule->request;
    char text[64], time[32];
    snprintf(text, sizeof text, "not begun: %s", over(request, time));
    if (find_obstacle(request, step) != NULL)
        pass_over(schedule, step, STEP_NOT_MEANT, find_obstacle(request, step));
    else if (cli_is_interrupted())
        pass_over(schedule, step, STEP_NOT_BEGUN, "not begun: interrupted");
    else if (request->end > 0 &&
             check_now() >= (is_patient(schedule) ? request->last : request->end))
        pass_over(schedule, step, STEP_NOT_BEGUN, text);
    else if (start(request, step, is_patient(schedule), running) != 0) {
        *running = (struct running){0};
        pass_over(schedule, step, STEP_BROKEN, "cannot be started");
    }
}

static void fill_slots(struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->slots; i++)
        while (schedule->running[i].step == NULL && check_step_at(schedule->next) != NULL)
            begin(schedule, check_step_at(schedule->next++), &schedule->running[i]);
}

static bool is_anything_running(const struct schedule *schedule)
{
    bool is_running = false;
    for (size_t i = 0; i < schedule->slots; i++)
        is_running |= schedule->running[i].step != NULL;
    return is_running;
}

static void wait_for_news(struct schedule *schedule)
{
    struct process *processes[CHECK_SLOTS_MAX] = {0};
    struct check_result result;
    for (size_t i = 0; i < schedule->slots; i++)
        if (schedule->running[i].step != NULL)
            processes[i] = &schedule->running[i].process;
    process_poll(processes, schedule->slots, POLL_MS);
    for (size_t i = 0; i < schedule->slots; i++) {
        if (processes[i] == NULL)
            continue;
        limit(schedule->request, is_patient(schedule), &schedule->running[i]);
        if (!process_has_ended(processes[i]))
            continue;
        finish(schedule->request, &schedule->running[i], &result);
        take(schedule, &result);
    }
}

static void tell(const struct schedule *schedule,
                 void (*show)(void *context, const struct check_progress *progress))
{
    struct check_progress progress = {.ended = schedule->ended};
    while (check_step_at(progress.count) != NULL)
        progress.count++;
    for (size_t i = 0; i < schedule->slots; i++) {
        const struct running *running = &schedule->running[i];
        progress.names[i] = running->step != NULL ? running->step->name : NULL;
        progress.seconds[i] = check_now() - running->started;
    }
    show(schedule->context, &progress);
}

int check_run_steps(const struct check_request *request,
                    int (*take_result)(void *context, struct check_result *result),
                    void (*show)(void *context, const struct check_progress *progress),
                    void *context)
{
    struct schedule schedule = {
        .request = request, .take = take_result, .context = context, .slots = slot_count(request)};
    for (fill_slots(&schedule); is_anything_running(&schedule); fill_slots(&schedule)) {
        if (show != NULL)
            tell(&schedule, show);
        wait_for_news(&schedule);
    }
    return schedule.status;
}
