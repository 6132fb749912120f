/* SPDX-License-Identifier: MIT */
/*
 * What the headers of the C library declare, tested with the compiler, and that the declared
 * functions exist.
 */
#include "conformance/testlib.h"

#include <dlfcn.h>

/* Compiles by the standard `standard` and no other extension than `feature`, a macro definition. */
static int accepts(const char *text, const char *standard, const char *feature)
{
    const char *const options[] = {standard,        feature,
                                   "-fsyntax-only", "-Werror=implicit-function-declaration",
                                   "-fno-builtin",  NULL};
    return compile(text, options);
}

/* PASS: the subject is the C library, whose headers are on trial, and there is a compiler for
 * them. */
static enum probe_outcome can_judge_headers(void)
{
    if (!is_libc_malloc())
        return probe_say(OUTCOME_NOT_APPLICABLE, "headers are the C library's");
    if (accepts("#include <stdlib.h>\n", "-std=c11", "-DNOTHING") != 0)
        return UNSUPPORTED("no compiler on PATH for the C library of this program");
    return PASS;
}

/* A declaration that does not fit the use of it is an error of the compiler, and so is none. */
#define INCLUDE "#include <stdlib.h>\n"
#define USE_OF_C                                                                            \
    "void *(*m)(size_t) = malloc, *(*c)(size_t, size_t) = calloc, *(*r)(void *, size_t) = " \
    "realloc; void (*f)(void *) = free;\n"
#define USE_OF_MEMALIGN "int (*pm)(void **, size_t, size_t) = posix_memalign;\n"
#define USE_OF_ALIGNED  "void *(*aa)(size_t, size_t) = aligned_alloc;\n"
#define USE_OF_ARRAY    "void *(*ra)(void *, size_t, size_t) = reallocarray;\n"
#define USE_OF_FREE_SIZED                                                             \
    "void (*fs)(void *, size_t) = free_sized; void (*fas)(void *, size_t, size_t) = " \
    "free_aligned_sized;\n"

PROCESS_PROBE(free_is_declared_to_return_nothing, "C23-7.24.3.3-p3-a")
{
    static const char text[] =
        INCLUDE "char fits[_Generic(&free, void (*)(void *): 1, default: -1)];\n";
    TRY(can_judge_headers());
    EXPECT(accepts(text, "-std=c11", "-DNOTHING") == 0,
           "<stdlib.h>: expected free of type void(void *), observed another");
    return PASS;
}

PROCESS_PROBE(stdlib_header_advertises_c23, "C23-7.24-p2-a")
{
    static const char version[] =
        INCLUDE "#if __STDC_VERSION_STDLIB_H__ != 202311L\n#error\n#endif\n";
    TRY(can_judge_headers());
    const char *standard = accepts(INCLUDE, "-std=c23", "-DNOTHING") == 0 ? "-std=c23" : "-std=c2x";
    if (accepts(INCLUDE, standard, "-DNOTHING") != 0)
        return UNSUPPORTED("the compiler knows no C23");
    EXPECT(accepts(version, standard, "-DNOTHING") == 0,
           "<stdlib.h> under %s: expected __STDC_VERSION_STDLIB_H__ to be 202311, observed another "
           "or none",
           standard);
    EXPECT(accepts(INCLUDE USE_OF_FREE_SIZED, standard, "-DNOTHING") == 0,
           "<stdlib.h> under %s: expected free_sized and free_aligned_sized, observed no such "
           "declarations",
           standard);
    return PASS;
}

PROCESS_PROBE(stdlib_header_declares_what_posix_lists, "POSIX17-stdlib-1")
{
    static const char issue_7[] = "-D_POSIX_C_SOURCE=200809L",
                      issue_8[] = "-D_POSIX_C_SOURCE=202405L";
    TRY(can_judge_headers());
    EXPECT(accepts(INCLUDE USE_OF_C, "-std=c99", issue_7) == 0,
           "<stdlib.h> with %s: expected malloc, calloc, realloc and free, observed that one is "
           "not declared so",
           issue_7 + 2);
    EXPECT(accepts(INCLUDE USE_OF_MEMALIGN, "-std=c99", issue_7) == 0,
           "<stdlib.h> with %s: expected posix_memalign, observed no such declaration",
           issue_7 + 2);
    EXPECT(accepts(INCLUDE USE_OF_C USE_OF_MEMALIGN, "-std=c11", issue_8) == 0,
           "<stdlib.h> with %s: expected the functions of Issue 7, observed that one is not "
           "declared so",
           issue_8 + 2);
    if (accepts(INCLUDE USE_OF_ALIGNED, "-std=c11", issue_8) != 0)
        return WEAK("<stdlib.h> with %s: expected aligned_alloc, observed no such declaration",
                    issue_8 + 2);
    if (accepts(INCLUDE USE_OF_ARRAY, "-std=c11", issue_8) != 0)
        return WEAK("<stdlib.h> with %s: expected reallocarray, observed no such declaration",
                    issue_8 + 2);
    return PASS;
}

PROBE(valloc_is_a_relic, "POSIX17-stdlib-3")
{
    return RECORDED("valloc, which POSIX does not have: %s",
                    HAS(valloc) ? "the subject has it" : "the subject lacks it");
}

/* Writes every byte of a block, then releases it by `release`. */
static enum probe_outcome check_and_release(const char *call, void *block, size_t size,
                                            void (*release)(void *))
{
    EXPECT_BLOCK(block, "%s", call);
    fill(block, size, 1);
    EXPECT_FILLED(block, size, 1, "%s", call);
    release(block);
    return PASS;
}

PROCESS_PROBE(every_function_is_there_behind_its_macro, "C23-7.1.4-p1-a")
{
    void *(*volatile take)(size_t) = malloc, *(*volatile take_array)(size_t, size_t) = calloc;
    void *(*volatile resize)(void *, size_t) = realloc,
                                     *(*volatile take_aligned)(size_t, size_t) = aligned_alloc;
    void (*volatile release)(void *) = free;
    TRY(check_and_release("(malloc)(8)", (malloc)(8), 8, release));
    TRY(check_and_release("(calloc)(2, 8)", (calloc)(2, 8), 16, release));
    TRY(check_and_release("(realloc)(NULL, 8)", (realloc)(NULL, 8), 8, release));
    /* Where the subject has none, the C library's block is not for the subject's free. */
    if (HAS(aligned_alloc))
        TRY(check_and_release("(aligned_alloc)(16, 16)", (aligned_alloc)(16, 16), 16, release));
    TRY(check_and_release("malloc(8) through a pointer", take(8), 8, free));
    TRY(check_and_release("calloc(2, 8) through a pointer", take_array(2, 8), 16, free));
    TRY(check_and_release("realloc(NULL, 8) through a pointer", resize(NULL, 8), 8, free));
    if (HAS(aligned_alloc))
        TRY(check_and_release("aligned_alloc(16, 16) through a pointer", take_aligned(16, 16), 16,
                              free));
    return PASS;
}

static void (*libc_free_sized)(void *, size_t);

static void release_by_libc_free_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    libc_free_sized(block, size);
}

static const struct releasing_call by_libc_free_sized = {"free_sized", release_by_libc_free_sized};

/* free_sized of C23, where neither the subject nor the C library may have it yet. */
PROCESS_PROBE(free_sized_of_the_c_library_reaches_the_subject, "GLIBC-replace-13")
{
    *(void **)&libc_free_sized = dlsym(RTLD_DEFAULT, "free_sized");
    if (HAS(free_sized) || libc_free_sized == NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, HAS(free_sized)
                                                     ? "the subject has a free_sized of its own"
                                                     : "the C library has no free_sized");
    return reuse_block(&by_malloc, 0, 64 * KIB, &by_libc_free_sized);
}
