/* SPDX-License-Identifier: MIT */
/* The page. Every entry can be acted on without another command; no colour is needed to understand
 * it. */
#include "mallet/check_page.h"

#include "conformance/clauses.h"
#include "harness/program/program.h"
#include "harness/subject/subject.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 96, ALSO_MAX = 6, TEXT_MAX = 2048 };

/* ---- words ---- */

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static const char *colour(const char *code)
{
    return cli_has_colour() ? code : "";
}

/* Prints words behind a label, wrapped and aligned below one another. */
static void print_wrapped(const char *label, const char *text)
{
    int margin = 5 + 10, column = margin, width = (int)cli_width(STDOUT_FILENO, WIDTH);
    printf("     %-10s", label);
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > margin && column + length > width) {
            printf("\n%*s", margin, "");
            column = margin;
        }
        printf("%.*s", length, text);
        column += length + 1;
        text += length;
        if (*text == ' ') {
            text++;
            if (column + (int)strcspn(text, " ") <= width)
                putchar(' ');
        }
    }
    putchar('\n');
}

/* What a check that fails comes to, with the function in the place of %s, where there is one. */
static const char *const titles[CHECK_COUNT] = {
    [CHECK_OVERLAP] = "%s returns memory that is in use",
    [CHECK_ALIGNMENT] = "%s returns a block that is not aligned as promised",
    [CHECK_CONTENT] = "the bytes of a live block change (%s)",
    [CHECK_ZEROED] = "%s returns memory that is not zero",
    [CHECK_USABLE] = "the usable size of a block is wrong (%s)",
    [CHECK_IMPOSSIBLE] = "%s succeeds where nothing can fit",
    [CHECK_NULL] = "%s fails without need",
    [CHECK_ERRNO] = "%s leaves the wrong errno",
    [CHECK_KEPT] = "a %s that fails does not keep the old block",
    [CHECK_RECOVERY] = "memory is lost after a request to the system was refused (%s)",
    [CHECK_FOOTPRINT] = "memory grows over identical cycles",
    [CHECK_SCALING] = "%s takes too much time or too many OS calls",
    [CHECK_PROGRESS] = "%s does not return",
    [CHECK_POLICY] = "%s does not keep to its own choice",
    [CHECK_HEAP] = "the heap is not in order (%s)",
    [CHECK_CRASH] = "%s ends the process",
    [CHECK_RACE] = "two threads touch the same memory without an order (%s)",
};

/* posix_memalign returns its error, and leaves errno alone. */
static const char *title_of(enum check check, bool returns_error)
{
    return check == CHECK_ERRNO && returns_error ? "%s returns the wrong error" : titles[check];
}

static const char *site_text(const char *site)
{
    return strcmp(site, "cycle") == 0 ? "cycles" : strcmp(site, "end") == 0 ? "at the end" : site;
}

/* The function that the sentence of a clause begins with. */
static void find_called(const char *sentence, char *ret_name, size_t capacity)
{
    size_t length = strspn(sentence, "abcdefghijklmnopqrstuvwxyz_");
    bool is_call = length > 0 && sentence[length] == '(';
    snprintf(ret_name, capacity, "%.*s", is_call ? (int)length : 6, is_call ? sentence : "a call");
}

/* What the failure of a clause comes to, as above; NULL: its sentence says no more than that. */
static const char *clause_title(const struct finding *finding)
{
    const struct cause cause = finding_cause(finding);
    bool has_died = strstr(finding->sentence, "died of signal") != NULL || cause.exits;
    if (cause.effect == EFFECT_PROGRESS)
        return "a call does not return";
    if (cause.effect == EFFECT_ERRNO)
        return title_of(CHECK_ERRNO, strstr(finding->sentence, "errno") == NULL);
    if (cause.effect == EFFECT_IMPOSSIBLE)
        return "%s succeeds where it must fail";
    if (cause.effect == EFFECT_NULL)
        return titles[CHECK_NULL];
    if (cause.effect == EFFECT_ALIGNMENT)
        return titles[CHECK_ALIGNMENT];
    if (cause.effect != EFFECT_MEMORY || strstr(finding->sentence, "zeros") != NULL)
        return NULL;
    if (has_died)
        return cause.is_concurrent ? "calls of several threads end the process"
                                   : "a call ends the process";
    return cause.is_concurrent ? "threads damage each other's blocks" : "a block in use is damaged";
}

static void format_clause_title(const struct finding *finding, char *ret_title, size_t capacity)
{
    const char *title = clause_title(finding), *place = title != NULL ? strstr(title, "%s") : NULL;
    char called[64];
    find_called(finding->sentence, called, sizeof called);
    if (place != NULL)
        snprintf(ret_title, capacity, "%.*s%s%s (%s)", (int)(place - title), title, called,
                 place + 2, finding->check);
    else if (title != NULL)
        snprintf(ret_title, capacity, "%s (%s)", title, finding->check);
    else
        snprintf(ret_title, capacity, "%s does not hold", finding->check);
}

static void format_title(const struct finding *finding, char *ret_title, size_t capacity)
{
    enum check check = check_find(finding->check);
    if (check == CHECK_COUNT) {
        format_clause_title(finding, ret_title, capacity);
        return;
    }
    const char *title = title_of(check, strstr(finding->sentence, " returned ") != NULL);
    const char *place = strstr(title, "%s");
    bool is_function = strchr(finding->site, '/') == NULL;
    const char *site = is_function ? site_text(finding->site) : "a call";
    if (check == CHECK_CRASH && strstr(finding->sentence, "malloc_usable_size") != NULL)
        site = "malloc_usable_size"; /* the site is the function that returned the block */
    bool is_refused = strchr(site, '@') != NULL;
    if (place == NULL)
        snprintf(ret_title, capacity, "%s (%s)", title, site_text(finding->site));
    else
        snprintf(ret_title, capacity, "%.*s%.*s%s%s%s%s%s", (int)(place - title), title,
                 (int)strcspn(site, "@"), site, place + 2, is_function ? "" : " (",
                 is_function ? "" : finding->site, is_function ? "" : ")",
                 is_refused ? ", after a request to the system was refused" : "");
}

static const char *severity_word(enum severity severity)
{
    static const char *const words[] = {"CORRUPTION", "WRONG", "ERRNO", "COST", "WRONG"};
    return words[severity];
}

/* ---- the answer ---- */

bool check_is_complete(const struct check_report *check)
{
    for (size_t i = 0; i < check->line_count; i++)
        if (check->lines[i].state != STEP_DONE && check->lines[i].state != STEP_NOT_MEANT)
            return false;
    return true;
}

static size_t lines_missing(const struct check_report *check, size_t *ret_meant)
{
    size_t missing = 0;
    *ret_meant = 0;
    for (size_t i = 0; i < check->line_count; i++) {
        *ret_meant += check->lines[i].state != STEP_NOT_MEANT;
        missing += check->lines[i].state != STEP_NOT_MEANT && check->lines[i].state != STEP_DONE;
    }
    return missing;
}

static size_t lines_in_part(const struct check_report *check)
{
    size_t count = 0;
    for (size_t i = 0; i < check->line_count; i++)
        count += check->lines[i].is_part;
    return count;
}

static void print_missing(const struct check_report *check)
{
    for (size_t i = 0; i < check->line_count; i++) {
        const struct check_line *line = &check->lines[i];
        if (line->state == STEP_DONE || line->state == STEP_NOT_MEANT)
            continue;
        printf("   %-14s %lu of at least %lu %s%s%s\n", line->step->name, line->done, line->minimum,
               line->step->unit, line->sentence[0] != '\0' ? ": " : "", line->sentence);
    }
}

static void print_severities(const struct check_report *check, size_t count)
{
    size_t corrupting = 0;
    for (size_t i = 0; i < count; i++)
        corrupting += check->causes.causes[i].severity == SEVERITY_CORRUPTION;
    if (corrupting == 0)
        printf(".");
    else if (count == 1)
        printf(", which corrupts memory or ends the process.");
    else
        printf(", %zu of which corrupt%s memory or end%s the process.", corrupting,
               corrupting == 1 ? "s" : "", corrupting == 1 ? "s" : "");
}

static void print_answer(const struct check_report *check, size_t count)
{
    size_t meant, missing = lines_missing(check, &meant);
    const char *level = check_level_name(check->request->level);
    printf("%s%s%s: ", colour("\033[1m"), check->subject, colour("\033[0m"));
    if (cli_is_interrupted())
        printf("INTERRUPTED. ");
    if (count > 0) {
        printf("%s%zu defect%s%s", colour("\033[1;31m"), count, plural(count), colour("\033[0m"));
        print_severities(check, count);
    } else if (missing > 0) {
        printf("%sNothing was found in what ran.", cli_is_interrupted() ? "" : "INCOMPLETE. ");
    } else {
        printf("nothing found.");
    }
    if (missing == 0) {
        size_t parts = lines_in_part(check);
        printf(" Every step of the %s level ran (%.0f s)", level, check->seconds);
        if (parts > 0)
            printf(", %zu of them in part: see below", parts);
        printf(".\n");
        return;
    }
    printf(" %zu of %zu steps did not get %s minimum:\n", missing, meant,
           missing == 1 ? "its" : "their");
    print_missing(check);
}

/* ---- a cause ---- */

/* For a shell: in quotes unless every character is harmless. */
static void print_word(const char *word)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "_-+=./,:@%";
    if (word[0] != '\0' && word[strspn(word, harmless)] == '\0') {
        printf("%s", word);
        return;
    }
    putchar('\'');
    for (; *word != '\0'; word++)
        printf(*word == '\'' ? "'\\''" : "%c", *word);
    putchar('\'');
}

static void print_program(const struct check_report *check, const struct check_cause *cause)
{
    char gdb[CHECK_GDB_MAX];
    if (cause->program[0] == '\0')
        return;
    const char *option = program_compile_option();
    printf("     %-10s%s\n     %-10scc -g -w -fno-builtin %s%s-o program ", "program",
           cause->program, "", option, *option != '\0' ? " " : "");
    print_word(cause->program);
    printf(" -pthread && ");
    if (check->preload[0] != '\0') {
        printf("LD_PRELOAD=");
        print_word(check->preload);
        putchar(' ');
    }
    printf("./program\n");
    if (cause->shown_by_run > 1)
        printf("     %-10sonly some runs of it show it (here number %u): repeat it\n", "",
               cause->shown_by_run);
    check_format_gdb(cause, check->preload, gdb, sizeof gdb);
    printf("     %-10s%s\n", "debug", gdb);
}

static void print_command(const char *command, const char *subject, const char *rest)
{
    printf("mallet %s ", command);
    print_word(subject);
    printf("%s", rest);
}

static void print_repeat(const struct check_report *check, const struct check_cause *cause)
{
    const char *subject = check->request->subject, *site = cause->lead.site;
    printf("     %-10s", "repeat");
    if (cause->trace[0] != '\0') {
        print_command("replay", subject, " ");
        print_word(cause->trace);
    } else if (finding_is_clause(&cause->lead)) {
        print_command("conform", subject, " --clause ");
        printf("%s", cause->lead.check);
    } else if (strncmp(site, "torture/", 8) == 0) {
        print_command("torture", subject, " --scenario ");
        printf("%s", site + 8);
    } else if (strncmp(site, "growth/", 7) == 0) {
        print_command("growth", subject, " --workload ");
        printf("%.*s", (int)strcspn(site + 7, "/"), site + 7);
    } else {
        print_command("check", subject, "");
    }
    putchar('\n');
}

static void append(char *text, const char *more, const char *separator)
{
    size_t length = strlen(text);
    snprintf(text + length, TEXT_MAX - length, "%s%s", length > 0 ? separator : "", more);
}

static bool is_listed_before(const struct check_report *check, size_t i)
{
    const struct check_finding *findings = check->causes.findings;
    for (size_t j = 0; j < i; j++)
        if (findings[j].class == findings[i].class)
            return true;
    return false;
}

static bool is_lead(const struct check_cause *cause, const struct finding *finding)
{
    return strcmp(finding->check, cause->lead.check) == 0 &&
           strcmp(finding->site, cause->lead.site) == 0;
}

/* Whether the page lists finding i below entry `number`, for this check, or as a clause. */
static bool is_also(const struct check_report *check, size_t number, size_t i, enum check wanted)
{
    const struct check_finding *entry = &check->causes.findings[i];
    return entry->cause == number && check_find(entry->finding.check) == wanted &&
           !is_lead(&check->causes.causes[number], &entry->finding) && !is_listed_before(check, i);
}

/* "overlap in malloc, realloc" or the IDs of clauses; the first few. */
static void append_also(const struct check_report *check, size_t number, enum check wanted,
                        char *text)
{
    char name[FINDING_CHECK_MAX + FINDING_SITE_MAX];
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < check->causes.finding_count; i++) {
        const struct finding *finding = &check->causes.findings[i].finding;
        if (!is_also(check, number, i, wanted))
            continue;
        if (++shown > ALSO_MAX) {
            more++;
            continue;
        }
        snprintf(name, sizeof name, "%s%s", shown == 1 ? check_name(wanted) : "",
                 shown == 1 ? " in " : "");
        if (wanted == CHECK_COUNT)
            snprintf(name, sizeof name, "%s", finding->check);
        else
            snprintf(name + strlen(name), sizeof name - strlen(name), "%s",
                     site_text(finding->site));
        append(text, name, shown == 1 ? "; " : ", ");
    }
    snprintf(name, sizeof name, " and %zu more", more);
    if (more > 0)
        append(text, name, "");
}

static void print_also(const struct check_report *check, size_t number)
{
    char text[TEXT_MAX] = "";
    for (unsigned wanted = 0; wanted <= CHECK_COUNT; wanted++)
        append_also(check, number, (enum check)wanted, text);
    if (text[0] != '\0')
        print_wrapped("also as", text);
}

/*
 * What the lead fails, in the words of its clause or of its check. The other members may fail for
 * the same cause what has little to do with it.
 */
static void print_standard(const struct finding *lead)
{
    enum check check = check_find(lead->check);
    bool is_clause = finding_is_clause(lead);
    const char *id = is_clause ? lead->check : check_clause(check);
    const struct clause *clause = id != NULL ? clauses_find(id) : NULL;
    const char *words = is_clause && clause != NULL ? clause->requirement : check_asserts(check);
    size_t length = strcspn(words, "["); /* a mark, which `mallet clauses` explains */
    char text[TEXT_MAX];
    if (clause != NULL)
        snprintf(text, sizeof text, "%.*s%s(mallet clauses %s)", (int)length, words,
                 words[length] == '[' ? "" : " ", clause->id);
    else
        snprintf(text, sizeof text, "%s", words);
    print_wrapped("required", text);
}

static void print_cause(const struct check_report *check, size_t number)
{
    const struct check_cause *cause = &check->causes.causes[number];
    const struct finding *lead = &cause->lead;
    char title[TEXT_MAX], rate[64] = "";
    format_title(lead, title, sizeof title);
    if (lead->attempts > 1)
        snprintf(rate, sizeof rate, "  (%u of %u)", lead->reproduced, lead->attempts);
    printf("\n%zu. %s%s%s  %s%s\n", number + 1, colour("\033[1;31m"),
           severity_word(cause->severity), colour("\033[0m"), title, rate);
    print_wrapped("seen", lead->sentence);
    if (finding_note(lead) != NULL) /* it counts because of --strict */
        print_wrapped("note", finding_note(lead));
    if (lead->output[0] != '\0')
        print_wrapped("printed", lead->output);
    if (lead->trace.count > 0)
        check_print_calls(stdout, lead);
    print_program(check, cause);
    print_repeat(check, cause);
    print_also(check, number);
    print_standard(lead);
}

/* ---- the rest ---- */

static void print_notes(const struct check_report *check, size_t first)
{
    if (first < check->causes.cause_count)
        printf("\nNotes (these do not count):\n");
    for (size_t i = first; i < check->causes.cause_count; i++) {
        const struct finding *lead = &check->causes.causes[i].lead;
        char title[TEXT_MAX];
        format_title(lead, title, sizeof title);
        printf("   %s; %s\n", title, finding_note(lead));
        print_wrapped("seen", lead->sentence);
    }
}

static void print_earlier(const struct check_report *check)
{
    if (check->folder.earlier_count > 0)
        printf("\nOf an earlier build in this folder:\n");
    check_earlier_print(check->folder.earlier, check->folder.earlier_count);
    if (check->against.old != NULL)
        check_against_print(&check->against, &check->causes);
}

/* Of what most programs use; nothing where what there is could not be asked. */
static void print_absent(unsigned offers)
{
    static const enum subject_call usual[] = {SUBJECT_calloc,        SUBJECT_realloc,
                                              SUBJECT_aligned_alloc, SUBJECT_posix_memalign,
                                              SUBJECT_memalign,      SUBJECT_malloc_usable_size};
    const char *between = "   not there, so not tested: ";
    for (size_t i = 0; offers != 0 && i < sizeof usual / sizeof usual[0]; i++)
        if ((offers >> usual[i] & 1) == 0) {
            printf("%s%s", between, subject_call_name(usual[i]));
            between = ", ";
        }
    if (between[0] == ',')
        putchar('\n');
}

static void print_lines(const struct check_report *check)
{
    printf("\nRan in %.0f s:\n", check->seconds);
    for (size_t i = 0; i < check->line_count; i++) {
        const struct check_line *line = &check->lines[i];
        const char *left_out = line->step->left_out[check->request->level];
        if (line->state == STEP_NOT_MEANT || line->state == STEP_NOT_BEGUN)
            continue;
        printf("   %-14s %6.1f s  %s%s%s%s\n", line->step->name, line->seconds, line->summary,
               left_out != NULL ? " (" : "", left_out != NULL ? left_out : "",
               left_out != NULL ? ")" : "");
    }
    for (size_t i = 0; i < check->line_count; i++) {
        const struct check_line *line = &check->lines[i];
        if (line->state == STEP_NOT_MEANT || line->state == STEP_NOT_BEGUN)
            printf("   %-14s not run: %s\n", line->step->name, line->sentence);
    }
    print_absent(check->request->offers);
}

void check_print_page(const struct check_report *check)
{
    size_t count = check->causes.cause_count - check->causes.note_count;
    const struct cli *cli = &check->request->cli;
    clauses_load();
    print_answer(check, count);
    for (size_t i = 0; i < count; i++)
        print_cause(check, i);
    print_notes(check, count);
    print_earlier(check);
    print_lines(check);
    if (check->request->level == LEVEL_QUICK && count == 0)
        printf("   The default level takes five minutes and adds more of each.\n");
    printf("\n");
    if (cli->baseline_count > 0 || check->causes.expected > 0)
        printf("%zu new, %zu expected, %zu stale. ", count, check->causes.expected, check->stale);
    printf("Everything is in %s. Exit status %d.\n", check->request->output, check->status);
}
