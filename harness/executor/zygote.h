/* SPDX-License-Identifier: MIT */
/*
 * The executor's other end, in a child program: binds the subject and forks a worker at each
 * request. A worker runs traces until it is told no more.
 */
#ifndef HARNESS_ZYGOTE_H
#define HARNESS_ZYGOTE_H

/* A child program that is to be one is told so: argv = {program, ZYGOTE_WORD, how, what}. */
#define ZYGOTE_WORD "zygote"

/* how, what: as child_bind takes them. Descriptors are as in protocol.h. */
_Noreturn void zygote_main(const char *how, const char *what);

#endif
