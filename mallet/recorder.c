/* SPDX-License-Identifier: MIT */
/*
 * The log is a memfd: nothing to clean up, whatever happens. The child inherits it at a high
 * number, and the library finds it as /proc/self/fd/N.
 */
#include "mallet/recorder.h"

#include "harness/base/proc.h"
#include "harness/process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LOG_DESCRIPTOR_MIN = 200 }; /* out of the way of the program's own */

static int fail(char error[RECORDER_ERROR_MAX], int result, const char *what, const char *name)
{
    snprintf(error, RECORDER_ERROR_MAX, "%s%.160s: %s", what, name, strerror(result));
    return result;
}

/* Beside the executable as built, or where it is installed. */
static int find_library(char ret_path[PATH_MAX], char error[RECORDER_ERROR_MAX])
{
    char own[PATH_MAX / 2];
    (void)proc_own_folder(own, sizeof own);
    snprintf(ret_path, PATH_MAX, "%s/../lib/libmallet-record.so", own);
    return access(ret_path, R_OK) == 0
               ? 0
               : fail(error, ENOENT, "cannot record: libmallet-record.so beside ", own);
}

static int make_log(size_t max_records, struct recording *recording, char error[RECORDER_ERROR_MAX],
                    int *ret_file)
{
    recording->length = sizeof(struct record_log) + max_records * sizeof(struct record);
    int low = memfd_create("mallet-record", MFD_CLOEXEC);
    int file = low >= 0 ? fcntl(low, F_DUPFD_CLOEXEC, LOG_DESCRIPTOR_MIN) : -1;
    void *log = MAP_FAILED;
    if (file >= 0 && ftruncate(file, (off_t)recording->length) == 0)
        log = mmap(NULL, recording->length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    int result = errno;
    if (low >= 0)
        close(low);
    if (log == MAP_FAILED) {
        if (file >= 0)
            close(file);
        return fail(error, result, "cannot record: ", "the log");
    }
    recording->log = log;
    recording->log->magic = RECORD_MAGIC;
    recording->log->capacity = max_records;
    *ret_file = file;
    return 0;
}

/* Our library first; what the caller preloads anyway stays. */
static void list_preloads(const char *library, char ret_list[2 * PATH_MAX])
{
    const char *before = getenv("LD_PRELOAD");
    bool is_listed = before != NULL && before[0] != '\0';
    snprintf(ret_list, 2 * (size_t)PATH_MAX, "%s%s%.*s", library, is_listed ? ":" : "",
             PATH_MAX / 2, is_listed ? before : "");
}

static int spawn(char **argv, const char *library, int log, struct process *ret_process)
{
    char file[64], parent[64], preload[2 * PATH_MAX];
    snprintf(file, sizeof file, RECORD_FILE_VARIABLE "=/proc/self/fd/%d", log);
    snprintf(parent, sizeof parent, RECORD_PARENT_VARIABLE "=%d", (int)getpid());
    list_preloads(library, preload);
    const char *const variables[] = {file, parent, NULL};
    const struct process_descriptor descriptors[] = {{log, log}};
    const struct process_plan plan = {.program = argv[0],
                                      .arguments = (const char *const *)argv,
                                      .keeps_environment = true,
                                      .preload = preload,
                                      .variables = variables,
                                      .descriptors = descriptors,
                                      .descriptor_count = 1,
                                      .output = PROCESS_OUTPUT_INHERITED,
                                      .is_in_foreground = true};
    return process_spawn(&plan, ret_process);
}

/* Ctrl-C is for the program: we stay to save what it did until then. */
static void wait_for(struct process *program)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_interrupt, old_quit;
    sigaction(SIGINT, &ignore, &old_interrupt);
    sigaction(SIGQUIT, &ignore, &old_quit);
    process_wait(program);
    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGQUIT, &old_quit, NULL);
}

static int start_and_wait(char **argv, const char *library, int log, struct recording *recording,
                          char error[RECORDER_ERROR_MAX])
{
    struct process program;
    int result = spawn(argv, library, log, &program);
    if (result != 0)
        return fail(error, result, "cannot start ", argv[0]);
    wait_for(&program);
    recording->status = program.status;
    process_release(&program);
    return 0;
}

int recorder_run(char **argv, size_t max_records, struct recording *ret_recording,
                 char error[RECORDER_ERROR_MAX])
{
    char library[PATH_MAX];
    struct recording recording = {0};
    int log = -1, result = find_library(library, error);
    if (result == 0)
        result = make_log(max_records, &recording, error, &log);
    if (result != 0)
        return result;
    result = start_and_wait(argv, library, log, &recording, error);
    close(log);
    if (result == 0)
        *ret_recording = recording;
    else
        recorder_done(&recording);
    return result;
}

void recorder_done(struct recording *recording)
{
    munmap(recording->log, recording->length);
}
