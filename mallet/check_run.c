/* SPDX-License-Identifier: MIT */
/*
 * Runs one step of a check: builds the command line from the words in check_steps.c, runs `mallet`
 * on it in a child with stdout and stderr in memory files, ends it at the time limit, and reads the
 * JSON document that it printed.
 */
#include "mallet/check_run.h"

#include "harness/base/clock.h"
#include "harness/cli/output.h"
#include "harness/process/process.h"
#include "mallet/command.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 48, COMMAND_MAX = 256 };

/* ---- the process ---- */

struct words {
    char *list[WORDS_MAX + 1];
    size_t count;
    char command[COMMAND_MAX], output[PATH_MAX], findings[PATH_MAX], time[16];
};

static void add(struct words *words, const char *word)
{
    if (words->count < WORDS_MAX)
        words->list[words->count++] = (char *)(uintptr_t)word;
}

static void add_option(struct words *words, const char *option, const char *value)
{
    if (value == NULL)
        return;
    add(words, option);
    add(words, value);
}

/* Seconds until the step's time is over, no more than `most`. */
static const char *print_time(const struct check_request *request, const struct check_step *step,
                              unsigned long most, char ret_text[16])
{
    double share = request->end > 0
                       ? (request->end - check_now()) * check_step_part(step, request->level)
                       : (double)most;
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
        if (strcmp(word, "?limit") == 0)
            add_option(words, "--limit",
                       request->end > 0 ? print_time(request, step, request->limit, words->time)
                                        : NULL);
        else if (strcmp(word, "$O") == 0 && output_make_folder(words->output, error) == 0)
            add(words, words->output);
        else
            add(words, strcmp(word, "$S") == 0   ? request->subject
                       : strcmp(word, "$C") == 0 ? request->corpus
                       : strcmp(word, "$O") == 0 ? words->output
                       : strncmp(word, "$T:", 3) == 0
                           ? print_time(request, step, strtoul(word + 3, NULL, 10), words->time)
                           : word);
    }
    for (unsigned i = 0; i < request->baseline_count; i++)
        add_option(words, "--baseline", request->baselines[i]);
    check_findings_path(request, step, words->findings);
    unlink(words->findings); /* of a check before this one */
    add_option(words, "--findings", words->findings);
    words->list[words->count] = NULL;
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
    return (double)clock_now_ns() * 1e-9;
}

/* Milliseconds to the end; 0: there is none. */
static unsigned time_left(double end)
{
    double seconds = end > 0 ? end - check_now() : 0;
    return end > 0 ? 1 + (unsigned)(seconds > 0 ? seconds * 1000 : 0) : 0;
}

/* Runs it to its end, or to ours. Returns 0 or a positive errno. */
static int run_step(const struct check_request *request, const struct words *words, int out,
                    int errors, struct process *ret_process)
{
    const struct process_descriptor descriptors[] = {{STDOUT_FILENO, out}, {STDERR_FILENO, errors}};
    const struct process_plan plan = {.program = "/proc/self/exe",
                                      .arguments = (const char *const *)words->list,
                                      .keeps_environment = true,
                                      .descriptors = descriptors,
                                      .descriptor_count = 2,
                                      .wall_limit_ms = time_left(request->end)};
    return out < 0 || errors < 0 ? errno : process_run(&plan, ret_process);
}

static int exit_status(int status)
{
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
    struct process process = {0};
    *ret_result = (struct check_result){.step = step, .status = EXIT_INTERNAL};
    fill_words(request, step, &words);
    int failure = run_step(request, &words, out, errors, &process);
    if (failure == 0) {
        ret_result->status = exit_status(process.status);
        keep_last_line(errors, ret_result->sentence, sizeof ret_result->sentence);
        read_document(ret_result, out);
    } else {
        snprintf(ret_result->sentence, sizeof ret_result->sentence, "cannot be started: %s",
                 strerror(failure));
    }
    if (process.is_timed_out && ret_result->document == NULL) {
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
