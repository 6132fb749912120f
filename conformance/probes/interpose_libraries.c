/* SPDX-License-Identifier: MIT */
/* Libraries that are loaded while the process runs. The probe compiles them from C text. */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>

/* Where a compiled thing is put, until remove_made. */
struct made {
    char folder[64], path[96];
};

static void remove_made(const struct made *made)
{
    unlink(made->path);
    rmdir(made->folder);
}

/* PASS, or unsupported: no compiler, no folder. */
static enum probe_outcome make_from(const char *text, const char *option, struct made *ret_made)
{
    const char *const options[] = {option, "-fPIC", "-o", ret_made->path, NULL};
    snprintf(ret_made->folder, sizeof ret_made->folder, "/tmp/probe-XXXXXX");
    if (mkdtemp(ret_made->folder) == NULL)
        return UNSUPPORTED("no folder can be made in /tmp");
    snprintf(ret_made->path, sizeof ret_made->path, "%s/made", ret_made->folder);
    if (compile(text, options) == 0)
        return PASS;
    rmdir(ret_made->folder);
    return UNSUPPORTED("no compiler on PATH for the C library of this program");
}

PROCESS_PROBE(malloc_has_one_address, "ELF-interpose-3")
{
    static const char text[] = "#include <stdlib.h>\nvoid *tell(void) { return (void *)malloc; }\n";
    struct made made;
    void *(*tell)(void) = NULL;
    void *(*volatile own)(size_t) = malloc;
    void *looked_up = dlsym(RTLD_DEFAULT, "malloc");
    if (looked_up == NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "malloc is linked statically");
    TRY(make_from(text, "-shared", &made));
    void *library = dlopen(made.path, RTLD_NOW | RTLD_LOCAL);
    remove_made(&made);
    *(void **)&tell = library != NULL ? dlsym(library, "tell") : NULL;
    if (tell == NULL)
        return UNSUPPORTED("the library that was made could not be opened");
    void *in_program = *(void *volatile *)&own, *in_library = tell();
    EXPECT(in_program == looked_up && in_library == looked_up,
           "&malloc: expected one address, observed %p in the program, %p in a library and %p by "
           "dlsym",
           in_program, in_library, looked_up);
    return PASS;
}

static pthread_barrier_t library_is_open, library_is_idle;
static unsigned char *(*volatile touch)(void);
static size_t untouched;

enum { TLS_ROUNDS = 100, TLS_THREADS = 4 };

/* Touches the library's storage of this thread while it is open, each time it is. */
static void *touch_while_open(void *unused)
{
    for (int round = 0; round < TLS_ROUNDS; round++) {
        pthread_barrier_wait(&library_is_open);
        unsigned char *storage = touch();
        if (storage == NULL || *storage != 1)
            __atomic_fetch_add(&untouched, 1, __ATOMIC_RELAXED);
        free(malloc(100 + (size_t)round));
        pthread_barrier_wait(&library_is_idle);
    }
    return unused;
}

PROCESS_PROBE(dynamic_tls_comes_and_goes, "GLIBC-replace-10")
{
    static const char text[] = "static __thread unsigned char storage[65536]; unsigned char "
                               "*touch(void) { storage[0]++; return storage; }\n";
    struct made made;
    pthread_t threads[TLS_THREADS];
    if (dlsym(RTLD_DEFAULT, "malloc") == NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "malloc is linked statically");
    TRY(make_from(text, "-shared", &made));
    pthread_barrier_init(&library_is_open, NULL, TLS_THREADS + 1);
    pthread_barrier_init(&library_is_idle, NULL, TLS_THREADS + 1);
    for (size_t i = 0; i < TLS_THREADS; i++)
        if (pthread_create(&threads[i], NULL, touch_while_open, NULL) != 0)
            return UNSUPPORTED("thread %zu could not be created", i + 1);
    for (int round = 0; round < TLS_ROUNDS; round++) {
        void *library = dlopen(made.path, RTLD_NOW | RTLD_LOCAL);
        EXPECT(library != NULL,
               "dlopen of a library with 64 KiB of TLS, round %d: expected success, observed none",
               round);
        *(void *volatile *)&touch = dlsym(library, "touch");
        pthread_barrier_wait(&library_is_open);
        pthread_barrier_wait(&library_is_idle);
        dlclose(library);
    }
    for (size_t i = 0; i < TLS_THREADS; i++)
        pthread_join(threads[i], NULL);
    remove_made(&made);
    EXPECT(untouched == 0,
           "TLS of a library opened %d times: expected it to be zero at first in each of %d "
           "threads, observed %zu times another value",
           TLS_ROUNDS, TLS_THREADS, untouched);
    return PASS;
}

PROCESS_PROBE(another_namespace_has_its_own_heap, "ELF-interpose-4")
{
    void *(*open_namespace)(long, const char *, int) = NULL;
    char *(*copy)(const char *) = NULL;
    void (*release)(void *) = NULL;
    *(void **)&open_namespace = dlsym(RTLD_DEFAULT, "dlmopen");
    void *library = open_namespace != NULL
                        ? open_namespace(-1 /* LM_ID_NEWLM */, "libc.so.6", RTLD_NOW | RTLD_LOCAL)
                        : NULL;
    if (library == NULL)
        return UNSUPPORTED("there is no second namespace with a libc.so.6");
    *(void **)&copy = dlsym(library, "strdup");
    *(void **)&release = dlsym(library, "free");
    EXPECT(copy != NULL && release != NULL,
           "dlmopen of libc.so.6: expected strdup and free, observed none");
    EXPECT(*(void **)&release != *(void *volatile *)&calls.free,
           "free of another namespace: expected another than the subject's, observed it");
    char *text = copy("of another namespace");
    EXPECT(text != NULL && strcmp(text, "of another namespace") == 0,
           "strdup of another namespace: expected a copy, observed %s",
           text != NULL ? "other bytes" : "NULL");
    release(text);
    free(malloc(100));
    return PASS;
}

/* With these four in a program, musl's others are to refuse. The heap is a region that never
 * shrinks. */
#define FOUR_FUNCTIONS                                                                             \
    "#include <errno.h>\n#include <malloc.h>\n#include <stdlib.h>\n#include <string.h>\n"          \
    "static _Alignas(16) unsigned char heap[1 << 20]; static size_t used;\n"                       \
    "void *malloc(size_t n) { void *p = heap + used; used += (n + 15) / 16 * 16; return p; }\n"    \
    "void free(void *p) { (void)p; }\n"                                                            \
    "void *calloc(size_t n, size_t s) { return malloc(n * s); }\n"                                 \
    "void *realloc(void *p, size_t n) { void *q = malloc(n); return p != NULL ? memmove(q, p, n) " \
    ": q; }\n"

PROCESS_PROBE(musl_refuses_alignment_beside_a_foreign_malloc, "MUSL-interpose-2")
{
    static const char text[] = FOUR_FUNCTIONS
        "int main(void)\n{\n    void *volatile p = aligned_alloc(64, 64);\n"
        "    int first = errno;\n    void *q = NULL;\n    int second = posix_memalign(&q, 64, "
        "64);\n"
        "    return p != NULL ? 1 : first != ENOMEM ? 2 : second != ENOMEM ? 3 : 0;\n}\n";
    struct made made;
    if (dlsym(RTLD_DEFAULT, "gnu_get_libc_version") != NULL)
        return probe_say(OUTCOME_NOT_APPLICABLE, "the C library is not musl");
    TRY(make_from(text, "-O1", &made));
    pid_t child = fork();
    if (child == 0) {
        execl(made.path, made.path, (char *)NULL);
        _exit(127);
    }
    int status = child > 0 ? wait_for_child(child, CHILD_CPU_S) : -1;
    remove_made(&made);
    int wrong = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (wrong == 127)
        return UNSUPPORTED(
            "the program that was made does not start: there is no loader of this C library");
    EXPECT(wrong == 0,
           "aligned_alloc and posix_memalign of a program that defines malloc, calloc, realloc and "
           "free: expected ENOMEM, observed %s",
           wrong == 1                 ? "a block"
           : wrong == 2 || wrong == 3 ? "another error"
                                      : "that it died");
    return PASS;
}
