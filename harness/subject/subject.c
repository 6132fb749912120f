/* SPDX-License-Identifier: MIT */
#include "harness/subject/subject.h"

static const char *const call_names[SUBJECT_CALL_COUNT] = {
#define CALL(name, result, parameters) #name,
    SUBJECT_CALLS(CALL)
#undef CALL
};

const char *subject_call_name(enum subject_call call)
{
    return call < SUBJECT_CALL_COUNT ? call_names[call] : "unknown";
}

unsigned subject_offers(const struct subject *subject)
{
    unsigned offers = 0;
#define CALL(name, result, parameters) offers |= subject->calls.name ? 1u << SUBJECT_##name : 0u;
    SUBJECT_CALLS(CALL)
#undef CALL
    return offers;
}
