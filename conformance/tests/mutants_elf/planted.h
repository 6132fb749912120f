/* SPDX-License-Identifier: MIT */
/*
 * Shared objects that are broken as files: anvil's override.c with something missing or added. Each
 * names what must fail, in a text that the test reads from the file, because some of these cannot
 * be opened.
 */
#ifndef CONFORMANCE_TESTS_PLANTED_H
#define CONFORMANCE_TESTS_PLANTED_H

#define PLANTED_MARK "must fail: "
#define PLANTED(clauses) \
    static const char planted_clauses[] __attribute__((used)) = PLANTED_MARK clauses;

#endif
