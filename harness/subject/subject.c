/* SPDX-License-Identifier: MIT */
#include "harness/subject/subject.h"

#include <assert.h>

static_assert(SUBJECT_MORE_END <= 32, "subject_offers has a bit for each function");

static const char *const call_names[SUBJECT_MORE_END] = {
#define CALL(name, result, parameters) [SUBJECT_##name] = #name,
    SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
};

const char *subject_call_name(unsigned call)
{
    return call < SUBJECT_MORE_END && call_names[call] != NULL ? call_names[call] : "unknown";
}

unsigned subject_offers(const struct subject *subject)
{
    unsigned offers = 0;
#define CALL(name, result, parameters) offers |= subject->calls.name ? 1u << SUBJECT_##name : 0u;
    SUBJECT_CALLS(CALL)
    SUBJECT_MORE_CALLS(CALL)
#undef CALL
    return offers;
}
