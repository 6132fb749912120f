/* SPDX-License-Identifier: MIT */
/*
 * Calls before main and after it: from the loader, constructors, threads, libraries loaded late,
 * and destructors.
 */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <locale.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Blocks that are taken before anything else of this process has run, by the names that it is
 * linked with. */
struct early_block {
    unsigned char *start;
    size_t size;
};

static struct early_block early_blocks[24];
static size_t early_count, early_wrong;

static void allocate_early(void)
{
    for (size_t i = 0; i < 12 && early_count < COUNT(early_blocks); i++) {
        size_t size = (size_t)8 << i;
        unsigned char *block = i % 3 == 0   ? (malloc)(size)
                               : i % 3 == 1 ? (calloc)(1, size)
                                            : (realloc)((malloc)(1), size);
        early_wrong += block == NULL || (i % 3 == 1 && find_nonzero(block, size) < size);
        early_blocks[early_count++] = (struct early_block){block, block != NULL ? size : 0};
        fill(block, block != NULL ? size : 0, (unsigned)i);
        (free)((malloc)(size / 2));
    }
}

/* What a first action can be that makes the C library itself allocate. */
static void *act_oddly(void *unused)
{
    (free)((malloc)(10));
    if (dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") == NULL)
        dlerror();
    return unused;
}

static void act_first(void)
{
    pthread_t thread;
    act_oddly(NULL);
    setlocale(LC_ALL, "");
    early_wrong +=
        pthread_create(&thread, NULL, act_oddly, NULL) != 0 || pthread_join(thread, NULL) != 0;
    FILE *file = fopen("/proc/self/stat", "r");
    early_wrong += file == NULL || getc(file) == EOF || fclose(file) != 0;
}

/* The heap after every destructor: exit status 3 when it fails. */
static void allocate_late(void)
{
    char *text = (malloc)(100), *copy = strdup("late");
    unsigned char *zeroed = (calloc)(10, 100);
    if (text == NULL || copy == NULL || zeroed == NULL || find_nonzero(zeroed, 1000) < 1000)
        _exit(3);
    fill(text, 100, 9);
    char *longer = (realloc)(text, 5000);
    if (longer == NULL || find_change(longer, 100, 9) < 100)
        _exit(3);
    (free)(longer);
    (free)(copy);
    (free)(zeroed);
}

/* As atexit, but of no object: what atexit registers ends with the program's own destructors. */
extern int __cxa_atexit(void (*function)(void *), void *argument, void *object);

static void allocate_last(void *unused)
{
    (void)unused;
    allocate_late();
}

static bool is_stage(char **environment, const char *setting)
{
    while (*environment != NULL && strcmp(*environment, setting) != 0)
        environment++;
    return *environment != NULL;
}

/* Runs before the constructors of all libraries; what it has run at exit comes after their
 * destructors. */
static void begin(int argc, char **argv, char **environment)
{
    (void)argc, (void)argv;
    if (is_stage(environment, "PROBE_STAGE=early"))
        allocate_early();
    if (is_stage(environment, "PROBE_STAGE=late"))
        early_wrong += __cxa_atexit(allocate_last, NULL, NULL) != 0;
}

static void (*const before_constructors)(int, char **, char **)
    __attribute__((section(".preinit_array"), used)) = begin;

__attribute__((constructor(101))) static void construct(void)
{
    if (strcmp(probe_stage(), "early") == 0)
        allocate_early();
    if (strcmp(probe_stage(), "first") == 0)
        act_first();
}

__attribute__((destructor(101))) static void destruct(void)
{
    if (strcmp(probe_stage(), "late") == 0)
        allocate_late();
}

/* Named here, so that they belong to what uses this. */
static void (*const volatile around_main[])(void) = {construct, destruct};

enum { NO_ROOM = 5 };

/* The same blocks now, after all that could come first: refused again, they are too much for the
 * subject. */
static bool has_room_now(void)
{
    bool has_room = true;
    for (unsigned i = 0; i < 2 * 12; i++)
        has_room &= (malloc)((size_t)8 << i % 12) != NULL;
    return has_room;
}

/* Exit status: 0 when all that was taken early is whole. */
static int check_early(void)
{
    for (size_t i = 0; i < early_count; i++) {
        early_wrong += find_change(early_blocks[i].start, early_blocks[i].size, (unsigned)i % 12) <
                       early_blocks[i].size;
        free(early_blocks[i].start);
    }
    if (early_wrong > 0 && !has_room_now())
        return NO_ROOM;
    return early_wrong == 0 && early_count > 0 ? 0 : 1;
}

static enum probe_outcome judge_stage(const char *what, int status)
{
    EXPECT(!WIFSIGNALED(status),
           "%s: expected to work, observed that the process died of signal %d (%s)", what,
           WTERMSIG(status), strsignal(WTERMSIG(status)));
    EXPECT(status != -1, "%s: expected to work, observed a process that does not end", what);
    EXPECT(status == 0, "%s: expected to work, observed exit status %d", what, WEXITSTATUS(status));
    return PASS;
}

PROCESS_PROBE(calls_before_all_constructors_are_served, "GLIBC-replace-8")
{
    if (strcmp(probe_stage(), "early") == 0)
        _exit(before_constructors == begin && around_main[0] != NULL ? check_early() : 1);
    int status = run_again("early", (const char *const[]){NULL});
    if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == NO_ROOM)
        return UNSUPPORTED("24 blocks of 8 to 16384 bytes: expected room, observed a refusal, also "
                           "when all constructors had run");
    return judge_stage("malloc, calloc, realloc and free before any constructor and in the first",
                       status);
}

PROCESS_PROBE(first_actions_do_not_recurse, "GLIBC-replace-9")
{
    if (strcmp(probe_stage(), "first") == 0)
        _exit(around_main[0] != NULL && early_wrong == 0 ? 0 : 1);
    return judge_stage("dlsym of a missing name, setlocale, a thread and fopen in a constructor",
                       run_again("first", (const char *const[]){NULL}));
}

static pthread_key_t late_key;

static void release_late(void *block)
{
    free(block);
    free(malloc(100));
}

static void *leave_a_block(void *unused)
{
    pthread_setspecific(late_key, malloc(100));
    return unused;
}

/* Ends as programs do: through exit, with handlers, streams and a thread's leavings. */
static _Noreturn void end_normally(void)
{
    pthread_t thread;
    int wrong = pthread_key_create(&late_key, release_late) != 0 ||
                pthread_create(&thread, NULL, leave_a_block, NULL) != 0 ||
                pthread_join(thread, NULL) != 0 || atexit(allocate_late) != 0;
    FILE *file = fopen("/dev/null", "w");
    wrong |= file == NULL || fprintf(file, "left to exit") < 0;
    exit(wrong || around_main[1] == NULL || before_constructors != begin);
}

PROCESS_PROBE(calls_after_all_destructors_are_served, "GLIBC-replace-11")
{
    if (strcmp(probe_stage(), "late") == 0)
        end_normally();
    return judge_stage(
        "malloc, calloc, realloc and free in atexit handlers, destructors, and after all of them",
        run_again("late", (const char *const[]){NULL}));
}
