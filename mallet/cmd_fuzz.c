/* SPDX-License-Identifier: MIT */
/*
 * fuzz: the options of a fuzz campaign. campaign.h runs it.
 */
#include "mallet/campaign.h"
#include "mallet/command.h"

enum { SECONDS_DEFAULT = 60, OPS_DEFAULT = 64, OPS_LIMIT = 4096 };

enum option_key { KEY_PLAIN = 0x100, KEY_SANITIZER, KEY_MAX_OPS, KEY_CORPUS, KEY_RUNS, KEY_SYNC };

static const char *engine_name(unsigned i)
{
    return i == ENGINE_LIBFUZZER ? "libfuzzer" : i == ENGINE_AFL ? "afl" : NULL;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct campaign_options *campaign = state->input;
    switch (key) {
    case 'e':
        campaign->engine = (enum campaign_engine)cli_parse_choice("--engine", value, engine_name);
        return 0;
    case 't':
        campaign->seconds = cli_parse_time("--time", value);
        return 0;
    case KEY_RUNS:
        campaign->runs = cli_parse_number("--runs", value, 1, UINT32_MAX);
        return 0;
    case KEY_SYNC:
        campaign->sync = value;
        return 0;
    case KEY_CORPUS:
        campaign->corpus = value;
        return 0;
    case KEY_MAX_OPS:
        campaign->max_ops = (unsigned)cli_parse_number("--max-ops", value, 1, OPS_LIMIT);
        return 0;
    case KEY_PLAIN:
        campaign->build = BUILD_PLAIN;
        return 0;
    case KEY_SANITIZER:
        campaign->build = BUILD_SANITIZER;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"engine", 'e', "NAME", 0, "libfuzzer (default) or afl", 0},
    {"time", 't', "TIME", 0,
     "How long the engine runs, such as 90s, 15m or 1h30m (default: 60s); triage of what it finds "
     "takes up to half of that on top, and 10s at least",
     0},
    {"runs", KEY_RUNS, "N", 0,
     "Stop the engine after about N runs, however long they take, unless --time is given too", 0},
    {"corpus", KEY_CORPUS, "DIR", 0,
     "Start from the text traces in DIR instead of the project's seeds", 0},
    {"sync", KEY_SYNC, "DIR", 0,
     "Share what AFL++ finds with other campaigns on the same subject, on other hosts too, through "
     "DIR; each has an --output of its own. The first one in DIR is its main instance, also when "
     "it is started again",
     0},
    {"max-ops", KEY_MAX_OPS, "N", 0, "About N ops in a trace (default: 64)", 0},
    {"sanitizer", KEY_SANITIZER, NULL, 0,
     "Use the target with AddressSanitizer (default for anvil, if that target is built)", 0},
    {"plain", KEY_PLAIN, NULL, 0,
     "Use the target without a sanitizer (default for subjects other than anvil)", 0},
    {0},
};

int command_fuzz(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes =
            CLI_JSON | CLI_FINDINGS | CLI_OUTPUT_FOLDER | CLI_AT_LEAST | CLI_CAPACITY | CLI_JOBS,
        .subjects_min = 1,
        .subjects_max = 1,
        .is_fuzzed = true,
        .output_text = "Write corpus and findings to DIR (default: mallet-report/SUBJECT-ENGINE); "
                       "an earlier campaign in DIR is continued",
        .jobs_text = "Run N engine processes side by side, 1 to 64 (default: 1)"};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT",
        .doc = "Search for traces that break an allocator. Every class of finding (a check and the "
               "function it fails in) is shrunk, replayed in fresh processes, exported as a C "
               "program and saved in DIR/findings. Ctrl-C ends the engine; triage and summary "
               "follow."};
    struct campaign_options campaign = {.max_ops = OPS_DEFAULT};
    struct cli cli;
    cli_parse(&spec, &argp, argc, argv, &cli, &campaign);
    if (campaign.seconds == 0)
        campaign.seconds = campaign.runs > 0 ? CLI_TIME_MAX_S : SECONDS_DEFAULT;
    if (campaign.sync != NULL && campaign.engine != ENGINE_AFL)
        return refuse("--sync: only AFL++ shares a folder: give --engine afl as well");
    campaign.subject = cli.subject;
    campaign.output = cli.output;
    campaign.at_least = cli.at_least;
    campaign.jobs = cli.jobs > 0 ? cli.jobs : 1;
    campaign.is_json = cli.as_json;
    struct cli_findings findings;
    int status = cli_findings_open(&findings, &cli);
    campaign.findings = &findings;
    return cli_findings_close(&findings, status == EXIT_CLEAN ? campaign_run(&campaign) : status);
}
