/* SPDX-License-Identifier: MIT */
/*
 * Shared objects that are broken as files: anvil's override.c with something missing or added. Each
 * names what must fail, in a text that the test reads from the file, because some of these cannot
 * be opened.
 */
#ifndef MUTANTS_CONFORMANCE_ELF_H
#define MUTANTS_CONFORMANCE_ELF_H

#define MUTANT_MARK "must fail: "
#define MUST_FAIL(clauses) \
    static const char mutant_clauses[] __attribute__((used)) = MUTANT_MARK clauses;

#endif
