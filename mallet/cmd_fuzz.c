/* SPDX-License-Identifier: MIT */
/* mallet fuzz: the options of a campaign. */
#include "mallet/campaign.h"
#include "mallet/command.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS_DEFAULT = 60, JOBS_LIMIT = 64, OPS_DEFAULT = 64, OPS_LIMIT = 4096 };

enum option_key { KEY_PLAIN = 0x100, KEY_SANITIZER, KEY_MAX_OPS, KEY_JSON, KEY_CORPUS };

static unsigned parse_positive(struct argp_state *state, const char *option, const char *text,
                               unsigned max)
{
    unsigned number = (unsigned)parse_number(option, text, max);
    if (number == 0)
        argp_error(state, "%s must be at least 1", option);
    return number;
}

static enum campaign_engine parse_engine(struct argp_state *state, const char *name)
{
    if (strcmp(name, "libfuzzer") != 0 && strcmp(name, "afl") != 0)
        argp_error(state, "--engine: `%s` is neither libfuzzer nor afl", name);
    return strcmp(name, "afl") == 0 ? ENGINE_AFL : ENGINE_LIBFUZZER;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct campaign_options *campaign = state->input;
    switch (key) {
    case 'e':
        campaign->engine = parse_engine(state, value);
        return 0;
    case 't':
        campaign->seconds = parse_time("--time", value);
        return 0;
    case 'j':
        campaign->jobs = parse_positive(state, "--jobs", value, JOBS_LIMIT);
        return 0;
    case 'o':
        campaign->output = value;
        return 0;
    case KEY_CORPUS:
        campaign->corpus = value;
        return 0;
    case KEY_MAX_OPS:
        campaign->max_ops = parse_positive(state, "--max-ops", value, OPS_LIMIT);
        return 0;
    case KEY_PLAIN:
        campaign->build = BUILD_PLAIN;
        return 0;
    case KEY_SANITIZER:
        campaign->build = BUILD_SANITIZER;
        return 0;
    case KEY_JSON:
        campaign->is_json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (campaign->subject != NULL)
            argp_error(state, "one SUBJECT only, not also `%s`", value);
        campaign->subject = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "SUBJECT is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"engine", 'e', "NAME", 0, "libfuzzer (default) or afl", 0},
    {"time", 't', "TIME", 0,
     "For how long the engine runs: 90s, 15m, 8h (default 60s); triage of what it finds comes on "
     "top",
     0},
    {"jobs", 'j', "N", 0, "Engine processes side by side (default 1)", 0},
    {"output", 'o', "DIR", 0,
     "Where corpus and findings go (default mallet-report/SUBJECT-ENGINE); an earlier campaign "
     "there goes on",
     0},
    {"corpus", KEY_CORPUS, "DIR", 0,
     "Folder of text traces to begin with, instead of the project's own seeds", 0},
    {"max-ops", KEY_MAX_OPS, "N", 0, "Ops in one trace, about (default 64)", 0},
    {"sanitizer", KEY_SANITIZER, NULL, 0,
     "Use the target with AddressSanitizer (the default for anvil, where it is built)", 0},
    {"plain", KEY_PLAIN, NULL, 0,
     "Use the target without a sanitizer (the default for every other subject)", 0},
    {"json", KEY_JSON, NULL, 0, "Print the summary as JSON", 0},
    {0},
};

int command_fuzz(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT",
        .doc = "Search for traces that break an allocator. Every class of finding (a check and the "
               "function it fails in) is shrunk, "
               "replayed in "
               "fresh processes, exported as a C program and saved in DIR/findings. Ctrl-C ends "
               "the campaign in order.\v"
               "Exit status: 0 nothing found, 1 findings, 2 the campaign could not be run."};
    struct campaign_options campaign = {
        .seconds = SECONDS_DEFAULT, .jobs = 1, .max_ops = OPS_DEFAULT};
    argp_parse(&argp, argc, argv, 0, NULL, &campaign);
    return campaign_run(&campaign);
}
