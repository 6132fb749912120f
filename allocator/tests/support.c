/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

char *support_arena(size_t size)
{
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(arena != MAP_FAILED);
    return arena;
}

anvil_heap *support_arena_heap(size_t arena_size, enum anvil_fit fit)
{
    anvil_heap *heap;
    struct anvil_options options = {.source = ANVIL_SOURCE_ARENA,
                                    .fit = fit,
                                    .arena = support_arena(arena_size),
                                    .arena_size = arena_size};
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
    return heap;
}

anvil_heap *support_heap(enum anvil_source source, enum anvil_fit fit)
{
    anvil_heap *heap;
    struct anvil_options options = {.source = source, .fit = fit};
    assert_int_equal(anvil_heap_create(&heap, &options), 0);
    return heap;
}

void support_check(anvil_heap *heap)
{
    char error[200] = "";
    if (anvil_heap_check(heap, error, sizeof error) != 0)
        fail_msg("%s", error);
}

static unsigned char pattern(unsigned key, size_t at)
{
    return (unsigned char)((size_t)key * 37 + at * 11 + (at >> 8) + 1);
}

void support_fill(void *block, size_t size, unsigned key)
{
    unsigned char *bytes = block;
    for (size_t at = 0; at < size; at++)
        bytes[at] = pattern(key, at);
}

bool support_is_filled(const void *block, size_t size, unsigned key)
{
    const unsigned char *bytes = block;
    for (size_t at = 0; at < size; at++)
        if (bytes[at] != pattern(key, at))
            return false;
    return true;
}

bool support_is_zero(const void *block, size_t size)
{
    const unsigned char *bytes = block;
    for (size_t at = 0; at < size; at++)
        if (bytes[at] != 0)
            return false;
    return true;
}

/* Cuts the pointer out of "anvil: free(0x1234): text": returns what follows it, or NULL if the line
 * does not begin so. */
static const char *text_behind_pointer(const char *line, const char *function)
{
    char prefix[80];
    snprintf(prefix, sizeof prefix, "anvil: %s(0x", function);
    if (strncmp(line, prefix, strlen(prefix)) != 0)
        return NULL;
    const char *end = line + strlen(prefix);
    end += strspn(end, "0123456789abcdef");
    return strncmp(end, "): ", 3) == 0 ? end + 3 : NULL;
}

void support_run_to_abort(void (*act)(void *context), void *context, char *line, size_t line_size)
{
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        alarm(20);
        dup2(ends[1], STDERR_FILENO);
        act(context);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t count; length < line_size - 1 &&
                        (count = read(ends[0], line + length, line_size - 1 - length)) > 0;)
        length += (size_t)count;
    line[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

void support_expect_panic(void (*act)(void *context), void *context, const char *function,
                          const char *text)
{
    char line[300], expected[250];
    support_run_to_abort(act, context, line, sizeof line);
    const char *rest = text_behind_pointer(line, function);
    snprintf(expected, sizeof expected, "%s\n", text);
    assert_non_null(rest);
    assert_string_equal(rest, expected);
}
