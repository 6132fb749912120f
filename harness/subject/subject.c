/* SPDX-License-Identifier: MIT */
#include "harness/subject/subject.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(SUBJECT_CAPABILITY_END <= 32, "subject_offers has a bit for each");

static const char *const call_names[SUBJECT_CAPABILITY_END] = {
#define CALL(name, result, parameters) [SUBJECT_##name] = #name,
    SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
#define CAPABILITY(id, word, meaning) [SUBJECT_##id] = word,
        SUBJECT_CAPABILITIES(CAPABILITY)
#undef CAPABILITY
};

const char *subject_call_name(unsigned call)
{
    return call < SUBJECT_CAPABILITY_END && call_names[call] != NULL ? call_names[call] : "unknown";
}

unsigned subject_offers(const struct subject *subject)
{
    unsigned offers = ((1u << SUBJECT_CAPABILITY_END) - (1u << SUBJECT_MORE_END)) & ~subject->lacks;
#define CALL(name, result, parameters) offers |= subject->calls.name ? 1u << SUBJECT_##name : 0u;
    SUBJECT_CALLS(CALL)
    SUBJECT_MORE_CALLS(CALL)
#undef CALL
    return offers;
}

int subject_parse_lacks(const char *list, unsigned *ret_lacks, const char **ret_word,
                        int *ret_length)
{
    unsigned lacks = 0;
    for (size_t length; *(list += strspn(list, ", ")) != '\0'; list += length) {
        unsigned bit = SUBJECT_MORE_END;
        length = strcspn(list, ", ");
        while (bit < SUBJECT_CAPABILITY_END &&
               (strlen(call_names[bit]) != length || strncmp(call_names[bit], list, length) != 0))
            bit++;
        if (bit == SUBJECT_CAPABILITY_END) {
            *ret_word = list;
            *ret_length = (int)length;
            return EINVAL;
        }
        lacks |= 1u << bit;
    }
    *ret_lacks = lacks;
    return 0;
}
