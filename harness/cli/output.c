/* SPDX-License-Identifier: MIT */
/*
 * Output files and folders. Errors of writing are collected where the file is closed: stdio keeps
 * that there was one, and output_close returns it. errno is saved at once after each call that
 * sets it, since the next call may change it.
 */
#include "harness/cli/output.h"

#include "harness/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An empty path reads as a hole in the sentence. */
static int describe(int result, const char *path, char error[OUTPUT_ERROR_MAX])
{
    snprintf(error, OUTPUT_ERROR_MAX, "cannot write %.160s: %s", path[0] != '\0' ? path : "``",
             strerror(result));
    return result;
}

/* A rename may replace only a regular file, or create one. */
static bool is_replaceable(const char *path)
{
    struct stat status;
    return lstat(path, &status) != 0 ? errno == ENOENT
                                     : S_ISREG(status.st_mode) && access(path, W_OK) == 0;
}

int output_open(struct output *ret_output, const char *path, char error[OUTPUT_ERROR_MAX])
{
    struct output output = {.path = path};
    if (path == NULL || strcmp(path, "-") == 0) {
        output.path = NULL;
        output.file = stdout;
        *ret_output = output;
        return 0;
    }
    if (path[0] == '\0')
        return describe(ENOENT, path, error);
    if (is_replaceable(path) && snprintf(output.temporary, sizeof output.temporary, "%s.part-%d",
                                         path, (int)getpid()) >= (int)sizeof output.temporary)
        return describe(ENAMETOOLONG, path, error);
    output.file = fopen(output.temporary[0] != '\0' ? output.temporary : path, "we");
    if (output.file == NULL)
        return describe(errno, path, error);
    *ret_output = output;
    return 0;
}

/* The errno of an earlier failure is lost; flushing what is left in the buffer fails for the same
 * reason. */
int output_flush(FILE *file)
{
    bool had_error = ferror(file) != 0;
    if (fflush(file) != 0)
        return errno;
    return had_error ? EIO : 0;
}

/* Drops what could not be written, so that the check at exit does not report it again. That nobody
 * reads it is no error. */
static int drop_stdout(int result, char error[OUTPUT_ERROR_MAX])
{
    __fpurge(stdout);
    clearerr(stdout);
    return cli_is_unread() ? 0 : describe(result, "to standard output", error);
}

int output_close(struct output *output, char error[OUTPUT_ERROR_MAX])
{
    int result = output_flush(output->file);
    if (output->path == NULL)
        return result == 0 ? 0 : drop_stdout(result, error);
    if (fclose(output->file) != 0 && result == 0)
        result = errno;
    if (result == 0 && output->temporary[0] != '\0' && rename(output->temporary, output->path) != 0)
        result = errno;
    if (result == 0)
        return 0;
    if (output->temporary[0] != '\0')
        unlink(output->temporary);
    return describe(result, output->path, error);
}

void output_drop(struct output *output)
{
    if (output->path == NULL)
        return;
    (void)fclose(output->file); /* what it could not write is dropped anyway */
    if (output->temporary[0] != '\0')
        unlink(output->temporary);
}

/* Devices, and files behind links, are not opened: that alone may have an effect. */
static int check_existing(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return errno == ENOENT ? 0 : errno; /* a link to a file that is to be made */
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return access(path, W_OK) == 0 ? 0 : errno;
}

int output_check(const char *path, char error[OUTPUT_ERROR_MAX])
{
    struct output output = {0};
    int result;
    if (path == NULL || strcmp(path, "-") == 0)
        return 0;
    if (path[0] != '\0' && !is_replaceable(path)) {
        result = check_existing(path);
        return result == 0 ? 0 : describe(result, path, error);
    }
    result = output_open(&output, path, error);
    if (result != 0)
        return result;
    fputc('\n', output.file); /* a full disk refuses no file, but what is written to it */
    result = output_flush(output.file);
    output_drop(&output);
    return result == 0 ? 0 : describe(result, path, error);
}

/* ---- folders ---- */

/* Which levels of a path were made, as lengths of the path. */
struct made {
    size_t lengths[64];
    size_t count;
};

static int make_level(const char *path, size_t length, struct made *made)
{
    char partial[PATH_MAX];
    if (length >= sizeof partial || made->count == sizeof made->lengths / sizeof made->lengths[0])
        return ENAMETOOLONG;
    snprintf(partial, sizeof partial, "%.*s", (int)length, path);
    if (mkdir(partial, 0777) == 0)
        made->lengths[made->count++] = length;
    else if (errno != EEXIST)
        return errno;
    return 0;
}

static int make_folders(const char *path, struct made *made)
{
    int result = path[0] != '\0' ? 0 : ENOENT;
    for (const char *end = path; end != NULL && result == 0;) {
        end = strchr(end + 1, '/');
        result = make_level(path, end != NULL ? (size_t)(end - path) : strlen(path), made);
    }
    return result;
}

static void remove_made(const char *path, const struct made *made)
{
    char partial[PATH_MAX];
    for (size_t i = made->count; i-- > 0;) {
        snprintf(partial, sizeof partial, "%.*s", (int)made->lengths[i], path);
        rmdir(partial);
    }
}

/* For root access() allows what the file system then refuses, so that a file has to be made. */
static int try_file(const char *folder)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/.mallet-%d", folder, (int)getpid()) >= (int)sizeof path)
        return ENAMETOOLONG;
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return errno;
    int result = write(file, "\n", 1) == 1 ? 0 : errno; /* the disk may be full */
    close(file);
    unlink(path);
    return result;
}

static int check_folder(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return errno;
    return S_ISDIR(status.st_mode) ? try_file(path) : ENOTDIR;
}

static int describe_folder(int result, const char *path, char error[OUTPUT_ERROR_MAX])
{
    snprintf(error, OUTPUT_ERROR_MAX, "cannot write into the folder %.160s: %s",
             path[0] != '\0' ? path : "``", strerror(result));
    return result;
}

static int make_and_check(const char *path, struct made *made, char error[OUTPUT_ERROR_MAX])
{
    *made = (struct made){.count = 0};
    int result = make_folders(path, made);
    if (result == 0)
        result = check_folder(path);
    return result == 0 ? 0 : describe_folder(result, path, error);
}

int output_make_folder(const char *path, char error[OUTPUT_ERROR_MAX])
{
    struct made made;
    return make_and_check(path, &made, error);
}

int output_check_folder(const char *path, char error[OUTPUT_ERROR_MAX])
{
    struct made made;
    int result = make_and_check(path, &made, error);
    remove_made(path, &made);
    return result;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void output_remove(const char *path)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
