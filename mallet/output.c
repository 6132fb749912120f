/* SPDX-License-Identifier: MIT */
#include "mallet/output.h"

#include <errno.h>
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

/* Only a regular file, or none yet, may be replaced by a rename. */
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

/* An earlier failure has lost its errno: what is left in the buffer is tried again, to fail for the
 * same reason. */
int output_flush(FILE *file)
{
    bool had_error = ferror(file) != 0;
    if (fflush(file) != 0)
        return errno;
    return had_error ? EIO : 0;
}

/* What could not be written is dropped, so that the check at exit does not report it again. */
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
