/* SPDX-License-Identifier: MIT */
/*
 * Runs one step of a check: builds the command line from the words in check_steps.c, runs `mallet` on
 * it in a child with stdout and stderr in memory files, ends it at the time limit, and reads the JSON
 * document that it printed.
 */
#include "mallet/check_run.h"

#include "harness/cli/output.h"
#include "mallet/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 32, COMMAND_MAX = 256, POLL_NS = 20000000 };

/* ---- the process ---- */

struct words {
    char *list[WORDS_MAX + 1];
    size_t count;
    char command[COMMAND_MAX], output[PATH_MAX], time[16];
};

static void add(struct words *words, const char *word)
{
    if (words->count < WORDS_MAX)
        words->list[words->count++] = (char *)(uintptr_t)word;
}

static void add_baselines(struct words *words, const struct check_request *request)
{
    for (unsigned i = 0; i < request->baseline_count; i++) {
        add(words, "--baseline");
        add(words, request->baselines[i]);
    }
}

/* `limit`: `$T`, or `$T:N`. */
static const char *print_time(const struct check_request *request, const struct check_step *step,
                              const char *limit, char ret_text[16])
{
    double share = (request->end - check_now()) * check_step_part(step, request->level);
    unsigned long most = limit[2] == ':' ? strtoul(limit + 3, NULL, 10) : request->limit;
    unsigned long seconds = share < 1 ? 1 : (unsigned long)share;
    snprintf(ret_text, 16, "%lu", seconds < most ? seconds : most);
    return ret_text;
}

static void fill_words(const struct check_request *request, const struct check_step *step,
                       struct words *words)
{
    char *rest = NULL, error[OUTPUT_ERROR_MAX];
    words->count = 0;
    snprintf(words->command, sizeof words->command, "%s", step->commands[request->level]);
    snprintf(words->output, sizeof words->output, "%.3000s/%s", request->output, step->name);
    add(words, "mallet");
    for (char *word = strtok_r(words->command, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (strcmp(word, "?baseline") == 0)
            add_baselines(words, request);
        else if (strcmp(word, "$O") == 0 && output_make_folder(words->output, error) == 0)
            add(words, words->output);
        else
            add(words, strcmp(word, "$S") == 0       ? request->subject
                       : strcmp(word, "$C") == 0     ? request->corpus
                       : strcmp(word, "$O") == 0     ? words->output
                       : strncmp(word, "$T", 2) == 0 ? print_time(request, step, word, words->time)
                                                     : word);
    }
    words->list[words->count] = NULL;
}

_Noreturn static void become_step(struct words *words, int out, int errors)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    signal(SIGPIPE, SIG_DFL);
    execv("/proc/self/exe", words->list);
    _exit(127);
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

double check_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Its status. With an end, looks 50 times a second, and then stops it; what it had started dies
 * with it. */
static int wait_for(pid_t child, double end, bool *ret_is_stopped)
{
    int status = -1;
    pid_t ended;
    *ret_is_stopped = false;
    while ((ended = waitpid(child, &status, end > 0 ? WNOHANG : 0)) == 0 ||
           (ended < 0 && errno == EINTR)) {
        if (ended == 0 && check_now() >= end && !*ret_is_stopped)
            *ret_is_stopped = kill(child, SIGKILL) == 0;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_INTERNAL ? WEXITSTATUS(status)
                                                                     : EXIT_INTERNAL;
}

static void read_document(struct check_result *result, int out)
{
    size_t length;
    char *text = read_back(out, &length);
    result->document = text == NULL ? NULL : json_loadb(text, length, 0, NULL);
    free(text);
    if (result->document != NULL || result->status == EXIT_REFUSED)
        return;
    result->status = EXIT_INTERNAL;
    if (result->sentence[0] == '\0')
        snprintf(result->sentence, sizeof result->sentence, "it ended without a report");
}

void check_run(const struct check_request *request, const struct check_step *step,
               struct check_result *ret_result)
{
    struct words words;
    int out = memfd_create("out", MFD_CLOEXEC), errors = memfd_create("errors", MFD_CLOEXEC);
    double start = check_now();
    bool is_stopped = false;
    *ret_result = (struct check_result){.step = step, .status = EXIT_INTERNAL};
    fill_words(request, step, &words);
    fflush(NULL);
    pid_t child = out < 0 || errors < 0 ? -1 : fork();
    if (child == 0)
        become_step(&words, out, errors);
    if (child > 0) {
        ret_result->status = wait_for(child, request->end, &is_stopped);
        keep_last_line(errors, ret_result->sentence, sizeof ret_result->sentence);
        read_document(ret_result, out);
    } else {
        snprintf(ret_result->sentence, sizeof ret_result->sentence, "cannot be started: %s",
                 strerror(errno));
    }
    if (is_stopped && ret_result->document == NULL) {
        ret_result->status = EXIT_REFUSED;
        snprintf(ret_result->sentence, sizeof ret_result->sentence,
                 "stopped: the %u seconds are over", request->limit);
    }
    ret_result->seconds = check_now() - start;
    close(out);
    close(errors);
}

void check_result_done(struct check_result *result)
{
    json_decref(result->document);
    result->document = NULL;
}

/* ---- what it found ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static json_t *make_finding(const struct check_result *result, const char *check, const char *site,
                            const char *sentence)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "step", result->step->name, "check", check, "site",
                     site, "sentence", sentence);
}

static bool has_class(const json_t *findings, const json_t *finding)
{
    size_t i;
    json_t *other;
    json_array_foreach(findings, i,
                       other) if (strcmp(text_of(other, "check"), text_of(finding, "check")) == 0 &&
                                  strcmp(text_of(other, "site"), text_of(finding, "site")) ==
                                      0) return true;
    return false;
}

/* A clause that fails and is in no baseline; or an object that has a check, a site and a sentence,
 * however deep. */
static json_t *finding_of(const struct check_result *result, const json_t *object)
{
    if (json_object_get(object, "clause") != NULL) {
        bool fails = strcmp(text_of(object, "verdict"), "fail") == 0 &&
                     json_object_get(object, "baseline") == NULL;
        return fails ? make_finding(result, text_of(object, "clause"), "clause",
                                    text_of(object, "evidence"))
                     : NULL;
    }
    if (!json_is_string(json_object_get(object, "check")) ||
        !json_is_string(json_object_get(object, "site")) ||
        !json_is_string(json_object_get(object, "sentence")))
        return NULL;
    json_t *finding = make_finding(result, text_of(object, "check"), text_of(object, "site"),
                                   text_of(object, "sentence"));
    static const char *const kept[] = {"program", "trace", "name", "schedule", "reproduced"};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (json_object_get(object, kept[i]) != NULL)
            json_object_set(finding, kept[i], json_object_get(object, kept[i]));
    return finding;
}

/* One of each class: check and site. */
static void collect(const struct check_result *result, const json_t *value, json_t *findings)
{
    size_t i;
    const char *key;
    json_t *member;
    if (json_is_array(value))
        json_array_foreach(value, i, member) collect(result, member, findings);
    if (!json_is_object(value))
        return;
    json_t *finding = finding_of(result, value);
    if (finding != NULL && !has_class(findings, finding))
        json_array_append(findings, finding);
    json_decref(finding);
    if (finding == NULL)
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
            collect(result, member, findings);
}

json_t *check_findings(const struct check_result *result)
{
    json_t *findings = json_array();
    collect(result, result->document, findings);
    return findings;
}

/* ---- what it did ---- */

static void describe_clauses(const json_t *results, char *ret_text, size_t capacity)
{
    size_t i, passes = 0, fails = 0, expected = 0;
    json_t *object;
    json_array_foreach(results, i, object)
    {
        bool is_expected = json_object_get(object, "baseline") != NULL;
        passes += strcmp(text_of(object, "verdict"), "pass") == 0;
        fails += strcmp(text_of(object, "verdict"), "fail") == 0 && !is_expected;
        expected += is_expected;
    }
    snprintf(ret_text, capacity, "%zu pass, %zu fail, %zu fail as expected", passes, fails,
             expected);
}

/* The sum of a number in the members of an array. */
static long long sum_of(const json_t *list, const char *key)
{
    size_t i;
    json_t *object;
    long long sum = 0;
    json_array_foreach(list, i, object) sum += json_integer_value(json_object_get(object, key));
    return sum;
}

void check_describe(const struct check_result *result, char *ret_text, size_t capacity)
{
    const json_t *document = result->document;
    const json_t *traces = json_object_get(document, "traces"),
                 *executions = json_object_get(document, "executions");
    const json_t *scenarios = json_object_get(document, "scenarios"),
                 *explorations = json_object_get(document, "explorations");
    const json_t *faults = json_object_get(document, "faults"),
                 *clean = json_object_get(document, "clean");
    if (document == NULL)
        snprintf(ret_text, capacity, "%s", result->sentence);
    else if (json_object_get(document, "counts") != NULL)
        describe_clauses(json_object_get(document, "results"), ret_text, capacity);
    else if (faults != NULL)
        snprintf(ret_text, capacity, "%zu traces, %lld refusals", json_array_size(traces),
                 (long long)json_integer_value(faults));
    else if (traces != NULL)
        snprintf(ret_text, capacity, "%zu traces", json_array_size(traces));
    else if (scenarios != NULL)
        snprintf(ret_text, capacity, "%lld calls, %lld forks", sum_of(scenarios, "calls"),
                 sum_of(scenarios, "forks"));
    else if (explorations != NULL)
        snprintf(ret_text, capacity, "%zu scenarios, %lld schedules", json_array_size(explorations),
                 sum_of(explorations, "schedules"));
    else if (clean != NULL)
        snprintf(ret_text, capacity, "%lld shapes clean, %lld skipped",
                 (long long)json_integer_value(clean),
                 (long long)json_integer_value(json_object_get(document, "skipped")));
    else
        snprintf(ret_text, capacity, "%lld runs", (long long)json_integer_value(executions));
}
