/* SPDX-License-Identifier: MIT */
/*
 * What every command does with a finding, by the shared options: --baseline and --allow tell
 * whether it is expected, --strict makes a note count, --findings writes it down at once,
 * --write-baseline writes all of them as a baseline at the end.
 */
#ifndef HARNESS_CLI_FINDINGS_H
#define HARNESS_CLI_FINDINGS_H

#include "harness/cli/cli.h"
#include "harness/finding/baseline.h"

struct cli_findings {
    const struct cli *cli;
    struct baseline expected, seen;
    FILE *lines; /* NULL: no --findings, or nothing written to it yet */
    int failure; /* errno of a finding that could not be kept */
};

/* Reads the baselines, and finds out whether the files that the options name could be written.
 * Returns EXIT_CLEAN, or EXIT_REFUSED after one sentence. cli_findings_close ends either. */
int cli_findings_open(struct cli_findings *ret_findings, const struct cli *cli);

/* Why the finding is expected, by a baseline or by --allow; NULL: it is not. */
const char *cli_findings_expect(const struct cli_findings *findings, const struct finding *finding);
/* Whether the finding, as it is known by now, counts: it is not expected, and no note. With
 * --strict notes count too, but for clauses on which editions of a standard differ. */
bool cli_findings_counts(const struct cli_findings *findings, const struct finding *finding);

/* Sets finding->expected. Returns whether it counts. Of a class that was added before, only what
 * was tried several times is written down again. */
bool cli_findings_add(struct cli_findings *findings, struct finding *finding);
/* Writes a finding down again, of which more is known now. */
void cli_findings_update(struct cli_findings *findings, const struct finding *finding);

/* Writes the baseline, unless status says that the command could not do its work. Returns status,
 * EXIT_CLEAN in the place of EXIT_FINDINGS if the baseline was written, or EXIT_REFUSED or
 * EXIT_INTERNAL after one sentence. */
int cli_findings_close(struct cli_findings *findings, int status);

#endif
