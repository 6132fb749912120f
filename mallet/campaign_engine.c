/* SPDX-License-Identifier: MIT */
/* Which programs an engine needs, where they are found, and how a job of it is started. */
#include "mallet/campaign_internal.h"

#include "harness/base/proc.h"
#include "harness/cli/bring.h"
#include "harness/subject/subject_plan.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BYTES_PER_OP = TRACE_RECORD_SIZE, /* most ops need no prefix */
    /* for one input; a foreign subject has its own, shorter limit */
    INPUT_LIMIT_S = 20,
    /* of a target: a leak of our own must not take the machine down */
    MEMORY_LIMIT_MB = 4096,
    WORDS_MAX = 40
};

/* ---- finding ---- */

/* Each preset has a folder beside ours, as built and as installed. */
static bool find_target(struct campaign *campaign, const char *preset)
{
    char own[CAMPAIGN_PATH_MAX];
    (void)proc_own_folder(own, sizeof own);
    campaign_path(campaign->target, "%s/../../%s/bin/fuzz_trace", own, preset);
    return access(campaign->target, X_OK) == 0;
}

static const char *target_preset(const struct campaign *campaign)
{
    if (campaign->options->engine == ENGINE_AFL)
        return "afl";
    return campaign->options->build == BUILD_SANITIZER ? "libfuzzer-asan" : "libfuzzer";
}

/* A sanitizer sees more of anvil, which is compiled with it; of a foreign subject it sees nothing
 * and costs time. */
static bool find_build(struct campaign *campaign)
{
    bool is_anvil = subject_anvil_options(campaign->subject_path) != NULL;
    if (campaign->options->build == BUILD_ANY && campaign->options->engine != ENGINE_AFL &&
        is_anvil && find_target(campaign, "libfuzzer-asan"))
        return true;
    return find_target(campaign, target_preset(campaign));
}

static bool find_in_path(const char *name, char ret_path[CAMPAIGN_PATH_MAX])
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        campaign_path(ret_path, "%.*s/%s", (int)length, path, name);
        if (access(ret_path, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

static bool find_mutator(struct campaign *campaign)
{
    char folder[CAMPAIGN_PATH_MAX];
    campaign_path(folder, "%s", campaign->target);
    *strrchr(folder, '/') = '\0';
    campaign_path(campaign->mutator, "%s/../lib/mallet-afl-mutator.so", folder);
    return access(campaign->mutator, R_OK) == 0;
}

int campaign_find_engine(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    const char *preset = target_preset(campaign);
    bool is_afl = campaign->options->engine == ENGINE_AFL;
    if (!find_build(campaign) || (is_afl && !find_mutator(campaign))) {
        snprintf(error, CAMPAIGN_ERROR_MAX,
                 "the engine's target is not built yet: run `cmake --preset %s && cmake --build "
                 "--preset %s` in mallet's source folder, and install again what was installed",
                 preset, preset);
        return ENOENT;
    }
    if (is_afl && !find_in_path("afl-fuzz", campaign->afl)) {
        snprintf(
            error, CAMPAIGN_ERROR_MAX,
            "afl-fuzz is not on the PATH: install the package afl++, or use --engine libfuzzer");
        return ENOENT;
    }
    return 0;
}

/* ---- starting ---- */

/* Words of a command or of an environment: storage for them, and the list with NULL last. */
struct words {
    char storage[WORDS_MAX][CAMPAIGN_PATH_MAX];
    const char *list[WORDS_MAX + 1];
    size_t count;
};

static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct words *words, const char *format, ...)
{
    va_list values;
    assert(words->count < WORDS_MAX);
    va_start(values, format);
    char *text = words->storage[words->count];
    vsnprintf(text, CAMPAIGN_PATH_MAX, format, values);
    va_end(values);
    words->list[words->count++] = text;
    words->list[words->count] = NULL;
}

static void add_environment(struct words *words, const struct campaign *campaign)
{
    static const char *const settings[] = {
        "AFL_NO_UI",        "AFL_SKIP_CPUFREQ",        "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES",
        "AFL_AUTORESUME",   "AFL_CUSTOM_MUTATOR_ONLY", "AFL_NO_AFFINITY",
        "AFL_SKIP_CRASHES", "AFL_IGNORE_PROBLEMS"};
    const struct cli *cli = campaign->options->findings->cli;
    char fuzzed[PATH_MAX];
    bool is_built = bring_find_fuzzed(campaign->subject_path, fuzzed);
    add(words, "MALLET_SUBJECT=%s", is_built ? fuzzed : campaign->subject_path);
    add(words, "MALLET_FINDINGS=%s/raw", campaign->output);
    if (cli->has_capacity)
        add(words, "MALLET_CAPACITY=%llu", (unsigned long long)cli->capacity);
    if (campaign->options->engine == ENGINE_LIBFUZZER) {
        if (getenv("ASAN_OPTIONS") == NULL)
            add(words, "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:symbolize=1");
        return;
    }
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        add(words, "%s=1", settings[i]);
    if (campaign->options->sync != NULL) {
        add(words, "AFL_IMPORT_FIRST=1");
        if (getenv("AFL_SYNC_TIME") == NULL) /* minutes; by itself it looks every 20 */
            add(words, "AFL_SYNC_TIME=1");
    }
    add(words, "AFL_CUSTOM_MUTATOR_LIBRARY=%s", campaign->mutator);
}

/* Leaks and slow inputs are no matter of the engine's: footprint and progress are checks of
 * ours. */
static void add_libfuzzer(struct words *arguments, const struct campaign *campaign,
                          unsigned seconds)
{
    add(arguments, "%s", campaign->target);
    add(arguments, "%s/corpus", campaign->output);
    add(arguments, "%s/seeds", campaign->output);
    add(arguments, "-artifact_prefix=%s/artifacts/", campaign->output);
    add(arguments, "-max_len=%u", campaign->options->max_ops * BYTES_PER_OP);
    add(arguments, "-max_total_time=%u", seconds);
    add(arguments, "-timeout=%d", INPUT_LIMIT_S);
    add(arguments, "-rss_limit_mb=%d", MEMORY_LIMIT_MB);
    add(arguments, "-report_slow_units=%d", 10 * INPUT_LIMIT_S);
    add(arguments, "-detect_leaks=0");
    add(arguments, "-use_value_profile=0");
    add(arguments, "-reload=1");
}

static void add_afl(struct words *arguments, const struct campaign *campaign, unsigned index,
                    unsigned seconds)
{
    add(arguments, "%s", campaign->afl);
    add(arguments, "-i");
    add(arguments, "%s/seeds", campaign->output);
    add(arguments, "-o");
    add(arguments, "%s", campaign->afl_folder);
    add(arguments, index == 0 && campaign->is_afl_main ? "-M" : "-S");
    add(arguments, "%s%u", campaign->afl_prefix, index);
    add(arguments, "-V");
    add(arguments, "%u", seconds);
    add(arguments, "-t");
    add(arguments, "%d", INPUT_LIMIT_S * 1000);
    add(arguments, "-m");
    add(arguments, "none");
    add(arguments, "-G");
    add(arguments, "%u", campaign->options->max_ops * BYTES_PER_OP);
    add(arguments, "--");
    add(arguments, "%s", campaign->target);
}

static int spawn(const struct campaign *campaign, const struct words *arguments,
                 struct process *ret_process)
{
    static struct words environment;
    environment.count = 0;
    add_environment(&environment, campaign);
    const struct process_plan plan = {.program = arguments->list[0],
                                      .arguments = arguments->list,
                                      .keeps_environment = true,
                                      .variables = environment.list,
                                      .output = PROCESS_OUTPUT_STREAM};
    return process_spawn(&plan, ret_process);
}

int campaign_spawn_job(const struct campaign *campaign, unsigned index, unsigned seconds,
                       struct process *ret_process)
{
    static struct words arguments;
    arguments.count = 0;
    if (campaign->options->engine == ENGINE_AFL)
        add_afl(&arguments, campaign, index, seconds);
    else
        add_libfuzzer(&arguments, campaign, seconds);
    return spawn(campaign, &arguments, ret_process);
}

int campaign_spawn_target(const struct campaign *campaign, const char *input,
                          struct process *ret_process)
{
    static struct words arguments;
    arguments.count = 0;
    add(&arguments, "%s", campaign->target);
    add(&arguments, "%s", input);
    return spawn(campaign, &arguments, ret_process);
}
