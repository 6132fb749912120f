/* SPDX-License-Identifier: MIT */
/* Signals and cancellation: interrupted calls, and calls from a signal handler. */
#include "conformance/testlib.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

static atomic_uint signals_handled;

static atomic_uint handler_refusals;

static void allocate_in_handler(int unused)
{
    int kept = errno;
    (void)unused;
    for (size_t i = 0; i < 20; i++) {
        void *block = malloc(i * i * 37 + 1);
        if (block == NULL)
            atomic_fetch_add(&handler_refusals, 1);
        else
            fill(block, i * i * 37 + 1, 1);
        free(block);
    }
    atomic_fetch_add(&signals_handled, 1);
    errno = kept;
}

static void only_count(int unused)
{
    (void)unused;
    atomic_fetch_add(&signals_handled, 1);
}

static bool handle(int signal_number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    return sigaction(signal_number, &action, NULL) == 0;
}

/* Signals that interrupt nothing but sigsuspend; every second one is handled on a stack of its
 * own. */
static enum probe_outcome wait_for_signals(void)
{
    enum { SIGNALS = 1000 };
    static char stack[256 * 1024];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigset_t blocked, open;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    if (sigaltstack(&other, NULL) != 0 || sigprocmask(SIG_BLOCK, &blocked, &open) != 0)
        return UNSUPPORTED("sigaltstack and sigprocmask: expected 0, observed errno %d", errno);
    for (int i = 0; i < SIGNALS; i++) {
        void *block = malloc(100);
        handle(SIGUSR1, allocate_in_handler, i % 2 == 0 ? SA_ONSTACK : 0);
        kill(getpid(), SIGUSR1);
        sigsuspend(&open);
        free(block);
    }
    unsigned refused = atomic_load(&handler_refusals), handled = atomic_load(&signals_handled);
    EXPECT(handled == SIGNALS, "sigsuspend: expected %d signals handled, observed %u", SIGNALS,
           handled);
    EXPECT(
        refused == 0,
        "malloc in a handler that interrupted sigsuspend: expected blocks, observed %u times NULL",
        refused);
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(handler_may_allocate_if_it_interrupted_safe_code, "POSIX17-signal-2")
{
    return ask_in_child(wait_for_signals, "malloc in a handler that interrupted sigsuspend");
}

PROCESS_PROBE_IF_POSSIBLE(interruption_has_no_effect, "POSIX17-signal-3")
{
    enum { SIGNALS = 300, STEPS_MAX = 2000000 };
    static struct churn churned = {.random = 11};
    struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    if (!handle(SIGALRM, only_count, 0) || setitimer(ITIMER_REAL, &often, NULL) != 0)
        return UNSUPPORTED("setitimer: expected 0, observed errno %d", errno);
    for (size_t steps = 0; steps < STEPS_MAX && atomic_load(&signals_handled) < SIGNALS;
         steps += 16) {
        CATCH_ERRNO(after, bool is_sound = churn(&churned, 16));
        EXPECT(is_sound, "under a timer with an empty handler, %s", churned.wrong);
        EXPECT(after != EINTR,
               "malloc, realloc or free under a timer with an empty handler: expected no EINTR, "
               "observed errno %d",
               after);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    EXPECT(churn_end(&churned), "under a timer with an empty handler, %s", churned.wrong);
    return PASS;
}

/* Undefined use: the handler interrupts malloc itself. */
static int allocate_under_allocating_signals(void)
{
    enum { SIGNALS = 300, STEPS_MAX = 1000000 };
    static struct churn churned = {.random = 12};
    struct itimerval often = {{0, 200}, {0, 200}};
    handle(SIGALRM, allocate_in_handler, 0);
    setitimer(ITIMER_REAL, &often, NULL);
    for (size_t steps = 0; steps < STEPS_MAX && atomic_load(&signals_handled) < SIGNALS;
         steps += 16)
        if (!churn(&churned, 16))
            return 1;
    return 0;
}

PROCESS_PROBE_IF_POSSIBLE(handler_that_interrupts_malloc_calls_it, "POSIX17-signal-1")
{
    pid_t child = fork();
    if (child == 0)
        _exit(allocate_under_allocating_signals());
    int status = child > 0 ? wait_for_child(child, 2) : 0;
    return RECORDED("malloc in a handler that interrupted malloc: nothing is expected, observed %s",
                    status == 0 ? "no harm in 300 signals" : "a deadlock, a crash or damage");
}

static atomic_bool is_cancelled;

static atomic_bool has_come_through;

static void wait_until_cancelled(void)
{
    while (!atomic_load(&is_cancelled))
        sched_yield();
}

/* Everything that an allocator may ask the system for happens with the request pending. */
static void *allocate_while_cancelled(void *argument)
{
    struct churn *churned = argument;
    wait_until_cancelled();
    churn(churned, 20000);
    for (size_t size = MIB; size <= 64 * MIB; size *= 4) {
        void *block = malloc(size);
        free(HAS(realloc) ? realloc(block, size + size / 2) : block);
        free(HAS(calloc) ? calloc(2, size) : NULL);
    }
    if (HAS(malloc_trim))
        malloc_trim(0);
    atomic_store(&has_come_through, true);
    pthread_testcancel();
    return NULL;
}

static enum probe_outcome cancel_thread_that_allocates(void)
{
    static struct churn churned = {.random = 13};
    pthread_t thread;
    void *result = NULL;
    if (pthread_create(&thread, NULL, allocate_while_cancelled, &churned) != 0)
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    pthread_cancel(thread);
    atomic_store(&is_cancelled, true);
    pthread_join(thread, &result);
    EXPECT(atomic_load(&has_come_through), "malloc and others with a cancellation pending: "
                                           "expected to return, observed the thread's end");
    EXPECT(result == PTHREAD_CANCELED, "pthread_testcancel after malloc and others: expected the "
                                       "pending cancellation, observed none");
    EXPECT(churned.wrong[0] == '\0', "with a cancellation pending, %s", churned.wrong);
    return PASS;
}

PROCESS_PROBE_IF_POSSIBLE(allocation_is_no_cancellation_point, "POSIX17-thread-5", NEEDS(threads))
{
    return ask_in_child(cancel_thread_that_allocates,
                        "malloc and others with a cancellation pending");
}

static atomic_int reports_written;

static void *report_while_cancelled(void *file)
{
    wait_until_cancelled();
    if (HAS(malloc_stats))
        malloc_stats();
    atomic_fetch_add(&reports_written, 1);
    if (HAS(malloc_info))
        malloc_info(0, file);
    atomic_fetch_add(&reports_written, 1);
    return NULL;
}

/* Exit status: how many of the two functions returned. */
static int cancel_thread_that_reports(void)
{
    pthread_t thread;
    FILE *file = fopen("/dev/null", "w");
    if (file == NULL || dup2(fileno(file), STDERR_FILENO) < 0 ||
        pthread_create(&thread, NULL, report_while_cancelled, file) != 0)
        return 3;
    pthread_cancel(thread);
    atomic_store(&is_cancelled, true);
    pthread_join(thread, NULL);
    for (size_t size = 1; size < 64 * MIB; size *= 2)
        free(malloc(size));
    return atomic_load(&reports_written);
}

PROCESS_PROBE(reports_may_be_cancellation_points, "POSIX17-thread-6", NEEDS(malloc_stats))
{
    int status = run_in_child(cancel_thread_that_reports);
    if (!WIFEXITED(status))
        return RECORDED("malloc_stats and malloc_info with a cancellation pending: observed a "
                        "deadlock or death, %s",
                        name_end(status));
    if (WEXITSTATUS(status) == 3)
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    return RECORDED("with a cancellation pending, observed %s; malloc works afterwards",
                    WEXITSTATUS(status) == 2   ? "malloc_stats and malloc_info to return"
                    : WEXITSTATUS(status) == 1 ? "malloc_info to end its thread"
                                               : "malloc_stats to end its thread");
}
