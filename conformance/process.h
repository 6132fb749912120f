/* SPDX-License-Identifier: MIT */
/*
 * The process in which a probe runs. It binds the subject, runs one probe and leaves a report. It
 * uses no stdio and allocates nothing itself.
 */
#ifndef CONFORMANCE_PROCESS_H
#define CONFORMANCE_PROCESS_H

#include "conformance/report.h"

/* Descriptor of the report's memory; 0 is /dev/null, 1 and 2 a pipe. */
enum { PROCESS_REPORT = 3 };

/* How the gate asks for one probe: argv = {program, PROCESS_OPTION, how, what, name of the probe};
 * how and what as child_bind takes them. */
#define PROCESS_OPTION "--probe"

/* Fills `calls`. Returns 0, or a positive errno with one sentence in `error`. */
int process_bind(const char *how, const char *what, char error[SUBJECT_ERROR_MAX]);
/* Its part for the functions beyond the family: process_bind.c, or process_bind_only_host.c for
 * other libcs than glibc. */
void bind_more(const char *how, const char *what);
void bind_more_of_host(void);
void probe_report_to(struct probe_report *target);
/* Never returns: exit status 0, whatever the outcome. */
_Noreturn void process_main(const char *how, const char *what, const char *probe);

#endif
