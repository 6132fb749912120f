/* SPDX-License-Identifier: MIT */
/*
 * State of the process that an allocator must leave alone: errno, signals, descriptors, folders;
 * and the start and the end of the process.
 */
#include "conformance/testlib.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MIXED 3000

static void *mixed[MIXED];

static size_t mixed_size(size_t i)
{
    return i % 100 == 99 ? 600 * KIB : i % 10 == 9 ? 5000 : 1 + i * 7 % 900;
}

static bool make_mixed_blocks(void)
{
    for (size_t i = 0; i < MIXED; i++) {
        mixed[i] = malloc(mixed_size(i));
        if (mixed[i] == NULL)
            return false;
    }
    return true;
}

/* What errno became in the first free that changed it, and of how many bytes that was; 0: none. */
static int changed_errno;

static size_t changed_size;

static void free_and_watch(void *block, size_t size)
{
    CATCH_ERRNO(after, free(block));
    if (after != UNTOUCHED && changed_errno == 0) {
        changed_errno = after;
        changed_size = size;
    }
}

static void free_mixed_part(size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        free_and_watch(mixed[i], mixed_size(i));
}

static void *free_mixed_blocks(void *unused)
{
    free_mixed_part(0, MIXED);
    return unused;
}

static void free_in_destructor(void *block)
{
    free_and_watch(block, 5000);
}

/* Its block is released when the thread's own memory in the allocator may be gone. */
static void *leave_block_to_destructor(void *key)
{
    void *block = malloc(5000);
    pthread_setspecific(*(pthread_key_t *)key, block);
    return free_mixed_blocks(NULL);
}

static bool run_thread(void *(*function)(void *), void *argument)
{
    pthread_t thread;
    bool is_started = pthread_create(&thread, NULL, function, argument) == 0;
    if (is_started)
        pthread_join(thread, NULL);
    return is_started;
}

/* From here on munmap fails as if there were too many mappings, and madvise as if the system had
 * none. */
static bool refuse_to_give_back(void)
{
    enum { LOAD = 0x20, JUMP_IF_EQUAL = 0x15, RETURN = 0x06, FILTER = 2 };
    static const uint32_t allow = 0x7fff0000, fail_with = 0x00050000;
    struct {
        uint16_t code;
        uint8_t if_true, if_false;
        uint32_t operand;
    } program[] = {{LOAD, 0, 0, 0},
                   {JUMP_IF_EQUAL, 0, 1, SYS_munmap},
                   {RETURN, 0, 0, fail_with | ENOMEM},
                   {JUMP_IF_EQUAL, 0, 1, SYS_madvise},
                   {RETURN, 0, 0, fail_with | ENOSYS},
                   {RETURN, 0, 0, allow}};
    struct {
        unsigned short length;
        void *program;
    } filter = {COUNT(program), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, FILTER, &filter, 0, 0) == 0;
}

enum { GIVE_BACK_DELAY = 200000 }; /* in microseconds; mimalloc's is 25 or 100 ms */

/* Exit status: 1 if errno changed. What an allocator gives back with a delay is due in the second
 * half. */
static int free_when_nothing_is_taken_back(void)
{
    if (!make_mixed_blocks() || !refuse_to_give_back())
        return 0;
    free_mixed_part(0, MIXED / 2);
    usleep(GIVE_BACK_DELAY);
    free_mixed_part(MIXED / 2, MIXED);
    return changed_errno != 0;
}

PROCESS_PROBE(free_keeps_errno_when_it_does_more, "POSIX24-free-5")
{
    pthread_key_t key;
    if (pthread_key_create(&key, free_in_destructor) != 0)
        return UNSUPPORTED("pthread_key_create: expected a key, observed none");
    EXPECT(make_mixed_blocks(), "malloc: expected %d blocks, observed NULL", MIXED);
    if (!run_thread(leave_block_to_destructor, &key))
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    EXPECT(changed_errno == 0,
           "free of %zu bytes in another thread: expected errno unchanged, observed %d",
           changed_size, changed_errno);
    EXPECT(make_mixed_blocks(), "malloc: expected %d blocks, observed NULL", MIXED);
    free_mixed_blocks(NULL);
    EXPECT(changed_errno == 0,
           "free of %zu bytes, one of many: expected errno unchanged, observed %d", changed_size,
           changed_errno);
    int status = run_in_child(free_when_nothing_is_taken_back);
    /* a death is not what is asked here */
    bool is_changed = WIFEXITED(status) && WEXITSTATUS(status) == 1;
    EXPECT(!is_changed,
           "free while munmap and madvise fail: expected errno unchanged, observed it changed");
    return PASS;
}

#define SIGNALS_END 65

#define DESCRIPTORS_END 1024

/* What an allocator has no business with. */
struct surroundings {
    sigset_t blocked;
    struct sigaction actions[SIGNALS_END];
    mode_t mask;
    char folder[1024], locale[256];
    int descriptor_flags[DESCRIPTORS_END]; /* -1: closed */
    ino_t inodes[DESCRIPTORS_END];
};

static void look_around(struct surroundings *ret_seen)
{
    memset(ret_seen, 0, sizeof *ret_seen);
    pthread_sigmask(SIG_BLOCK, NULL, &ret_seen->blocked);
    for (int i = 1; i < SIGNALS_END; i++)
        if (sigaction(i, NULL, &ret_seen->actions[i]) != 0)
            memset(&ret_seen->actions[i], 0, sizeof ret_seen->actions[i]);
    umask(ret_seen->mask = umask(0));
    if (getcwd(ret_seen->folder, sizeof ret_seen->folder) == NULL)
        ret_seen->folder[0] = '\0';
    const char *locale = setlocale(LC_ALL, NULL);
    snprintf(ret_seen->locale, sizeof ret_seen->locale, "%s", locale != NULL ? locale : "");
    for (int i = 0; i < DESCRIPTORS_END; i++) {
        struct stat file;
        ret_seen->descriptor_flags[i] = fcntl(i, F_GETFD);
        ret_seen->inodes[i] = fstat(i, &file) == 0 ? file.st_ino : 0;
    }
}

static void *churn_in_thread(void *churned)
{
    return churn(churned, 8000) && churn_end(churned) ? NULL : churned;
}

/* Small and large, in two threads, to exhaustion and back. */
static bool use_heavily(void)
{
    static struct churn churned[2] = {{.random = 71}, {.random = 72}};
    pthread_t thread;
    if (pthread_create(&thread, NULL, churn_in_thread, &churned[0]) != 0)
        return false;
    bool is_sound = churn_in_thread(&churned[1]) == NULL;
    pthread_join(thread, NULL);
    for (size_t size = MIB; size <= 64 * MIB; size *= 2)
        free(realloc(malloc(size), 2 * size));
    for (size_t i = 0; i < 50; i++)
        free(malloc(huge_size(i)));
    if (HAS(malloc_trim))
        malloc_trim(0);
    return is_sound && churned[0].wrong[0] == '\0';
}

static enum probe_outcome compare_signals(const struct surroundings *before,
                                          const struct surroundings *after)
{
    for (int i = 1; i < SIGNALS_END; i++) {
        bool is_blocked = sigismember(&after->blocked, i) == 1;
        EXPECT((sigismember(&before->blocked, i) == 1) == is_blocked,
               "after heavy use, signal %d: expected the mask as before, observed it %s", i,
               is_blocked ? "blocked" : "no longer blocked");
        EXPECT(before->actions[i].sa_handler == after->actions[i].sa_handler &&
                   before->actions[i].sa_flags == after->actions[i].sa_flags,
               "after heavy use, signal %d: expected its handler as before, observed another", i);
    }
    return PASS;
}

static enum probe_outcome compare_descriptors(const struct surroundings *before,
                                              const struct surroundings *after)
{
    for (int i = 0; i < DESCRIPTORS_END; i++) {
        bool was_open = before->descriptor_flags[i] >= 0, is_open = after->descriptor_flags[i] >= 0;
        EXPECT(
            !was_open || (is_open && after->inodes[i] == before->inodes[i] &&
                          after->descriptor_flags[i] == before->descriptor_flags[i]),
            "after heavy use, descriptor %d: expected it as before, observed it closed or changed",
            i);
        EXPECT(was_open || !is_open || (after->descriptor_flags[i] & FD_CLOEXEC) != 0,
               "after heavy use, descriptor %d: expected it closed, observed it open and inherited "
               "by programs",
               i);
    }
    return PASS;
}

PROCESS_PROBE(surroundings_stay_as_they_were, "POSIX17-exec-1")
{
    static struct surroundings before, after;
    look_around(&before);
    use_heavily();
    look_around(&after);
    TRY(compare_signals(&before, &after));
    TRY(compare_descriptors(&before, &after));
    EXPECT(before.mask == after.mask, "after heavy use, umask: expected %o, observed %o",
           (unsigned)before.mask, (unsigned)after.mask);
    EXPECT(strcmp(before.folder, after.folder) == 0,
           "after heavy use, working folder: expected %s, observed %s", before.folder,
           after.folder);
    EXPECT(strcmp(before.locale, after.locale) == 0,
           "after heavy use, locale: expected %s, observed %s", before.locale, after.locale);
    return PASS;
}

PROCESS_PROBE(signals_stay_as_they_were, "POSIX17-signal-4")
{
    static struct surroundings before, after;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t more;
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGUSR2, &ignore, NULL);
    sigemptyset(&more);
    sigaddset(&more, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &more, NULL);
    look_around(&before);
    use_heavily();
    look_around(&after);
    return compare_signals(&before, &after);
}

static char empty_folder[] = "/tmp/probe-XXXXXX";

/* Exit status: 0 all well, 1 the heap failed, 2 something was written to a descriptor, 3 the test's
 * own failure. */
static int live_without_descriptors(void)
{
    int ends[2];
    char byte;
    for (int i = 0; i <= STDERR_FILENO; i++)
        close(i);
    if (pipe2(ends, O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
        return 3;
    if (chroot(empty_folder) == 0 && chdir("/") != 0)
        return 3;
    if (!use_heavily())
        return 1;
    return read(ends[0], &byte, 1) > 0 ? 2 : 0;
}

PROCESS_PROBE(heap_needs_no_descriptors_and_no_proc, "POSIX17-exec-2")
{
    static const char *const found[] = {"all well", "NULL or damage",
                                        "text on a descriptor of the program"};
    bool has_folder = mkdtemp(empty_folder) != NULL;
    int status = run_in_child(live_without_descriptors);
    if (has_folder)
        rmdir(empty_folder);
    EXPECT(WIFEXITED(status),
           "malloc and free without standard descriptors: expected exit, observed %s",
           name_end(status));
    if (WEXITSTATUS(status) == 3)
        return UNSUPPORTED("pipe2 and chdir: expected 0, observed another");
    EXPECT(WEXITSTATUS(status) == 0,
           "malloc and free without standard descriptors: expected all well, observed %s",
           found[WEXITSTATUS(status) & 1 ? 1 : 2]);
    return PASS;
}

static char *early_copy;

/* Before main the subject is reached through the C library alone. */
__attribute__((constructor(101))) static void copy_before_main(void)
{
    early_copy = strdup("made before main");
}

static struct exit_log {
    atomic_uint uses, failures;
    char wrong[sizeof((struct churn *)NULL)->wrong]; /* the last failure; "": only NULL */
} *exit_log;

static void *kept_until_exit[100];

/* At the end of a process that keeps a log: releases old blocks and uses new ones. */
__attribute__((destructor(101))) static void use_heap_at_the_end(void)
{
    static struct churn churned = {.random = 81};
    if (exit_log == NULL)
        return;
    for (size_t i = 0; i < COUNT(kept_until_exit); i++) {
        free(kept_until_exit[i]);
        kept_until_exit[i] = malloc(100 + i);
    }
    bool is_sound = churn(&churned, 1000) && kept_until_exit[0] != NULL;
    memcpy(exit_log->wrong, churned.wrong, sizeof exit_log->wrong);
    atomic_fetch_add(&exit_log->failures, !is_sound);
    atomic_fetch_add(&exit_log->uses, 1);
}

static int end_by_exit(void)
{
    exit(atexit(use_heap_at_the_end) == 0 ? 0 : 1);
}

static int end_by_quick_exit(void)
{
    if (at_quick_exit(use_heap_at_the_end) != 0)
        return 1;
    quick_exit(0);
}

static enum probe_outcome judge_end(int (*end)(void), const char *name, unsigned handlers)
{
    atomic_store(&exit_log->uses, 0);
    int status = run_in_child(end);
    unsigned uses = atomic_load(&exit_log->uses), failures = atomic_load(&exit_log->failures);
    EXPECT(WIFEXITED(status), "malloc and free in handlers of %s: expected exit, observed %s", name,
           name_end(status));
    EXPECT(failures == 0 || exit_log->wrong[0] == '\0', "in %u of %u handlers of %s, %s", failures,
           uses, name, exit_log->wrong);
    EXPECT(failures == 0, "malloc in handlers of %s: expected a block, observed NULL in %u of %u",
           name, failures, uses);
    EXPECT(WEXITSTATUS(status) == 0 && uses == handlers,
           "malloc and free in handlers of %s: expected %u to end, observed %u and %s", name,
           handlers, uses, name_end(status));
    return PASS;
}

PROCESS_PROBE(heap_works_before_main_and_at_the_end, "POSIX17-atexit-1")
{
    EXPECT(early_copy != NULL, "strdup in a constructor: expected a copy, observed NULL");
    EXPECT(strcmp(early_copy, "made before main") == 0,
           "strdup in a constructor: expected the text to stay, observed another");
    free(early_copy);
    copy_before_main();
    exit_log =
        mmap(NULL, sizeof *exit_log, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (exit_log == MAP_FAILED)
        return UNSUPPORTED("mmap: expected memory, observed errno %d", errno);
    TRY(judge_end(end_by_exit, "exit", 2));
    return judge_end(end_by_quick_exit, "quick_exit", 1);
}
