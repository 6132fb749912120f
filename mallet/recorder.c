/* SPDX-License-Identifier: MIT */
/*
 * The log is a memfd: nothing to clean up, whatever happens. The child inherits it at a high number
 * and names it to the library as /proc/self/fd/N. Whether exec worked comes back through a pipe
 * that exec closes.
 */
#include "mallet/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
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
    static const char *const places[] = {
        "../lib/libmallet-record.so", "../lib/mallet/libmallet-record.so", "libmallet-record.so"};
    char own[PATH_MAX / 2];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash != NULL)
        *slash = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(ret_path, PATH_MAX, "%s/%s", own, places[i]);
        if (access(ret_path, R_OK) == 0)
            return 0;
    }
    return fail(error, ENOENT, "cannot record: libmallet-record.so beside ", own);
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
static void preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    char value[2 * PATH_MAX];
    bool is_listed = before != NULL && before[0] != '\0';
    snprintf(value, sizeof value, "%s%s%.*s", library, is_listed ? ":" : "", PATH_MAX,
             is_listed ? before : "");
    setenv("LD_PRELOAD", value, 1);
}

_Noreturn static void become_program(char **argv, const char *library, int log, int failed)
{
    char text[64];
    snprintf(text, sizeof text, "/proc/self/fd/%d", log);
    setenv(RECORD_FILE_VARIABLE, text, 1);
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv(RECORD_PID_VARIABLE, text, 1);
    preload(library);
    fcntl(log, F_SETFD, 0);
    signal(SIGPIPE, SIG_DFL);
    execvp(argv[0], argv);
    int result = errno;
    _exit(write(failed, &result, sizeof result) == sizeof result ? 127 : 126);
}

/* Ctrl-C is for the program: we stay to save what it did until then. */
static int wait_for(pid_t child)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old_interrupt, old_quit;
    sigaction(SIGINT, &ignore, &old_interrupt);
    sigaction(SIGQUIT, &ignore, &old_quit);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &old_interrupt, NULL);
    sigaction(SIGQUIT, &old_quit, NULL);
    return status;
}

static int start_and_wait(char **argv, const char *library, int log, struct recording *recording,
                          char error[RECORDER_ERROR_MAX])
{
    int failed[2];
    if (pipe2(failed, O_CLOEXEC) != 0)
        return fail(error, errno, "cannot start ", argv[0]);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        become_program(argv, library, log, failed[1]);
    int result = child < 0 ? errno : 0;
    close(failed[1]);
    if (child > 0) {
        int reason;
        if (read(failed[0], &reason, sizeof reason) == sizeof reason)
            result = reason;
        recording->status = wait_for(child);
    }
    close(failed[0]);
    return result == 0 ? 0 : fail(error, result, "cannot start ", argv[0]);
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
