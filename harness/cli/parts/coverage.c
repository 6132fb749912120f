/* SPDX-License-Identifier: MIT */
/*
 * Counters for code that is compiled with -fsanitize-coverage=trace-pc: how often each edge between
 * two basic blocks was taken, in a table that mallet puts elsewhere while a trace runs. Threads
 * share the counters without a lock: a lost count is only a hint less for the search.
 */
#include <stddef.h>
#include <stdint.h>

enum { COUNTERS = 4096 }; /* SUBJECT_COVERAGE of harness/subject/subject.h */

#if defined __clang__
#define UNCOUNTED __attribute__((no_sanitize("coverage")))
#else
#define UNCOUNTED __attribute__((no_sanitize_coverage))
#endif

static unsigned char nowhere[COUNTERS];
unsigned char *mallet_subject_coverage = nowhere;

void __sanitizer_cov_trace_pc(void);

UNCOUNTED void __sanitizer_cov_trace_pc(void)
{
    static uintptr_t before;
    uintptr_t here = (uintptr_t)__builtin_return_address(0) - (uintptr_t)nowhere;
    unsigned char *counter = &mallet_subject_coverage[(here ^ before) % COUNTERS];
    *counter = (unsigned char)(*counter + (*counter < 255));
    before = here * 31;
}
