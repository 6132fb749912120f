/* SPDX-License-Identifier: MIT */
/* The registries of checks, policies and subject calls as tables of names. */
#include "harness/run/check.h"
#include "harness/run/policy.h"
#include "harness/subject/subject.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const check_names[CHECK_COUNT] = {
#define CHECK(id, name, asserts) name,
    CHECKS(CHECK)
#undef CHECK
};

static const char *const check_assertions[CHECK_COUNT] = {
#define CHECK(id, name, asserts) asserts,
    CHECKS(CHECK)
#undef CHECK
};

static const char *const policy_texts[POLICY_COUNT] = {
#define POLICY(id, text) text,
    POLICIES(POLICY)
#undef POLICY
};

static const char *const call_names[SUBJECT_CALL_COUNT] = {
#define CALL(name, result, parameters) #name,
    SUBJECT_CALLS(CALL)
#undef CALL
};

const char *check_name(enum check check)
{
    return check < CHECK_COUNT ? check_names[check] : "unknown";
}

const char *check_asserts(enum check check)
{
    return check < CHECK_COUNT ? check_assertions[check] : "";
}

enum check check_find(const char *name)
{
    unsigned i = 0;
    while (i < CHECK_COUNT && strcmp(check_names[i], name) != 0)
        i++;
    return (enum check)i;
}

void verdict_class_name(const struct verdict *verdict, char ret_name[VERDICT_CLASS_MAX])
{
    snprintf(ret_name, VERDICT_CLASS_MAX, "%s-%.*s", check_name(verdict->check), VERDICT_SITE_MAX,
             verdict->site);
    for (char *byte = ret_name; *byte != '\0'; byte++)
        if (!isalnum((unsigned char)*byte) && *byte != '-')
            *byte = '_';
}

const char *policy_text(enum policy_id id)
{
    return id < POLICY_COUNT ? policy_texts[id] : "unknown";
}

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
