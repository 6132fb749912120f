/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: as fuzz_trace, but the first record of an input chooses how anvil is set up: the
 * page source, the fit policy, the thresholds, the levels of hardening, or the default heap with
 * its threads' caches. Other subjects have no such choices: MALLET_SUBJECT is ignored.
 */
#include "fuzz/target.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of the inputs that a plain main has run: prints a line; false: some choice was never made. */
bool fuzz_tally(void);

enum { RECORD = 4, OPTIONS_MAX = 200, CHOICES_MAX = 5 };

/* What one byte chooses. */
struct choice {
    const char *texts[CHOICES_MAX];
    unsigned count;
};

static const struct choice choices[] = {
    {{"arena", "source:mmap", "source:sbrk", "default"}, 4},
    {{",fit:best", ",fit:first", ",fit:next", ",fit:worst"}, 4},
    {{"", ",mmap_threshold:64k", ",trim_threshold:64k", ",mmap_threshold:20000"}, 4},
    {{"", "", ",secure", ",canary:on,quarantine:64k", ",zero:on,random:on"}, 5},
};
enum { CHOICES = sizeof choices / sizeof choices[0] };

static size_t tally[CHOICES][CHOICES_MAX];

/* The digits of a number whose base is the count of each choice. */
static void choose(const uint8_t *record, unsigned chosen[CHOICES])
{
    uint32_t number = (uint32_t)record[0] | (uint32_t)record[1] << 8 | (uint32_t)record[2] << 16;
    for (unsigned i = 0; i < CHOICES; i++) {
        chosen[i] = number % choices[i].count;
        number /= choices[i].count;
        tally[i][chosen[i]]++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char options[OPTIONS_MAX] = "";
    unsigned chosen[CHOICES];
    if (size < RECORD)
        return 0;
    choose(data, chosen);
    for (unsigned i = 0; i < CHOICES; i++)
        strncat(options, choices[i].texts[chosen[i]], sizeof options - strlen(options) - 1);
    target_run(data + RECORD, size - RECORD, &(const struct target_mode){.anvil_options = options});
    return 0;
}

bool fuzz_tally(void)
{
    bool is_all = true;
    printf("configurations:");
    for (unsigned i = 0; i < CHOICES; i++)
        for (unsigned text = 0; text < choices[i].count; text++) {
            printf(" %s %zu", choices[i].texts[text], tally[i][text]);
            is_all &= tally[i][text] > 0;
        }
    printf("\n");
    return is_all;
}
