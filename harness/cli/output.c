/* SPDX-License-Identifier: MIT */
/*
 * Output files and folders. Errors of writing are collected where the file is closed: stdio keeps
 * that there was one, and output_close returns it. errno is saved at once after each call that
 * sets it, since the next call may change it.
 */
#include "harness/cli/output.h"

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int describe(int result, const char *path, char error[OUTPUT_ERROR_MAX])
{
    snprintf(error, OUTPUT_ERROR_MAX, "cannot write %.160s: %s", path, strerror(result));
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

/* Drops what could not be written, so that the check at exit does not report it again. */
static int drop_stdout(int result, char error[OUTPUT_ERROR_MAX])
{
    __fpurge(stdout);
    clearerr(stdout);
    return describe(result, "to standard output", error);
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

/* Devices are not opened: that alone may have an effect. */
int output_check(const char *path, char error[OUTPUT_ERROR_MAX])
{
    struct output output;
    struct stat status;
    bool is_device = path != NULL && stat(path, &status) == 0 && !S_ISREG(status.st_mode) &&
                     !S_ISDIR(status.st_mode);
    if (is_device)
        return 0;
    int result = output_open(&output, path, error);
    if (result == 0)
        output_drop(&output);
    return result;
}

static int make_folders(const char *path)
{
    char partial[PATH_MAX];
    for (const char *end = path; end != NULL;) {
        end = strchr(end + 1, '/');
        int length = end != NULL ? (int)(end - path) : (int)strlen(path);
        if (length >= (int)sizeof partial)
            return ENAMETOOLONG;
        snprintf(partial, sizeof partial, "%.*s", length, path);
        if (mkdir(partial, 0777) != 0 && errno != EEXIST)
            return errno;
    }
    return 0;
}

static int check_folder(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return errno;
    if (!S_ISDIR(status.st_mode))
        return ENOTDIR;
    return access(path, W_OK | X_OK) == 0 ? 0 : errno;
}

int output_make_folder(const char *path, char error[OUTPUT_ERROR_MAX])
{
    int result = path[0] != '\0' ? make_folders(path) : ENOENT;
    if (result == 0)
        result = check_folder(path);
    if (result != 0)
        snprintf(error, OUTPUT_ERROR_MAX, "cannot write into the folder %.160s: %s", path,
                 strerror(result));
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
