/* SPDX-License-Identifier: MIT */
/*
 * A file is read whole, with a bound on its size, and its form is told by its name or its bytes.
 * Every error names the file, and the line if the text form has one.
 */
#include "mallet/trace_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE_MAX ((size_t)TRACE_OPS_MAX * TRACE_LINE_MAX)

enum { HASH_DIGITS = 40 /* of SHA-1 */ };

struct content {
    char *bytes;
    size_t length;
};

__attribute__((format(printf, 3, 4))) static int fail(char error[TRACE_FILE_ERROR_MAX], int result,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, TRACE_FILE_ERROR_MAX, format, arguments);
    va_end(arguments);
    return result;
}

/* Reads up to the end of the file; one byte more than allowed tells that it is too large. */
static int read_all(int file, struct content *ret_content)
{
    struct content content = {0};
    size_t capacity = 0;
    for (;;) {
        if (content.length == capacity) {
            capacity = capacity == 0 ? 1 << 16 : capacity * 2;
            char *larger = realloc(content.bytes, capacity);
            if (larger == NULL)
                break;
            content.bytes = larger;
        }
        ssize_t length = read(file, content.bytes + content.length, capacity - content.length);
        if (length == 0) {
            *ret_content = content;
            return 0;
        }
        if (length < 0 && errno != EINTR)
            break;
        content.length += length > 0 ? (size_t)length : 0;
        if (content.length > FILE_SIZE_MAX) {
            errno = EFBIG;
            break;
        }
    }
    int result = errno;
    free(content.bytes);
    return result;
}

static int read_content(const char *path, struct content *ret_content,
                        char error[TRACE_FILE_ERROR_MAX])
{
    bool is_stdin = strcmp(path, "-") == 0;
    int file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(error, errno, "cannot read %.160s: %s", path, strerror(errno));
    int result = read_all(file, ret_content);
    if (!is_stdin)
        close(file);
    if (result == EFBIG)
        return fail(error, result, "%.160s is too large for a trace: more than %zu bytes", path,
                    FILE_SIZE_MAX);
    if (result != 0)
        return fail(error, result, "cannot read %.160s: %s", path, strerror(result));
    return 0;
}

static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), wanted = strlen(ending);
    return length >= wanted && strcmp(path + length - wanted, ending) == 0;
}

static bool is_printable(const struct content *content)
{
    for (size_t i = 0; i < content->length; i++) {
        char letter = content->bytes[i];
        if ((letter < ' ' || letter > '~') && letter != '\t' && letter != '\n' && letter != '\r')
            return false;
    }
    return true;
}

bool trace_file_is_input(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const char *number = strstr(name, "id:");
    size_t length = strlen(name), digits = 0;
    while (digits < length && isxdigit((unsigned char)name[length - 1 - digits]))
        digits++;
    return digits >= HASH_DIGITS || (number != NULL && isdigit((unsigned char)number[3]));
}

static bool is_text(const char *path, const struct content *content)
{
    return has_ending(path, ".trace") ||
           (!has_ending(path, ".bin") && !trace_file_is_input(path) && is_printable(content));
}

bool trace_file_is_written(const char *path)
{
    struct content content = {0};
    char error[TRACE_FILE_ERROR_MAX];
    bool is_written = read_content(path, &content, error) == 0 && is_text(path, &content);
    free(content.bytes);
    return is_written;
}

/* Ops that the content can hold at most, whichever its form. */
static size_t count_ops_at_most(const struct content *content, bool text)
{
    size_t count = text ? 1 : content->length / TRACE_RECORD_SIZE;
    for (size_t i = 0; text && i < content->length; i++)
        count += content->bytes[i] == '\n';
    return count < TRACE_OPS_MAX ? count : TRACE_OPS_MAX;
}

static int parse(const char *path, const struct content *content, struct trace *trace,
                 char error[TRACE_FILE_ERROR_MAX])
{
    struct trace_error wrong;
    int result = trace_parse(content->bytes, content->length, trace, &wrong);
    if (result != 0)
        return fail(error, result, "%.80s:%zu: %s", path, wrong.line, wrong.sentence);
    return 0;
}

static int read_trace(const char *path, const struct content *content, struct trace *trace,
                      char error[TRACE_FILE_ERROR_MAX])
{
    bool text = is_text(path, content);
    trace->capacity = count_ops_at_most(content, text);
    trace->ops = calloc(trace->capacity > 0 ? trace->capacity : 1, sizeof *trace->ops);
    if (trace->ops == NULL)
        return fail(error, ENOMEM, "cannot read %.160s: %s", path, strerror(ENOMEM));
    if (!text)
        trace_decode((const uint8_t *)content->bytes, content->length, trace);
    else if (parse(path, content, trace, error) != 0)
        return EINVAL;
    if (trace->count == 0)
        return fail(error, EINVAL, "%.160s: the trace is empty, it has no ops", path);
    return 0;
}

int trace_file_read(const char *path, struct trace *ret_trace, char error[TRACE_FILE_ERROR_MAX])
{
    struct content content = {0};
    struct trace trace = {0};
    int result = read_content(path, &content, error);
    if (result != 0)
        return result;
    result = read_trace(path, &content, &trace, error);
    free(content.bytes);
    if (result == 0)
        *ret_trace = trace;
    else
        free(trace.ops);
    return result;
}

void trace_file_done(struct trace *trace)
{
    free(trace->ops);
    *trace = (struct trace){0};
}

void trace_write_text(FILE *out, const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        char line[TRACE_LINE_MAX];
        trace_format_op(&trace->ops[i], line);
        fprintf(out, "%s\n", line);
    }
}

void trace_write_bytes(FILE *out, const struct trace *trace)
{
    size_t length = trace_encode(trace, NULL, 0);
    uint8_t *bytes = malloc(length);
    if (bytes == NULL)
        abort(); /* at most TRACE_OPS_MAX * TRACE_OP_BYTES_MAX */
    trace_encode(trace, bytes, length);
    fwrite(bytes, 1, length, out);
    free(bytes);
}
