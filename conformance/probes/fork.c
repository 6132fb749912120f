/* SPDX-License-Identifier: MIT */
/*
 * fork, _Fork, exec and posix_spawn, from processes with one thread and with many. A lock that
 * another thread held at the fork stays locked in the child, so each child is watched, and so is
 * each parent, which is a child itself.
 */
#include "conformance/testlib.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define CHURNERS 6

#define BUSY_BLOCKS 160

/* Small and large in numbers, and never touched, so that all the time goes by inside of the
 * allocator. One block in `large_every` is large. */
static void allocate_busily(void **blocks, size_t large_every)
{
    for (size_t i = 0; i < BUSY_BLOCKS; i++)
        blocks[i] = malloc(i % large_every == 0 ? 300001 + i * 2000
                           : i % 4 == 0         ? 40001 + i * 100
                           : i % 4 == 1         ? 9000 + i * 60
                                                : 16 + i * 8);
    for (size_t i = 0; i < BUSY_BLOCKS; i++)
        free(blocks[i]);
}

static atomic_bool churn_is_over, churn_pauses;

static atomic_uint churn_rounds;

static bool has_churners; /* in this process */

static pthread_t churners[CHURNERS];

/* Counts a round. Between two forks the churners rest, so that the time of the probe is that of its
 * forks, however long these take. */
static bool churn_goes_on(void)
{
    atomic_fetch_add(&churn_rounds, 1);
    while (atomic_load(&churn_pauses) && !atomic_load(&churn_is_over))
        usleep(200);
    return !atomic_load(&churn_is_over);
}

static void *churn_until_over(void *churned)
{
    while (churn_goes_on() && churn(churned, 32))
        ;
    return NULL;
}

static void *be_busy_until_over(void *blocks)
{
    while (churn_goes_on())
        allocate_busily(blocks, 16);
    return NULL;
}

/* Wakes the churners, until all of them are likely to be at it. One that hangs is not waited for
 * without end. */
static void let_churn(void)
{
    enum { LOOKS = 200 };
    unsigned before = atomic_load(&churn_rounds);
    atomic_store(&churn_pauses, false);
    for (int look = 0; has_churners && look < LOOKS; look++) {
        if (atomic_load(&churn_rounds) - before >= 2 * CHURNERS)
            return;
        usleep(200);
    }
}

static void let_rest(void)
{
    atomic_store(&churn_pauses, true);
}

/* One in two checks what its blocks hold, the other wants the allocator's locks. */
static bool start_churners(void)
{
    static struct churn churned[CHURNERS];
    static void *blocks[CHURNERS][BUSY_BLOCKS];
    for (uint32_t i = 0; i < CHURNERS; i++) {
        churned[i].random = i + 31;
        bool is_busy = i % 2 == 0;
        void *argument = is_busy ? (void *)blocks[i] : &churned[i];
        if (pthread_create(&churners[i], NULL, is_busy ? be_busy_until_over : churn_until_over,
                           argument) != 0)
            return false;
    }
    has_churners = true;
    return true;
}

static void stop_churners(void)
{
    atomic_store(&churn_is_over, true);
    for (size_t i = 0; i < CHURNERS; i++)
        pthread_join(churners[i], NULL);
}

static int use_heap_in_child(void)
{
    static struct churn churned = {.random = 22};
    static void *blocks[BUSY_BLOCKS];
    char *large = malloc(3 * MIB);
    if (large == NULL)
        return 1;
    large[3 * MIB - 1] = 1;
    large = HAS(realloc) ? realloc(large, 5 * MIB) : large;
    free(large);
    allocate_busily(blocks, 16);
    return large != NULL && churn(&churned, 100) && churn_end(&churned) ? 0 : 1;
}

/* How children say by their exit status that memory was refused or changed. */
#define DAMAGE "NULL or damage"

/* What becomes of children that are forked while other threads allocate: "" or how the first bad
 * one ended. */
static const char *fork_often(int forks, int (*in_child)(void))
{
    for (int i = 0; i < forks; i++) {
        let_churn();
        pid_t child = fork();
        if (child == 0) {
            has_churners = false;
            _exit(in_child());
        }
        let_rest();
        int status = child > 0 ? wait_for_child(child, CHILD_CPU_S) : 0;
        if (child < 0)
            return "that fork failed";
        if (status != 0)
            return status == -1 || WIFSIGNALED(status) ? name_end(status) : DAMAGE;
    }
    return "";
}

static enum probe_outcome fork_among_churners(void)
{
    enum { FORKS = 25 };
    if (!start_churners())
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    const char *how = fork_often(FORKS, use_heap_in_child);
    EXPECT(how[0] == '\0',
           "malloc in a child, forked while %d threads allocate: expected %d of %d children to end "
           "well, observed %s",
           CHURNERS, FORKS, FORKS, how);
    stop_churners();
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(child_of_many_threads_may_allocate, "GLIBC-fork-1", NEEDS(threads))
{
    return ask_in_child(fork_among_churners, "fork while threads allocate");
}

static int fork_among_churners_and_tell(void)
{
    const char *how = start_churners() ? fork_often(15, use_heap_in_child) : "";
    atomic_store(&churn_is_over, true);
    return how[0] != '\0';
}

PROCESS_PROBE_IF_POSSIBLE(child_of_many_threads_allocates_against_the_rule, "POSIX17-fork-2",
                          NEEDS(threads))
{
    int status = run_in_child(fork_among_churners_and_tell);
    bool is_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const char *how = is_well ? "15 of 15 children to end well" : "deadlocks, crashes or damage";
    return RECORDED(
        "malloc in a child, forked while %d threads allocate: nothing is expected, observed %s",
        CHURNERS, how);
}

static atomic_uint fork_handlers_run;

static void allocate_in_fork_handler(void)
{
    void *small = malloc(48), *large = HAS(calloc) ? calloc(1, 100 * KIB) : malloc(100 * KIB);
    free(HAS(realloc) ? realloc(small, 3000) : small);
    free(large);
    atomic_fetch_add(&fork_handlers_run, small != NULL && large != NULL);
}

/* Each of them ran before the fork and in the child: twice here. */
static int have_handlers_run(void)
{
    return use_heap_in_child() == 0 && atomic_load(&fork_handlers_run) % 2 == 0 ? 0 : 1;
}

static enum probe_outcome fork_with_handlers(void)
{
    enum { FORKS = 20 };
    if (pthread_atfork(allocate_in_fork_handler, allocate_in_fork_handler,
                       allocate_in_fork_handler) != 0 ||
        !start_churners())
        return UNSUPPORTED("pthread_atfork and pthread_create: expected 0, observed another");
    const char *how = fork_often(FORKS, have_handlers_run);
    EXPECT(
        how[0] == '\0',
        "malloc in handlers of pthread_atfork: expected %d of %d children to end well, observed %s",
        FORKS, FORKS, how);
    unsigned ran = atomic_load(&fork_handlers_run);
    EXPECT(ran == 2 * FORKS,
           "malloc in handlers of pthread_atfork: expected blocks in %d handlers, observed %u",
           2 * FORKS, ran);
    stop_churners();
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(fork_handlers_may_allocate, "GLIBC-fork-2", NEEDS(threads))
{
    return ask_in_child(fork_with_handlers, "fork with handlers that allocate");
}

static atomic_int forks_in_handler;

static atomic_int forks_that_failed;

static void fork_in_handler(int unused)
{
    (void)unused;
    int kept = errno, status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        atomic_fetch_add(&forks_that_failed, 1);
    atomic_fetch_add(&forks_in_handler, 1);
    errno = kept;
}

/* Sends the parent signals at times that have nothing to do with what it does. */
static int send_signals(void)
{
    uint32_t random = 41;
    pid_t target = getppid();
    while (getppid() == target && kill(target, SIGUSR1) == 0)
        usleep(100 + next_random(&random) % 200);
    return 0;
}

static enum probe_outcome fork_in_handlers(void)
{
    enum { FORKS = 1500 };
    static void *blocks[BUSY_BLOCKS];
    struct sigaction action = {.sa_handler = fork_in_handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    pid_t sender = fork();
    if (sender == 0)
        _exit(send_signals());
    for (size_t round = 0; atomic_load(&forks_in_handler) < FORKS; round++)
        allocate_busily(blocks, round % 2 == 0 ? 2 : 16);
    kill(sender, SIGKILL);
    EXPECT(atomic_load(&forks_that_failed) == 0,
           "fork in a handler that interrupted malloc: expected %d children to end, observed %d "
           "failures",
           FORKS, atomic_load(&forks_that_failed));
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(handler_that_interrupts_malloc_may_fork, "GLIBC-fork-3", NEEDS(threads))
{
    return ask_in_child(fork_in_handlers, "fork in a handler that interrupted malloc");
}

extern pid_t _Fork(void) __attribute__((weak));

static atomic_int plain_forks_handled;

static void count_fork_handler(void)
{
    atomic_fetch_add(&plain_forks_handled, 1);
}

static enum probe_outcome fork_plainly(void)
{
    static struct churn churned = {.random = 51};
    if (pthread_atfork(count_fork_handler, count_fork_handler, NULL) != 0 || !start_churners())
        return UNSUPPORTED("pthread_atfork and pthread_create: expected 0, observed another");
    for (int i = 0; i < 25; i++) {
        let_churn();
        pid_t child = _Fork();
        if (child == 0)
            _exit(0);
        let_rest();
        int status = wait_for_child(child, CHILD_CPU_S);
        EXPECT(status == 0,
               "_Fork while %d threads allocate: expected the child to exit with status 0, "
               "observed %s",
               CHURNERS, name_end(status));
        EXPECT(churn(&churned, 100), "in the parent after _Fork, %s", churned.wrong);
    }
    stop_churners();
    EXPECT(atomic_load(&plain_forks_handled) == 0,
           "_Fork: expected no handler of pthread_atfork to run, observed %d",
           atomic_load(&plain_forks_handled));
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(plain_fork_leaves_the_parent_well, "POSIX24-fork-4", NEEDS(threads))
{
    if (_Fork == NULL)
        return UNSUPPORTED("this C library has no _Fork");
    return ask_in_child(fork_plainly, "_Fork while threads allocate");
}

extern char **environ;

static int run_true(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return 126;
}

static int spawn_true(void)
{
    char *arguments[] = {(char *)(uintptr_t)"true", NULL};
    pid_t child;
    int result = posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ);
    return result == 0 ? wait_for_child(child, CHILD_CPU_S) : 127 << 8;
}

static enum probe_outcome start_programs(void)
{
    if (!start_churners())
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    for (int i = 0; i < 15; i++) {
        let_churn();
        int result = spawn_true();
        EXPECT(result == 0,
               "posix_spawn of /bin/true while %d threads allocate: expected exit with status 0, "
               "observed "
               "%s",
               CHURNERS, name_end(result));
    }
    const char *how = fork_often(15, run_true);
    EXPECT(
        how[0] == '\0',
        "fork and exec of /bin/true while %d threads allocate: expected exit with 0, observed %s",
        CHURNERS, strcmp(how, DAMAGE) == 0 ? "another status" : how);
    stop_churners();
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(programs_start_while_threads_allocate, "POSIX17-fork-5", NEEDS(threads))
{
    if (access("/bin/true", X_OK) != 0)
        return UNSUPPORTED("there is no /bin/true to start");
    return ask_in_child(start_programs, "posix_spawn and exec while threads allocate");
}

static void *churn_a_while(void *churned)
{
    return churn(churned, 1500) && churn_end(churned) ? NULL : churned;
}

/* Threads in a child, then its own child. */
static int live_on_in_child(void)
{
    enum { THREADS = 4 };
    static struct churn churned[THREADS];
    pthread_t threads[THREADS];
    void *result, *bad = NULL;
    for (uint32_t i = 0; i < THREADS; i++) {
        churned[i].random = i + 61;
        if (pthread_create(&threads[i], NULL, churn_a_while, &churned[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        if (pthread_join(threads[i], &result) == 0 && result != NULL)
            bad = result;
    return bad == NULL && fork_often(3, use_heap_in_child)[0] == '\0' ? 0 : 1;
}

static enum probe_outcome fork_generations(void)
{
    if (!start_churners())
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    const char *how = fork_often(8, live_on_in_child);
    EXPECT(
        how[0] == '\0',
        "malloc in threads of a child and in its children: expected all to end well, observed %s",
        how);
    stop_churners();
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(child_may_have_threads_and_children, "POSIX17-fork-7", NEEDS(threads))
{
    return ask_in_child(fork_generations, "malloc in threads and children of a child");
}
