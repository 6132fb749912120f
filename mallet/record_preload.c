/* SPDX-License-Identifier: MIT */
/*
 * The recorder: preloaded into a program, it logs each call of the malloc family (record_log.h) and
 * passes it on to the libc by the libc's own names, so that no lookup, and no heap of ours, is
 * needed before the first call.
 *
 * Only the process that `mallet record` started writes. A forked child must stop by itself, without
 * calls of its own that could disturb the program: the page that says "active" is wiped by the
 * kernel at fork. A vforked child shares memory with its parent, page and heap, and is rightly
 * recorded. An exec'd program with the same process id goes on with the log.
 *
 * State: `recorder`, written once by recorder_start; the log itself is shared by atomics (see
 * take_record).
 */
#include "harness/trace/trace.h"
#include "mallet/record_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void *__libc_valloc(size_t size);
extern void *__libc_pvalloc(size_t size);

struct activity {
    bool is_active; /* on a page of its own, zero in forked children */
};

static struct {
    struct record_log *log;
    struct activity *activity; /* NULL until started; its release store publishes `log` */
    bool is_settled;           /* starting was tried: nothing more to do */
} recorder;

static struct record_log *map_log(const char *path)
{
    struct stat status;
    int file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return NULL;
    void *log = MAP_FAILED;
    if (fstat(file, &status) == 0 && (size_t)status.st_size > sizeof(struct record_log))
        log = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (log == MAP_FAILED || ((struct record_log *)log)->magic != RECORD_MAGIC)
        return NULL;
    return log;
}

static struct activity *make_activity(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *activity = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (activity == MAP_FAILED || madvise(activity, page, MADV_WIPEONFORK) != 0)
        return NULL;
    return activity;
}

static bool is_wanted_process(void)
{
    const char *parent = getenv(RECORD_PARENT_VARIABLE);
    return parent != NULL && strtol(parent, NULL, 10) == getppid();
}

static bool is_recording(void);
static struct record *take_record(void);
static void finish_record(struct record *record, enum record_kind kind);

/* Called by the constructor and by calls that come before it; these are from the one thread that
 * there is then. */
static void recorder_start(void)
{
    if (recorder.is_settled || environ == NULL)
        return;
    recorder.is_settled = true;
    int saved = errno;
    const char *path = getenv(RECORD_FILE_VARIABLE);
    if (path != NULL && is_wanted_process() && (recorder.log = map_log(path)) != NULL) {
        struct activity *activity = make_activity();
        if (activity != NULL) {
            activity->is_active = true;
            __atomic_store_n(&recorder.activity, activity, __ATOMIC_RELEASE);
            if (__atomic_load_n(&recorder.log->taken, __ATOMIC_RELAXED) > 0)
                finish_record(take_record(), RECORD_NEW_PROGRAM);
        }
    }
    errno = saved;
}

__attribute__((constructor)) static void start_at_load(void)
{
    recorder_start();
}

static bool is_recording(void)
{
    if (!recorder.is_settled)
        recorder_start();
    const struct activity *activity = __atomic_load_n(&recorder.activity, __ATOMIC_ACQUIRE);
    return activity != NULL && activity->is_active;
}

static uint32_t current_thread(void)
{
    static __thread uint32_t id __attribute__((tls_model("initial-exec")));
    if (id == 0)
        id = (uint32_t)gettid();
    return id;
}

/* The record's place in the log is the call's place in the trace. Returns a scrap record when the
 * log is full. */
static struct record *take_record(void)
{
    static __thread struct record scrap __attribute__((tls_model("initial-exec")));
    uint64_t index = __atomic_fetch_add(&recorder.log->taken, 1, __ATOMIC_SEQ_CST);
    struct record *record = index < recorder.log->capacity ? &recorder.log->records[index] : &scrap;
    record->thread = current_thread();
    return record;
}

static void finish_record(struct record *record, enum record_kind kind)
{
    __atomic_store_n(&record->kind, kind, __ATOMIC_RELEASE);
}

static void *log_allocate(enum op_kind op, void *block, size_t extra, size_t size)
{
    if (!is_recording())
        return block;
    struct record *record = take_record();
    record->op = op;
    record->block = (uintptr_t)block;
    record->extra = extra;
    record->size = size;
    finish_record(record, RECORD_ALLOCATE);
    return block;
}

static void log_move(enum record_kind kind, enum op_kind op, void *old, void *block, size_t extra,
                     size_t size)
{
    if (!is_recording())
        return;
    struct record *record = take_record();
    record->op = op;
    record->old = (uintptr_t)old;
    record->block = (uintptr_t)block;
    record->extra = extra;
    record->size = size;
    finish_record(record, kind);
}

void *malloc(size_t size)
{
    return log_allocate(OP_MALLOC, __libc_malloc(size), 0, size);
}

void *calloc(size_t count, size_t size)
{
    return log_allocate(OP_CALLOC, __libc_calloc(count, size), count, size);
}

void free(void *block)
{
    if (is_recording()) {
        struct record *record = take_record();
        record->block = (uintptr_t)block;
        finish_record(record, RECORD_FREE);
    }
    __libc_free(block);
}

void *realloc(void *old, size_t size)
{
    if (old == NULL)
        return log_allocate(OP_REALLOC_NULL, __libc_malloc(size), 0, size);
    log_move(RECORD_MOVE_BEGIN, OP_REALLOC, old, NULL, 0, size);
    void *block = __libc_realloc(old, size);
    log_move(RECORD_MOVE_END, OP_REALLOC, old, block, 0, size);
    return block;
}

/* A product that overflows fails as a request that nothing can satisfy. */
static void *reallocate_array(void *old, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, total);
}

void *reallocarray(void *old, size_t count, size_t size)
{
    if (old == NULL)
        return log_allocate(OP_REALLOCARRAY_NULL, reallocate_array(NULL, count, size), count, size);
    log_move(RECORD_MOVE_BEGIN, OP_REALLOCARRAY, old, NULL, count, size);
    void *block = reallocate_array(old, count, size);
    log_move(RECORD_MOVE_END, OP_REALLOCARRAY, old, block, count, size);
    return block;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return log_allocate(OP_ALIGNED_ALLOC, __libc_memalign(alignment, size), alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
    return log_allocate(OP_MEMALIGN, __libc_memalign(alignment, size), alignment, size);
}

int posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    bool is_valid = alignment >= sizeof(void *) && (alignment & (alignment - 1)) == 0;
    int saved = errno;
    void *block = is_valid ? __libc_memalign(alignment, size) : NULL;
    errno = saved;
    log_allocate(OP_POSIX_MEMALIGN, block, alignment, size);
    if (block == NULL)
        return is_valid ? ENOMEM : EINVAL;
    *ret_block = block;
    return 0;
}

void *valloc(size_t size)
{
    return log_allocate(OP_VALLOC, __libc_valloc(size), 0, size);
}

void *pvalloc(size_t size)
{
    return log_allocate(OP_PVALLOC, __libc_pvalloc(size), 0, size);
}
