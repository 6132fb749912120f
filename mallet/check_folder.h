/* SPDX-License-Identifier: MIT */
/*
 * The folder of a check belongs to one build of the subject, told apart by the content of its file.
 * What an earlier build had is tried again first and reported as still there or gone: nothing is
 * shown that was not run.
 */
#ifndef MALLET_CHECK_FOLDER_H
#define MALLET_CHECK_FOLDER_H

#include "mallet/check_causes.h"

enum earlier_state { EARLIER_GONE, EARLIER_THERE, EARLIER_UNKNOWN };

struct check_earlier {
    char check[FINDING_CHECK_MAX], site[FINDING_SITE_MAX], sentence[FINDING_SENTENCE_MAX];
    enum earlier_state state;
};

struct check_folder {
    bool is_other_build; /* what was there was of another one */
    struct check_earlier *earlier;
    size_t earlier_count;
};

/* Call before the first step: the programs of an earlier build's findings are compiled and run,
 * until `until` by check_now at most, and what they still show is added to the causes. What the
 * campaign of that build found is removed; its corpus stays. subject_file: what the build is. */
void check_folder_open(struct check_folder *ret_folder, struct check_causes *causes,
                       const char *subject_file, double until);
/* Runs the program of a finding on the subject of this check, unless it is too late. */
void check_earlier_try(struct check_earlier *ret_earlier, const struct check_causes *causes,
                       const struct finding *finding, double until);
/* What could not be tried again, but this build's own steps found, is still there. */
void check_folder_settle(struct check_folder *folder, const struct check_causes *causes);
void check_earlier_print(const struct check_earlier *earlier, size_t count);
json_t *check_earlier_json(const struct check_earlier *earlier, size_t count);
void check_folder_done(struct check_folder *folder);

/* 16 hexadecimal digits of the file's content; "" if it cannot be read. */
void check_build_id(const char *path, char ret_id[17]);

#endif
