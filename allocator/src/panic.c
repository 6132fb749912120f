/* SPDX-License-Identifier: MIT */
/* The one way out when the caller has broken the rules: a line through write(2), then abort.
 * Allocates nothing, takes no lock. */
#include "panic.h"

#include "text.h"

#include <stdlib.h>
#include <unistd.h>

#define FAULT_TEXT(name, text) [FAULT_##name] = (text),
static const char *const fault_texts[FAULT_COUNT] = {[FAULT_NONE] = "no fault",
                                                     FAULT_LIST(FAULT_TEXT)};

const char *panic_text(enum fault_kind kind)
{
    return fault_texts[kind];
}

/* The texts of the table, with their numbers filled in: %zu stands for fault->size first, then
 * fault->given. */
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
