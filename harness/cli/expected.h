/* SPDX-License-Identifier: MIT */
/*
 * --baseline and --write-baseline, for every command that finds something: which findings are
 * expected, and a new baseline of all that was found. Functions that return a status return
 * EXIT_CLEAN, or EXIT_REFUSED or EXIT_INTERNAL after a sentence.
 */
#ifndef HARNESS_CLI_EXPECTED_H
#define HARNESS_CLI_EXPECTED_H

#include "harness/cli/cli.h"
#include "harness/finding/baseline.h"

struct expected {
    struct baseline entries; /* of the files that --baseline names */
    struct baseline found;   /* for --write-baseline */
    bool is_short_of_memory; /* found is not complete */
};

/* Reads the files, and checks that the new baseline can be written. expected_done frees either
 * way. */
int expected_read(struct expected *ret_expected, const struct cli *cli);
void expected_done(struct expected *expected);

/* Notes a finding. Returns why it is expected ("": no reason given), for as long as `expected` lives;
 * NULL: it is not. */
const char *expected_find(struct expected *expected, const struct finding *finding);

/* Writes the findings noted so far where --write-baseline asks for it. */
int expected_write(struct expected *expected, const struct cli *cli);

#endif
