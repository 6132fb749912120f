/* SPDX-License-Identifier: MIT */
/* Runs the steps of `mallet check`, --jobs at a time, and reads what they printed. */
#ifndef MALLET_CHECK_RUN_H
#define MALLET_CHECK_RUN_H

#include "harness/cli/cli.h"
#include "harness/process/process.h"
#include "mallet/check_steps.h"

#include <limits.h>

struct check_request {
    struct cli cli; /* shared options, which the steps get too */
    /* subject: as typed; output: the folder for everything */
    const char *subject, *corpus, *output;
    unsigned offers; /* of the subject, as subject_offers */
    bool is_anvil;   /* the subject is the allocator whose source is here */
    enum check_level level;
    unsigned limit; /* seconds for all steps; 0: none */
    /* By check_now; 0: none. Steps share out the time until `end`; while nothing is found, each
     * goes on for its minimum, until `last` when all is stopped. */
    double end, last;
};

/* How a step ended. */
enum step_state {
    STEP_DONE,       /* it did its minimum */
    STEP_INCOMPLETE, /* it did not */
    STEP_NOT_BEGUN,  /* the time was over */
    STEP_NOT_MEANT,  /* not for this subject or level */
    STEP_BROKEN      /* an error in this project */
};

struct check_result {
    const struct check_step *step;
    enum step_state state;
    double seconds;
    unsigned long done, minimum;
    size_t found;       /* findings that count, of all steps so far; set by `take` */
    json_t *document;   /* what it printed; NULL: nothing that can be read */
    char sentence[256]; /* why it is not done; its last line on stderr; "" */
};

/* Seconds of a clock that nobody sets. */
double check_now(void);
/* By how much this machine is busy: wall time over processor time, from 1 to CHECK_SLOWNESS_MAX. */
enum { CHECK_SLOWNESS_MAX = 16 };
double check_slowness(void);

/* Without a limit of the user, a check that found nothing, and each step of it, takes at most so
 * many times its time. */
enum { CHECK_PATIENCE = 4 };
unsigned check_most_seconds(const struct check_request *request);

/* The file that a step writes its findings to, a line each, as it finds them. */
void check_findings_path(const struct check_request *request, const struct check_step *step,
                         char ret_path[PATH_MAX]);

/* Runs every step, and calls `take` with the result of each as it ends, in the order of their ends;
 * the document is released afterwards. Ends what runs when the request's time is over, or after an
 * interrupt: a step gets the time to print what it has. `show` is called every now and then with
 * those that run; NULL: never. Returns EXIT_CLEAN, or EXIT_REFUSED or EXIT_INTERNAL as `take`. */
enum { CHECK_SLOTS_MAX = 16 };
struct check_progress {
    const char *names[CHECK_SLOTS_MAX]; /* of the steps that run; NULL: none */
    double seconds[CHECK_SLOTS_MAX];
    unsigned ended, count;
};
int check_run_steps(const struct check_request *request,
                    int (*take)(void *context, struct check_result *result),
                    void (*show)(void *context, const struct check_progress *progress),
                    void *context);

#endif
