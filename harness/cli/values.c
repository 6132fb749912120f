/* SPDX-License-Identifier: MIT */
/* The forms of option values. A message states every form or the whole range that is taken. */
#include "harness/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strtoull takes blanks and signs; this does not. Returns the first byte after the number, or NULL
 * if there is none or it does not fit. */
static const char *read_number(const char *text, unsigned long long *ret_number)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return NULL;
    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return errno == 0 ? end : NULL;
}

unsigned long long cli_parse_number(const char *option, const char *text, unsigned long long min,
                                    unsigned long long max)
{
    unsigned long long number = 0;
    const char *end = read_number(text, &number);
    if (end == NULL || *end != '\0' || number < min || number > max)
        exit(refuse("%s: `%s` is not a number from %llu to %llu", option, text, min, max));
    return number;
}

/* Adds up hours, minutes and seconds, each at most once and in this order; a number alone is
 * seconds. Returns 0 if text is no time. */
static unsigned long long read_time(const char *text)
{
    static const char units[] = "hms";
    static const unsigned seconds[] = {3600, 60, 1};
    unsigned long long sum = 0, number;
    const char *unit = units, *at = text;
    while (*at != '\0') {
        at = read_number(at, &number);
        if (at == NULL || number > CLI_TIME_MAX_S)
            return 0;
        if (*at == '\0')
            return unit == units ? number : 0;
        const char *found = strchr(unit, *at);
        if (found == NULL)
            return 0;
        sum += number * seconds[found - units];
        unit = found + 1;
        at++;
    }
    return sum;
}

unsigned cli_parse_time(const char *option, const char *text)
{
    unsigned long long seconds = read_time(text);
    if (seconds == 0 || seconds > CLI_TIME_MAX_S)
        exit(refuse("%s: `%s` is not a time: use seconds, or hours, minutes and seconds, such as "
                    "90, 90s, 20m or 1h30m, from 1s to %dh",
                    option, text, CLI_TIME_MAX_S / 3600));
    return (unsigned)seconds;
}

uint64_t cli_parse_size(const char *option, const char *text)
{
    static const char units[] = "KMG";
    unsigned long long number = 0;
    const char *end = read_number(text, &number);
    const char *unit = end != NULL && *end != '\0' ? strchr(units, *end) : NULL;
    unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
    bool is_size = end != NULL && (*end == '\0' || (unit != NULL && end[1] == '\0'));
    if (!is_size || number > (unsigned long long)INT64_MAX >> shift)
        exit(refuse("%s: `%s` is not a size in bytes, such as 65536, 64K, 1M or 2G, up to %lld",
                    option, text, (long long)INT64_MAX));
    return (uint64_t)number << shift;
}

unsigned cli_parse_choice(const char *option, const char *text, const char *(*name)(unsigned i))
{
    char names[256] = "";
    size_t used = 0;
    for (unsigned i = 0; name(i) != NULL; i++) {
        if (strcmp(name(i), text) == 0)
            return i;
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                                     name(i));
    }
    exit(refuse("%s: `%s` is none of %s", option, text, names));
}
