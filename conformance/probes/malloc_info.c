/* SPDX-License-Identifier: MIT */
/* The output of malloc_stats and malloc_info. */
#include "conformance/testlib.h"

#include <ctype.h>
#include <fcntl.h>
#include <sys/mman.h>

/* Calls malloc_stats with descriptors 1 and 2 leading to files; returns how much came to each. */
static bool capture_stats(off_t ret_length[2])
{
    int file[2], saved[2];
    bool is_ready = true;
    for (int i = 0; i < 2; i++) {
        fflush(i == 0 ? stdout : stderr);
        saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 10);
        file[i] = memfd_create("output", MFD_CLOEXEC);
        is_ready = is_ready && saved[i] >= 0 && file[i] >= 0 && dup2(file[i], i + 1) == i + 1;
    }
    if (!is_ready)
        return false;
    malloc_stats();
    for (int i = 0; i < 2; i++) {
        fflush(i == 0 ? stdout : stderr);
        dup2(saved[i], i + 1);
        ret_length[i] = lseek(file[i], 0, SEEK_END);
        close(file[i]);
    }
    return true;
}

PROCESS_PROBE(stats_go_to_standard_error_only, "GLIBC-stats-1", NEEDS(malloc_stats))
{
    off_t length[2];
    void *block = malloc(1000);
    if (!capture_stats(length))
        return UNSUPPORTED("standard output and error could not be redirected");
    free(block);
    EXPECT(length[0] == 0,
           "malloc_stats(): expected nothing on standard output, observed %ld bytes",
           (long)length[0]);
    if (length[1] == 0 && !is_libc_malloc())
        return RECORDED("malloc_stats(): expected statistics on standard error, observed none: a "
                        "replacement may have none");
    EXPECT(length[1] > 0, "malloc_stats(): expected statistics on standard error, observed none");
    return PASS;
}

/* What malloc_info wrote, to be freed; NULL: nothing could be caught. */
static char *capture_info(int options, int *ret_result, int *ret_errno)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (file == NULL)
        return NULL;
    CATCH_ERRNO(error, *ret_result = malloc_info(options, file));
    *ret_errno = error;
    return fclose(file) == 0 ? text : NULL;
}

/* Reads one tag at *at, "<name attribute="value">"; appends its name to the open ones, "/a/b", or
 * removes it. False: this is no such thing. */
static bool read_tag(const char **at, char *open, size_t capacity)
{
    const char *next = *at + 1, *name = next + (*next == '/');
    bool is_closing = *next == '/';
    size_t length = strcspn(name, " \t\r\n/>"), depth = strlen(open);
    for (next = name + length; *next != '>'; next++) {
        if (*next == '"')
            next = strchr(next + 1, '"');
        if (next == NULL || *next == '\0' || *next == '<')
            return false;
    }
    *at = next + 1;
    if (length == 0 || depth + length + 2 > capacity)
        return false;
    if (!is_closing && next[-1] != '/')
        snprintf(open + depth, capacity - depth, "/%.*s", (int)length, name);
    if (!is_closing)
        return true;
    bool is_match = depth > length && open[depth - length - 1] == '/' &&
                    strncmp(open + depth - length, name, length) == 0;
    open[is_match ? depth - length - 1 : depth] = '\0';
    return is_match;
}

/* Where the text stops to be one element with what is in it, all closed; its end if it never
 * does. */
static const char *find_malformed(const char *text)
{
    char open[256] = "";
    const char *at = text;
    bool has_root = false;
    for (;;) {
        while (*at != '<' && *at != '\0' && (open[0] != '\0' || isspace((unsigned char)*at)))
            at++;
        if (*at != '<' || (has_root && open[0] == '\0'))
            return at;
        if (at[1] == '?' || at[1] == '!')
            at += strcspn(at, ">");
        else if (!read_tag(&at, open, sizeof open))
            return at;
        else
            has_root = true;
        at += *at == '>';
        if (*at == '\0')
            return open[0] == '\0' ? at : at - 1;
    }
}

PROCESS_PROBE(info_is_a_document, "GLIBC-info-1", NEEDS(malloc_info))
{
    int result = -1, after = 0;
    void *block = malloc(1000);
    char *text = capture_info(0, &result, &after);
    EXPECT(text != NULL, "malloc_info(0, file): expected to catch its text, observed none");
    EXPECT(result == 0, "malloc_info(0, file): expected 0, observed %d", result);
    const char *root = strstr(text, "<malloc"),
               *version = root != NULL ? strstr(root, " version=\"") : NULL;
    EXPECT(root != NULL && version != NULL && version < root + strcspn(root, ">"),
           "malloc_info(0, file): expected <malloc version=\"..\">, observed `%.60s`", text);
    const char *malformed = find_malformed(text);
    EXPECT(*malformed == '\0',
           "malloc_info(0, file): expected well-formed XML, observed none from byte %zu of %zu on: "
           "`%.40s`",
           (size_t)(malformed - text), strlen(text), malformed);
    EXPECT(strstr(text, "<heap") != NULL || !is_libc_malloc(),
           "malloc_info(0, file): expected a heap element, observed none");
    free(text);
    free(block);
    return PASS;
}

PROCESS_PROBE(info_refuses_options, "GLIBC-info-2", NEEDS(malloc_info))
{
    int result = 0, after = 0;
    char *text = capture_info(1, &result, &after);
    bool is_refused = result == EINVAL || (result == -1 && after == EINVAL);
    EXPECT(is_refused,
           "malloc_info(1, file): expected -1 with errno %d, or %d, observed %d with errno %d",
           EINVAL, EINVAL, result, after);
    EXPECT(text == NULL || text[0] == '\0',
           "malloc_info(1, file): expected nothing written, observed `%.40s`", text);
    free(text);
    return PASS;
}
