/* SPDX-License-Identifier: MIT */
/*
 * The first call of a process, from places where an allocator can neither wait nor count on having
 * been set up: each place with each function, in a process of its own.
 *
 *   the subject is this process's malloc   the program is executed anew: its constructors call
 *   it has names of its own                a fork calls, for nothing here has called before
 *
 * What fails there is told by the exit status, or by the signal that ended it.
 */
#include "adversity/torture/scenarios.h"

#include "adversity/torture/testlib.h"

#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#define START_VARIABLE "TORTURE_START="

enum start_place {
    START_BEFORE_CONSTRUCTORS, /* the program's own, and those of its libraries */
    START_IN_CONSTRUCTOR,
    START_IN_FUNCTION, /* the first place of a fork */
    START_IN_EXIT_HANDLER,
    START_IN_SIGNAL_HANDLER,
    START_IN_CHILD,
    START_IN_THREAD, /* that ends, and others go on */
    START_IN_TLS_DESTRUCTOR,
    START_UNDER_LOADER, /* which walks its list of objects */
    START_PLACES
};
static const char *const start_place_names[START_PLACES] = {
    "before all constructors",
    "in a constructor",
    "in a function",
    "in an exit handler",
    "in a signal handler",
    "in the child of a fork before any call",
    "in a thread that ends",
    "in a destructor of thread-specific data",
    "in a callback of dl_iterate_phdr"};

enum start_status {
    START_FINE = 0,
    START_NULL = 40,
    START_NOT_ZERO,
    START_NOT_ALIGNED,
    START_NO_THREAD,
    START_MISSED /* the place was not reached */
};

static const enum torture_call start_calls[] = {
    IN_malloc, IN_calloc, IN_realloc, IN_aligned_alloc, IN_free, IN_posix_memalign, IN_memalign};
enum { START_CALLS = sizeof start_calls / sizeof start_calls[0], START_SIZE = 200 };

static enum start_place start_place;
static enum torture_call start_call;
static int start_status = START_MISSED;

static unsigned char *start_take(size_t *ret_alignment)
{
    void *block = NULL;
    *ret_alignment = 64;
    switch (start_call) {
    case IN_aligned_alloc:
        return calls.aligned_alloc(64, 256);
    case IN_posix_memalign:
        return calls.posix_memalign(&block, 64, START_SIZE) == 0 ? block : NULL;
    case IN_memalign:
        return calls.memalign(64, START_SIZE);
    default:
        *ret_alignment = torture_options.alignment;
    }
    switch (start_call) {
    case IN_calloc:
        return calls.calloc(1, START_SIZE);
    case IN_realloc:
        return calls.realloc(NULL, START_SIZE);
    case IN_free:
        calls.free(NULL);
        return calls.malloc(START_SIZE);
    default:
        return calls.malloc(START_SIZE);
    }
}

static int start_try(void)
{
    size_t alignment;
    unsigned char *block = start_take(&alignment), *other = calls.malloc(3000);
    if (block == NULL || other == NULL)
        return START_NULL;
    if ((uintptr_t)block % alignment != 0)
        return START_NOT_ALIGNED;
    for (size_t i = 0; i < START_SIZE && start_call == IN_calloc; i++)
        if (block[i] != 0)
            return START_NOT_ZERO;
    memset(block, 1, START_SIZE);
    memset(other, 2, 3000);
    calls.free(block);
    calls.free(other);
    return START_FINE;
}

/* The call, once more when it was fine: whoever was set up by the first serves the second. */
static void start_make_call(void)
{
    start_status = start_try();
    if (start_status == START_FINE)
        start_status = start_try();
}

static void start_end(void)
{
    if (start_status == START_FINE)
        start_make_call();
    _exit(start_status);
}

static void start_on_signal(int number)
{
    (void)number;
    start_make_call();
}

static int start_on_object(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)info, (void)size, (void)context;
    start_make_call();
    return 1;
}

static void start_on_destruction(void *context)
{
    (void)context;
    start_make_call();
}

static void *start_in_thread(void *key)
{
    if (start_place == START_IN_THREAD)
        start_make_call();
    else
        pthread_setspecific(*(pthread_key_t *)key, key);
    return NULL;
}

static void start_from_thread(void)
{
    pthread_t thread;
    pthread_key_t key;
    start_status = START_NO_THREAD;
    if (pthread_key_create(&key, start_on_destruction) == 0 &&
        pthread_create(&thread, NULL, start_in_thread, &key) == 0)
        pthread_join(thread, NULL);
}

static void start_from_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        start_make_call();
        _exit(start_status);
    }
    start_make_call();
    if (child < 0 || waitpid(child, &status, 0) != child)
        return;
    if (WIFSIGNALED(status))
        raise(WTERMSIG(status));
    if (WEXITSTATUS(status) != START_FINE)
        start_status = WEXITSTATUS(status);
}

/* Goes to the place, calls, and ends the process. What comes after the call is asked, too. */
static _Noreturn void start_go(void)
{
    switch (start_place) {
    case START_IN_EXIT_HANDLER:
        atexit(start_end);
        atexit(start_make_call);
        exit(START_MISSED);
    case START_IN_SIGNAL_HANDLER:
        signal(SIGUSR1, start_on_signal);
        raise(SIGUSR1);
        break;
    case START_IN_CHILD:
        start_from_child();
        break;
    case START_IN_THREAD:
    case START_IN_TLS_DESTRUCTOR:
        start_from_thread();
        break;
    case START_UNDER_LOADER:
        dl_iterate_phdr(start_on_object, NULL);
        break;
    default:
        start_make_call();
    }
    start_end();
    abort();
}

/* ---- the program, executed anew ---- */

static const char *start_find(char **environment)
{
    const size_t length = sizeof START_VARIABLE - 1;
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, START_VARIABLE, length) == 0)
            return *environment + length;
    return NULL;
}

/* From the letters of START_VARIABLE: a place, a call, the alignment. The names are those that the
 * program is linked with. */
static void start_read(const char *letters)
{
    start_place = (enum start_place)(letters[0] - 'a');
    start_call = start_calls[letters[1] - 'a'];
    torture_options.alignment = (size_t)(letters[2] - 'a');
    calls.malloc = malloc;
    calls.free = free;
    calls.calloc = calloc;
    calls.realloc = realloc;
    calls.aligned_alloc = aligned_alloc;
    calls.posix_memalign = posix_memalign;
    calls.memalign = memalign;
}

static void start_before_constructors(int argc, char **argv, char **environment)
{
    (void)argc, (void)argv;
    const char *letters = start_find(environment);
    if (letters == NULL)
        return;
    start_read(letters);
    if (start_place == START_BEFORE_CONSTRUCTORS)
        start_go();
}

static void (*const start_preinit)(int, char **, char **)
    __attribute__((section(".preinit_array"), used)) = start_before_constructors;

/* Before the program's other ones, which may call. */
__attribute__((constructor(101))) static void start_construct(void)
{
    const char *letters = start_find(environ);
    if (letters == NULL)
        return;
    start_read(letters);
    start_go();
}

static pid_t start_program(unsigned place, unsigned call)
{
    enum { VARIABLES_MAX = 256 };
    char own[] = START_VARIABLE "...", name[] = "start-up";
    char *arguments[] = {name, NULL}, *variables[VARIABLES_MAX + 2];
    size_t count = 0;
    pid_t child;
    for (; count < VARIABLES_MAX && environ[count] != NULL; count++)
        variables[count] = environ[count];
    own[sizeof own - 4] = (char)('a' + place);
    own[sizeof own - 3] = (char)('a' + call);
    own[sizeof own - 2] = (char)('a' + torture_options.alignment);
    variables[count] = own;
    variables[count + 1] = NULL;
    return posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, variables) == 0 ? child
                                                                                        : -1;
}

/* ---- the scenario ---- */

static pid_t start_fork(unsigned place, unsigned call)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    start_place = (enum start_place)place;
    start_call = start_calls[call];
    start_go();
}

static bool start_is_offered(unsigned call)
{
    switch (start_calls[call]) {
    case IN_calloc:
        return calls.calloc != NULL;
    case IN_realloc:
        return calls.realloc != NULL;
    case IN_aligned_alloc:
        return calls.aligned_alloc != NULL;
    case IN_posix_memalign:
        return calls.posix_memalign != NULL;
    case IN_memalign:
        return calls.memalign != NULL;
    default:
        return true;
    }
}

static void start_judge(unsigned place, unsigned call, int status)
{
    const char *name = torture_call_name(start_calls[call]), *where = start_place_names[place];
    if (WIFSIGNALED(status))
        torture_fail(worker_main(), "crash", name,
                     "a process whose first call is %s, %s, died of signal %d (%s)", name, where,
                     WTERMSIG(status), strsignal(WTERMSIG(status)));
    int code = WEXITSTATUS(status);
    if (code == START_FINE || torture_options.is_small)
        return;
    const char *check = code == START_NULL          ? "null"
                        : code == START_NOT_ZERO    ? "zeroed"
                        : code == START_NOT_ALIGNED ? "alignment"
                                                    : "crash";
    const char *what = code == START_NULL          ? "gets NULL"
                       : code == START_NOT_ZERO    ? "gets bytes that are not zero"
                       : code == START_NOT_ALIGNED ? "gets a block that is not aligned"
                       : code == START_NO_THREAD   ? "cannot start a thread"
                                                   : "ends before that";
    if (!torture_is_muted(check))
        torture_fail(worker_main(), check, name, "a process whose first call is %s, %s, %s", name,
                     where, what);
}

static void start_run(unsigned place, unsigned call)
{
    bool is_own = calls.malloc == malloc;
    int status;
    if (!start_is_offered(call) ||
        (is_own ? place == START_IN_FUNCTION : place < START_IN_FUNCTION))
        return;
    torture_doing("the first call of the process is %s, %s", torture_call_name(start_calls[call]),
                  start_place_names[place]);
    call_begins(worker_main(), start_calls[call]);
    pid_t child = is_own ? start_program(place, call) : start_fork(place, call);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    call_ends(worker_main());
    if (child > 0)
        start_judge(place, call, status);
}

/* Each process begins with another, so that all come in their turn. */
void scenario_start_up(void)
{
    enum { ALL = START_PLACES * START_CALLS };
    unsigned first = (unsigned)(torture_options.seed * 29 % ALL);
    atomic_store_explicit(&torture_report->is_served, 1, memory_order_relaxed);
    for (unsigned i = 0; i < ALL && (i == 0 || !torture_is_over()); i++)
        start_run((first + i) % ALL / START_CALLS, (first + i) % START_CALLS);
}
