/* SPDX-License-Identifier: MIT */
/* Process and threads: what is reported, who runs, who interrupts whom. Every shared field is
 * atomic; a relaxed order is enough for counters and hints, release and acquire order what is read
 * after them. */
#include "adversity/torture/testlib.h"
#include "harness/base/clock.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    INTERRUPTION = SIGUSR2,
    TICK_US = 500,
    START_ATTEMPTS = 50,
    START_PAUSE_US = 1000,
    MORE_TIME = 8
};

struct torture_report *torture_report;
struct torture_options torture_options;

static struct {
    struct worker workers[WORKERS_MAX];
    _Atomic bool is_over;
    pthread_t pacer;
    uint64_t started_ms;
} state;
static _Thread_local struct worker *self;

uint32_t torture_random(struct worker *worker, uint32_t below)
{
    return (uint32_t)random_below(&worker->random, below);
}

bool torture_is_over(void)
{
    return atomic_load_explicit(&state.is_over, memory_order_relaxed);
}

bool torture_is_muted(const char *name)
{
    const char *words = torture_options.muted;
    size_t length = strlen(name);
    for (const char *at = strstr(words, name); at != NULL; at = strstr(at + 1, name))
        if ((at == words || at[-1] == ' ') && at[length] == ' ')
            return true;
    return false;
}

static void leave_out_calls(void)
{
#define CALL(name, result, parameters) \
    if (torture_is_muted(#name))       \
        calls.name = NULL;
    SUBJECT_CALLS(CALL)
#undef CALL
}

static void tell(const struct worker *worker, const char *check, const char *call)
{
    torture_report->worker = worker != NULL ? worker->id : WORKERS_MAX;
    snprintf(torture_report->check, sizeof torture_report->check, "%s", check);
    snprintf(torture_report->call, sizeof torture_report->call, "%s", call != NULL ? call : "none");
}

/* What overlaps with this: two calls on this memory, or else the calls that other threads are in
 * now. */
static void tell_others(const struct worker *worker, const struct block *block)
{
    char *sentence = torture_report->sentence;
    size_t length = strlen(sentence);
    if (block != NULL && overlap_find(block->address, block->size, torture_report->overlap)) {
        snprintf(sentence + length, sizeof torture_report->sentence - length, "; %s overlapped %s",
                 torture_report->overlap[0], torture_report->overlap[1]);
        return;
    }
    for (unsigned i = 0; i < torture_options.workers; i++) {
        unsigned call = atomic_load(&torture_report->workers[i].call);
        size_t used = strlen(sentence);
        if (call != IN_NONE && worker != NULL && i != worker->id)
            snprintf(sentence + used, sizeof torture_report->sentence - used,
                     "; thread %u is in %s", i, torture_call_name(call));
    }
}

static _Noreturn void fail(const struct block *block, const struct worker *worker,
                           const char *check, const char *call, const char *format,
                           va_list arguments)
{
    while (atomic_exchange(&torture_report->is_claimed, 1) != 0)
        pause(); /* another thread tells, and ends the process */
    vsnprintf(torture_report->sentence, sizeof torture_report->sentence, format, arguments);
    tell_others(worker, block);
    tell(worker, check, call);
    atomic_store(&torture_report->is_told, 1);
    _exit(STATUS_FOUND);
}

_Noreturn void torture_fail(const struct worker *worker, const char *check, const char *call,
                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(NULL, worker, check, call, format, arguments);
}

_Noreturn void torture_fail_on(const struct block *block, const struct worker *worker,
                               const char *check, const char *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(block, worker, check, call, format, arguments);
}

void torture_doing(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(torture_report->doing, sizeof torture_report->doing, format, arguments);
    va_end(arguments);
}

void call_begins(const struct worker *worker, enum torture_call call)
{
    atomic_store_explicit(&torture_report->workers[worker->id].call, call, memory_order_relaxed);
    overlap_begin(worker, call);
}

void call_ends(const struct worker *worker)
{
    overlap_end(worker);
    atomic_store_explicit(&torture_report->workers[worker->id].call, IN_NONE, memory_order_relaxed);
    atomic_fetch_add_explicit(&torture_report->workers[worker->id].calls, 1, memory_order_relaxed);
}

/* A crash is told with the thread and the call it was in, and then takes its course. */
static void on_crash(int number, siginfo_t *information, void *context)
{
    (void)context;
    signal(number, SIG_DFL);
    if (atomic_exchange(&torture_report->is_claimed, 1) == 0) {
        unsigned call =
            self != NULL ? atomic_load(&torture_report->workers[self->id].call) : IN_NONE;
        tell(self, "crash", torture_call_name(call));
        snprintf(torture_report->sentence, sizeof torture_report->sentence,
                 "thread %d died of signal %d (%s)%s%s, address %p",
                 self != NULL ? (int)self->id : -1, number,
                 number == SIGABRT   ? "abort"
                 : number == SIGBUS  ? "bus error"
                 : number == SIGSEGV ? "invalid access"
                                     : "trap",
                 call != IN_NONE ? " in " : " on touching its own blocks, or outside of the calls",
                 call != IN_NONE ? torture_call_name(call) : "",
                 number == SIGABRT ? NULL : information->si_addr);
        struct block block;
        bool has_block = call != IN_NONE && overlap_given(self, &block);
        tell_others(self, has_block ? &block : NULL);
        atomic_store(&torture_report->is_told, 1);
    }
    raise(number);
}

/* The interrupted thread loses the processor, for a moment or for longer, wherever it was. */
static void on_interruption(int number)
{
    (void)number;
    int saved = errno;
    uint64_t now = clock_now_ns();
    if (now / 64 % 4 == 0)
        nanosleep(&(struct timespec){0, 1000 + (long)(now % 100000)}, NULL);
    else
        sched_yield();
    atomic_fetch_add_explicit(&torture_report->interruptions, 1, memory_order_relaxed);
    errno = saved;
}

/* Growth that is not yet decided has more time than the rest. */
static bool has_time(void)
{
    uint64_t elapsed = clock_now_ms() - state.started_ms, limit = torture_options.milliseconds;
    return elapsed < limit || (footprint_is_undecided() && elapsed < limit * MORE_TIME);
}

static void *pace(void *unused)
{
    struct random random = {torture_options.seed * 2 + 1};
    unsigned mean_us = torture_options.pace_us != 0 ? torture_options.pace_us : TICK_US;
    while (!torture_is_over() && has_time()) {
        nanosleep(
            &(struct timespec){0, (long)random_between(&random, 1, UINT64_C(2) * mean_us) * 1000},
            NULL);
        int victim =
            atomic_load(&state.workers[random_below(&random, torture_options.workers)].kernel_id);
        if (torture_options.pace_us != 0 && victim != 0)
            syscall(SYS_tgkill, getpid(), victim, INTERRUPTION);
    }
    atomic_store(&state.is_over, true);
    return unused;
}

static void set_up_signals(void)
{
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction crash = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_NODEFER}, old;
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
        /* the subject may have one: then that is its */
        if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(deadly[i], &crash, NULL);
    struct sigaction interruption = {.sa_handler = on_interruption, .sa_flags = SA_RESTART};
    sigaction(INTERRUPTION, &interruption, NULL);
}

/* What a thread needs is from the subject's heap too; a small one has room for it again when other
 * threads have freed. */
static bool start_thread(pthread_t *ret_thread, void *(*body)(void *), void *context)
{
    int result = pthread_create(ret_thread, NULL, body, context);
    for (unsigned i = 0; result != 0 && torture_options.is_small && i < START_ATTEMPTS; i++) {
        usleep(START_PAUSE_US);
        result = pthread_create(ret_thread, NULL, body, context);
    }
    if (result == 0 || torture_options.is_small)
        return result == 0;
    dprintf(STDERR_FILENO, "no thread could be started: error %d\n", result);
    _exit(78);
}

static void seed_workers(void)
{
    for (unsigned i = 0; i < WORKERS_MAX; i++) {
        state.workers[i].id = i;
        state.workers[i].random.state = random_mix(torture_options.seed + 1) + i;
    }
}

static void choose_processor(void)
{
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &allowed))
            CPU_SET(i, &one);
    sched_setaffinity(0, sizeof one, &one); /* threads to come inherit it */
}

void torture_begin(struct torture_report *report, const struct torture_options *options)
{
    torture_report = report;
    torture_options = *options;
    state.started_ms = clock_now_ms();
    leave_out_calls();
    seed_workers();
    set_up_signals();
    if (options->on_one_processor)
        choose_processor();
    self = worker_main();
    atomic_store(&self->kernel_id, getpid());
    if (!start_thread(&state.pacer, pace, NULL))
        torture_fail(self, "null", "malloc", "there is no memory for a thread");
}

/* On a busy machine the time may be over before any thread made a call. */
static bool has_called(void)
{
    uint64_t made = 0;
    for (unsigned i = 0; i < torture_options.workers; i++)
        made += atomic_load(&torture_report->workers[i].calls);
    return made > 0;
}

void torture_end(void)
{
    atomic_store(&state.is_over, true);
    pthread_join(state.pacer, NULL);
    if (atomic_load(&torture_report->is_served) == 0 && has_called())
        torture_fail(worker_main(), "null", "malloc", "every request returned NULL");
    atomic_store(&torture_report->is_over, 1);
}

struct worker *worker_at(unsigned number)
{
    return &state.workers[number];
}

struct worker *worker_main(void)
{
    return worker_at(torture_options.workers - 1);
}

unsigned workers_to_start(void)
{
    return torture_options.workers - 1;
}

static void *run_worker(void *context)
{
    struct worker *worker = context;
    self = worker;
    atomic_store(&worker->kernel_id, (int)syscall(SYS_gettid));
    atomic_fetch_add_explicit(&torture_report->lives, 1, memory_order_relaxed);
    worker->body(worker);
    return NULL;
}

unsigned workers_start(unsigned first, unsigned count, void (*body)(struct worker *worker))
{
    unsigned started = 0;
    for (unsigned i = first; i < first + count; i++) {
        struct worker *worker = &state.workers[i];
        worker->body = body;
        worker->is_started = start_thread(&worker->thread, run_worker, worker);
        started += worker->is_started;
    }
    return started;
}

void workers_join(unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        if (state.workers[i].is_started)
            pthread_join(state.workers[i].thread, NULL);
        atomic_store(&state.workers[i].kernel_id, 0);
    }
}
