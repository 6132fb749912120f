/* SPDX-License-Identifier: MIT */
/* The registries of checks and policies as tables of names. */
#include "harness/run/check.h"
#include "harness/run/policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const check_names[CHECK_COUNT] = {
#define CHECK(id, severity, name, clause, asserts) name,
    CHECKS(CHECK)
#undef CHECK
};

static const char *const check_assertions[CHECK_COUNT] = {
#define CHECK(id, severity, name, clause, asserts) asserts,
    CHECKS(CHECK)
#undef CHECK
};

static const char *const check_clauses[CHECK_COUNT] = {
#define CHECK(id, severity, name, clause, asserts) clause,
    CHECKS(CHECK)
#undef CHECK
};

static const enum severity check_severities[CHECK_COUNT] = {
#define CHECK(id, severity, name, clause, asserts) SEVERITY_##severity,
    CHECKS(CHECK)
#undef CHECK
};

static const char *const policy_texts[POLICY_COUNT] = {
#define POLICY(id, text) text,
    POLICIES(POLICY)
#undef POLICY
};

const char *check_name(enum check check)
{
    return check < CHECK_COUNT ? check_names[check] : "unknown";
}

const char *check_asserts(enum check check)
{
    return check < CHECK_COUNT ? check_assertions[check] : "";
}

const char *check_clause(enum check check)
{
    return check < CHECK_COUNT ? check_clauses[check] : NULL;
}

enum severity check_severity(enum check check)
{
    return check < CHECK_COUNT ? check_severities[check] : SEVERITY_WRONG;
}

uint32_t check_family(enum check check)
{
    uint32_t family = check < CHECK_COUNT ? UINT32_C(1) << check : 0;
    const uint32_t memory = 1u << CHECK_OVERLAP | 1u << CHECK_CONTENT | 1u << CHECK_ZEROED |
                            1u << CHECK_USABLE | 1u << CHECK_KEPT | 1u << CHECK_CRASH;
    return (family & (memory | 1u << CHECK_PROGRESS)) != 0 ? family | memory : family;
}

const char *severity_name(enum severity severity)
{
    static const char *const names[SEVERITY_COUNT] = {"corruption", "wrong result", "errno",
                                                      "cost"};
    return severity < SEVERITY_COUNT ? names[severity] : "unknown";
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

bool verdict_is_late(const struct verdict *verdict)
{
    return verdict->cycle > 0 && verdict->check != CHECK_FOOTPRINT &&
           verdict->check != CHECK_RECOVERY;
}
