/* SPDX-License-Identifier: MIT */
/*
 * The head that every JSON document begins with: which document it is, in which version of the
 * contract (mallet/json.md, mallet/schema.json), by which tool, when and where.
 */
#include "harness/cli/cli.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static char kind[32] = "document"; /* of what this command prints */

/* "mallet check", "/usr/bin/mallet-interleave" → "check", "interleave". */
void cli_name_document(const char *command, bool is_list)
{
    const char *end = command + strlen(command);
    while (end > command && strchr(" /-", end[-1]) == NULL)
        end--;
    snprintf(kind, sizeof kind, "%s%s", end, is_list ? "-list" : "");
}

/* The name of the processor, as /proc/cpuinfo has it; "" if it has none. */
static void find_processor(char *ret_name, size_t capacity)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "re");
    ret_name[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':') != NULL) {
            snprintf(ret_name, capacity, "%s", strchr(line, ':') + 2);
            ret_name[strcspn(ret_name, "\n")] = '\0';
            break;
        }
    if (file != NULL)
        fclose(file);
}

static json_t *describe_machine(void)
{
    struct utsname system;
    char text[256], processor[128];
    if (uname(&system) != 0)
        return json_object();
    snprintf(text, sizeof text, "%.60s %.60s %.60s", system.sysname, system.release,
             system.machine);
    find_processor(processor, sizeof processor);
    return json_pack("{s:s, s:s, s:i, s:s+}", "system", text, "processor", processor, "processors",
                     (int)sysconf(_SC_NPROCESSORS_ONLN), "libc", "glibc ", gnu_get_libc_version());
}

json_t *cli_begin_document(json_t *document)
{
    char date[32];
    time_t now = time(NULL);
    struct tm parts;
    if (document == NULL || json_object_get(document, "document") != NULL)
        return document;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    json_t *whole =
        json_pack("{s:s, s:i, s:s, s:s, s:o}", "document", kind, "version", CLI_DOCUMENT_VERSION,
                  "tool", argp_program_version, "made", date, "machine", describe_machine());
    if (whole != NULL && json_object_update(whole, document) != 0) {
        json_decref(whole);
        whole = NULL;
    }
    json_decref(document);
    return whole;
}
