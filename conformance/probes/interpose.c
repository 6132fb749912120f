/* SPDX-License-Identifier: MIT */
/*
 * One allocator for the whole process: every function of the family, called from any library,
 * reaches the subject.
 */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <sys/wait.h>

/* The file that holds an address; NULL: none is known. */
static const void *find_object(const void *address)
{
    Dl_info place;
    return address != NULL && dladdr(address, &place) != 0 ? place.dli_fbase : NULL;
}

static const char *name_object(const void *address)
{
    Dl_info place;
    return address != NULL && dladdr(address, &place) != 0 && place.dli_fname != NULL
               ? place.dli_fname
               : "nothing";
}

/* PASS, or not applicable where there is no dynamic linking. */
static enum probe_outcome has_dynamic_malloc(void)
{
    if (find_object(dlsym(RTLD_DEFAULT, "malloc")) == NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "malloc is linked statically");
    return PASS;
}

PROCESS_PROBE_OF_ANY(the_whole_family_is_replaced, "GLIBC-replace-2")
{
    static const char *const names[] = {
        "calloc",   "realloc", "free",    "aligned_alloc", "malloc_usable_size",
        "memalign", "valloc",  "pvalloc", "posix_memalign"};
    char foreign[200] = "";
    const void *other = NULL; /* a function of another object */
    TRY(has_dynamic_malloc());
    const void *own = find_object(dlsym(RTLD_DEFAULT, "malloc"));
    for (size_t i = 0; i < COUNT(names); i++) {
        const void *function = dlsym(RTLD_DEFAULT, names[i]);
        size_t used = strlen(foreign);
        if (find_object(function) == own)
            continue;
        other = other != NULL ? other : function;
        snprintf(foreign + used, sizeof foreign - used, "%s%s", used > 0 ? ", " : "", names[i]);
    }
    EXPECT(foreign[0] == '\0',
           "the family: expected all of it from the object of malloc, observed %s of %s", foreign,
           name_object(other));
    return PASS;
}

/* What makes a block, what takes it. */
enum {
    MAKE_MALLOC,
    MAKE_CALLOC,
    MAKE_REALLOC,
    MAKE_ARRAY,
    MAKE_ALIGNED,
    MAKE_POSIX,
    MAKE_MEMALIGN,
    MAKE_VALLOC,
    MAKE_PVALLOC,
    MAKERS
};

enum { TAKE_FREE, TAKE_REALLOC, TAKE_USABLE_SIZE, TAKERS };

static const char *const maker_names[] = {"malloc",       "calloc",        "realloc",
                                          "reallocarray", "aligned_alloc", "posix_memalign",
                                          "memalign",     "valloc",        "pvalloc"};

static const char *const taker_names[] = {"free", "realloc", "malloc_usable_size"};

/* More than a small block of any allocator's, less than a mapping of its own. */
enum { PAIR_SIZE = 6000 };

/* By the names as this program is linked, and not by the table of the subject's own: a name that
 * the subject lacks leads to the C library. */
static void *make_block(int maker)
{
    void *(*by_name)(size_t) = NULL;
    void *block = NULL;
    *(void **)&by_name = dlsym(RTLD_DEFAULT, "pvalloc");
    switch (maker) {
    case MAKE_MALLOC:
        return (malloc)(PAIR_SIZE);
    case MAKE_CALLOC:
        return (calloc)(1, PAIR_SIZE);
    case MAKE_REALLOC:
        return (realloc)(NULL, PAIR_SIZE);
    case MAKE_ARRAY:
        return (reallocarray)(NULL, PAIR_SIZE / 4, 4);
    case MAKE_ALIGNED:
        return (aligned_alloc)(16, PAIR_SIZE);
    case MAKE_POSIX:
        return (posix_memalign)(&block, 64, PAIR_SIZE) == 0 ? block : NULL;
    case MAKE_MEMALIGN:
        return (memalign)(64, PAIR_SIZE);
    case MAKE_VALLOC:
        return (valloc)(PAIR_SIZE);
    default:
        return by_name != NULL ? by_name(PAIR_SIZE) : (malloc)(PAIR_SIZE);
    }
}

static int pair_maker, pair_taker;

/* Exit status: 0, or what went wrong. */
enum { PAIR_HOLDS, PAIR_NULL, PAIR_LOST, PAIR_SHORT };

static int make_and_take(void)
{
    void *block = make_block(pair_maker), *more = block;
    if (block == NULL)
        return PAIR_NULL;
    fill(block, PAIR_SIZE, 5);
    if (pair_taker == TAKE_USABLE_SIZE && (malloc_usable_size)(block) < PAIR_SIZE)
        return PAIR_SHORT;
    if (pair_taker == TAKE_REALLOC)
        more = (realloc)(block, (size_t)3 * PAIR_SIZE);
    if (more == NULL)
        return PAIR_NULL;
    if (find_change(more, PAIR_SIZE, 5) < PAIR_SIZE)
        return PAIR_LOST;
    (free)(more);
    for (int i = 0; i < 64; i++)
        (free)((malloc)((size_t)PAIR_SIZE + (size_t)i)); /* what is damaged shows */
    return PAIR_HOLDS;
}

static const char *const pair_wrongs[] = {"", "NULL", "that what was written is lost",
                                          "fewer bytes than were asked for"};

static enum probe_outcome judge_pair(int status)
{
    const char *maker = maker_names[pair_maker], *taker = taker_names[pair_taker];
    if (WIFSIGNALED(status))
        return FAIL("a block of %s given to %s: expected to be taken, observed signal %d (%s)",
                    maker, taker, WTERMSIG(status), strsignal(WTERMSIG(status)));
    int wrong = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    EXPECT(wrong == PAIR_HOLDS, "a block of %s given to %s: expected to be taken, observed %s",
           maker, taker,
           wrong > 0 && wrong < (int)COUNT(pair_wrongs) ? pair_wrongs[wrong] : name_end(status));
    return PASS;
}

/* Whether the function is of the object of malloc. Another's blocks are not for its free; that the
 * subject lacks the function is another clause. */
static bool is_of_malloc(const char *name)
{
    return strcmp(name, "reallocarray") == 0 ||
           find_object(dlsym(RTLD_DEFAULT, name)) == find_object(dlsym(RTLD_DEFAULT, "malloc"));
}

/* Each maker with each taker, in a child of its own. */
static enum probe_outcome judge_pairs(void)
{
    for (pair_maker = 0; pair_maker < MAKERS; pair_maker++)
        for (pair_taker = 0; is_of_malloc(maker_names[pair_maker]) && pair_taker < TAKERS;
             pair_taker++)
            if (is_of_malloc(taker_names[pair_taker]))
                TRY(judge_pair(run_in_child(make_and_take)));
    return PASS;
}

PROCESS_PROBE(no_block_crosses_heaps, "GLIBC-replace-3")
{
    TRY(has_dynamic_malloc());
    return judge_pairs();
}

PROCESS_PROBE(musl_lets_eight_functions_be_replaced, "MUSL-interpose-1")
{
    if (dlsym(RTLD_DEFAULT, "gnu_get_libc_version") != NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "the C library is not musl");
    EXPECT(!is_libc_malloc() ||
               (!HAS(pvalloc) && !HAS(mallopt) && !HAS(mallinfo) && !HAS(malloc_info)),
           "musl: expected neither pvalloc nor mallopt and its like, observed one");
    return judge_pairs();
}

/* Functions of the C library that hand out blocks. */
enum {
    LIBC_STRDUP,
    LIBC_STRNDUP,
    LIBC_GETLINE,
    LIBC_ASPRINTF,
    LIBC_REALPATH,
    LIBC_GETCWD,
    LIBC_MEMSTREAM,
    LIBC_ARRAY,
    LIBC_MAKERS
};

static const char *const libc_names[] = {"strdup",   "strndup", "getline",        "asprintf",
                                         "realpath", "getcwd",  "open_memstream", "reallocarray"};

static char *read_line(void)
{
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = fopen("/proc/self/cmdline", "r");
    ssize_t length = file != NULL ? getline(&line, &capacity, file) : -1;
    if (file != NULL)
        fclose(file);
    return length > 0 ? line : NULL;
}

static char *write_to_memory(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&text, &length);
    if (file == NULL || fprintf(file, "%5000d", 7) != 5000)
        return NULL;
    return fclose(file) == 0 ? text : NULL;
}

static char *make_by_libc(int maker)
{
    char *text = NULL;
    switch (maker) {
    case LIBC_STRDUP:
        return strdup("a string of the C library's");
    case LIBC_STRNDUP:
        return strndup("a string of the C library's", 12);
    case LIBC_GETLINE:
        return read_line();
    case LIBC_ASPRINTF:
        return asprintf(&text, "%300d", 7) == 300 ? text : NULL;
    case LIBC_REALPATH:
        return realpath("/proc/self", NULL);
    case LIBC_GETCWD:
        return getcwd(NULL, 0);
    case LIBC_MEMSTREAM:
        return write_to_memory();
    default:
        text = (reallocarray)(NULL, 100, 10);
        return text != NULL ? memcpy(text, "an array", sizeof "an array") : NULL;
    }
}

static int libc_maker;

/* Asks the subject's own functions about a block of the C library's. Exit status as above. */
static int make_by_libc_and_take(void)
{
    char *text = make_by_libc(libc_maker);
    if (text == NULL)
        return PAIR_NULL;
    char start = text[0];
    size_t length = strlen(text);
    if (HAS(malloc_usable_size) && malloc_usable_size(text) < length + 1)
        return PAIR_SHORT;
    char *more = realloc(text, length + 20000);
    if (more == NULL)
        return PAIR_NULL;
    if (strlen(more) != length || more[0] != start)
        return PAIR_LOST;
    free(more);
    for (int i = 0; i < 64; i++)
        free(malloc(length + (size_t)i));
    return PAIR_HOLDS;
}

PROCESS_PROBE(blocks_of_the_c_library_are_the_subjects, "GLIBC-replace-4")
{
    for (libc_maker = 0; libc_maker < LIBC_MAKERS; libc_maker++) {
        int status = run_in_child(make_by_libc_and_take);
        EXPECT(!WIFSIGNALED(status),
               "a block of %s given to the subject: expected to be taken, observed signal %d (%s)",
               libc_names[libc_maker], WTERMSIG(status), strsignal(WTERMSIG(status)));
        EXPECT(status == 0,
               "a block of %s given to the subject: expected a block of its own, observed %s",
               libc_names[libc_maker],
               WIFEXITED(status) && WEXITSTATUS(status) < (int)COUNT(pair_wrongs)
                   ? pair_wrongs[WEXITSTATUS(status)]
                   : name_end(status));
    }
    return PASS;
}

PROCESS_PROBE_OF_ANY(the_first_definition_wins, "ELF-interpose-1")
{
    static const char *const names[] = {"malloc", "calloc", "realloc", "free"};
    const void *subjects[] = {*(void *volatile *)&calls.malloc, *(void *volatile *)&calls.calloc,
                              *(void *volatile *)&calls.realloc, *(void *volatile *)&calls.free};
    TRY(has_dynamic_malloc());
    for (size_t i = 0; i < COUNT(names); i++) {
        const void *first = dlsym(RTLD_DEFAULT, names[i]);
        EXPECT(subjects[i] != NULL, "%s: expected the subject to define it, observed that %s does",
               names[i], name_object(first));
        EXPECT(find_object(first) == find_object(subjects[i]),
               "%s: expected the lookup of all libraries to end in %s, observed %s", names[i],
               name_object(subjects[i]), name_object(first));
    }
    return PASS;
}

PROCESS_PROBE(operator_new_is_separate, "CXX-new-1")
{
    const char *name = sizeof(size_t) == sizeof(long) && sizeof(long) == 8 ? "_Znwm" : "_Znwj";
    void *(*take)(size_t) = NULL;
    void (*release)(void *) = NULL;
    void *library = dlopen("libstdc++.so.6", RTLD_NOW);
    *(void **)&take = library != NULL ? dlsym(library, name) : NULL;
    *(void **)&release = library != NULL ? dlsym(library, "_ZdlPv") : NULL;
    if (take == NULL || release == NULL)
        return UNSUPPORTED("there is no libstdc++.so.6 to be opened");
    void *block = take(100);
    size_t usable = HAS(malloc_usable_size) ? malloc_usable_size(block) : 100;
    release(block);
    return RECORDED("operator new(100): malloc_usable_size says %zu of its block, operator delete "
                    "took it; new is of %s",
                    usable, name_object(*(void **)&take));
}

PROCESS_PROBE(old_c_libraries_ask_for_a_further_name, "GLIBC-replace-12")
{
    const char *(*version)(void) = NULL;
    *(void **)&version = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    unsigned long minor =
        version != NULL && strncmp(version(), "2.", 2) == 0 ? strtoul(version() + 2, NULL, 10) : 99;
    if (minor >= 25)
        return probe_say(OUTCOME_NOT_APPLICABLE, "only glibc before 2.25 calls __libc_memalign");
    const void *function = dlsym(RTLD_DEFAULT, "__libc_memalign");
    EXPECT(find_object(function) == find_object(dlsym(RTLD_DEFAULT, "malloc")),
           "__libc_memalign: expected it from the object of malloc, observed %s",
           name_object(function));
    return PASS;
}

PROBE(a_replacement_keeps_documented_promises, "MAN-malloc-8",
      NEEDS(calloc) | NEEDS(realloc) | NEEDS(failure_errno))
{
    const size_t beyond = (size_t)PTRDIFF_MAX + 1;
    void *empty[] = {malloc(0), malloc(0), calloc(0, 8), calloc(8, 0), realloc(NULL, 0)};
    for (size_t i = 0; i < COUNT(empty); i++)
        for (size_t j = 0; j <= i; j++)
            EXPECT(empty[i] != NULL && (i == j || empty[i] != empty[j]),
                   "malloc(0) twice, calloc(0, 8), calloc(8, 0), realloc(NULL, 0): expected blocks "
                   "of their own, observed %p for number %zu",
                   empty[i], i + 1);
    CATCH_ERRNO(error, for (size_t i = 0; i < COUNT(empty); i++) free(empty[i]));
    EXPECT_UNTOUCHED(error, "free of %zu blocks of no bytes", COUNT(empty));
    EXPECT_FAILURE(malloc(beyond), ENOMEM, "malloc(%zu)", beyond);
    EXPECT_FAILURE(calloc(beyond / 2 + 1, 4), ENOMEM, "calloc(%zu, 4), which wraps to 4",
                   beyond / 2 + 1);
    return PASS;
}
