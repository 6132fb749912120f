/* SPDX-License-Identifier: MIT */
/* The one way out, for a caller's misuse and for a bug of anvil's own: a line on stderr, then
 * abort. Allocates nothing, takes no lock, is no point of cancellation. */
#include "panic.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULT_TEXT(name, text) [FAULT_##name] = (text),
static const char *const fault_texts[FAULT_COUNT] = {[FAULT_NONE] = "no fault",
                                                     FAULT_LIST(FAULT_TEXT)};

const char *panic_text(enum fault_kind kind)
{
    return fault_texts[kind];
}

/* Adds the fault's text. The first %zu stands for fault->size, the second for fault->given. */
static void add_fault(struct text *line, const struct fault *fault)
{
    size_t number = fault->size;
    for (const char *at = panic_text(fault->kind); *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 'z' && at[2] == 'u') {
            text_add(line, "%zu", number);
            number = fault->given;
            at += 2;
        } else {
            char single[2] = {*at, '\0'};
            text_add(line, "%s", single);
        }
    }
}

COLD _Noreturn void panic_fault(const char *function, const void *block, const struct fault *fault)
{
    char buffer[192];
    struct text line = text_start(buffer, sizeof buffer);
    text_add(&line, "anvil: %s(%p): ", function, block);
    add_fault(&line, fault);
    text_add(&line, "\n");
    text_write(&line, STDERR_FILENO);
    abort();
}

_Noreturn void panic_assertion(const char *file, unsigned line, const char *condition)
{
    char buffer[256];
    const char *slash = strrchr(file, '/');
    struct text text = text_start(buffer, sizeof buffer);
    text_add(&text, "anvil: %s:%zu: assertion failed: %s\n", slash == NULL ? file : slash + 1,
             (size_t)line, condition);
    text_write(&text, STDERR_FILENO);
    abort();
}
