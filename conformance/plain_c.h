/* SPDX-License-Identifier: MIT */
/*
 * The words of probe.h for programs that stand alone: the text of what a probe uses is put before
 * it. Nothing includes this file. Evidence goes to standard output past stdio, whose buffer would
 * come from the malloc under test and is lost when a child dies.
 */

static enum probe_outcome probe_say(enum probe_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum probe_outcome probe_say(enum probe_outcome outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vdprintf(STDOUT_FILENO, format, arguments);
    va_end(arguments);
    (void)!write(STDOUT_FILENO, "\n", 1);
    return outcome;
}

#define PASS OUTCOME_PASS

#define FAIL(...) probe_say(OUTCOME_FAIL, __VA_ARGS__)

#define WEAK(...) probe_say(OUTCOME_WEAK, __VA_ARGS__)

#define RECORDED(...) probe_say(OUTCOME_RECORDED, __VA_ARGS__)

#define DETECTED(...) probe_say(OUTCOME_DETECTED, __VA_ARGS__)

#define LATE(...) probe_say(OUTCOME_LATE, __VA_ARGS__)

#define SILENT(...) probe_say(OUTCOME_SILENT, __VA_ARGS__)

#define UNSUPPORTED(...) probe_say(OUTCOME_UNSUPPORTED, __VA_ARGS__)

#define EXPECT(condition, ...)        \
    do {                              \
        if (!(condition))             \
            return FAIL(__VA_ARGS__); \
    } while (0)

#define TRY(outcome)                             \
    do {                                         \
        int outcome_ = (int)(outcome);           \
        if (outcome_ != PASS)                    \
            return (enum probe_outcome)outcome_; \
    } while (0)

#define HAS(function) (calls.function != NULL)

#define EXPECT_REFUSALS() (void)0

#define CHOICE(question, answer) probe_say(OUTCOME_RECORDED, "%s: %s", question, answer)

#define MISUSE(statement) \
    do {                  \
        statement;        \
    } while (0)
