/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: misuse among correct calls, in every configuration (model.h). Each misuse must end
 * in the panic with its right name, and must have changed nothing by then:
 *
 *     double, stale         a block that was freed before
 *     interior, misaligned  inside a live block
 *     foreign, other heap   not of this heap; wild bits included
 *     stray                 anywhere around a live block
 *     size, alignment       a sized free with another size or alignment, or of the wrong form
 *     overflow, underflow   1 to 16 bytes past the end or before the start, with canaries
 *     newest overflow       a byte past the end of the block that was handed out last
 *     write after free      with zeroing
 *
 * abort() runs a handler that jumps back into the target, which reads the line of the panic from a
 * pipe, compares it with what the model expects, verifies the heap, and goes on with the input. So
 * one input has many misuses, and a process needs no children. While the misuse runs, stderr is the
 * pipe; outside of it SIGABRT is the engine's.
 */
#include "model.h"

#include "harden.h"
#include "heap_set.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of the inputs that a plain main has run: prints a line; false: some misuse never took place. */
bool fuzz_tally(void);

enum { LINE_MAX_BYTES = 300, ALLOWED_MAX = 4, UNDERRUN_MAX = 16, LATELY = 8 /* frees */ };

enum function { FREE, REALLOC, USABLE, REALLOC_ZERO, FREE_SIZED, FREE_ALIGNED_SIZED, FUNCTIONS };
static const char *const function_names[] = {"free",    "realloc",    "malloc_usable_size",
                                             "realloc", "free_sized", "free_aligned_sized"};

/* clang-format off */
#define MISUSES(X)                                                                      \
    X(double_free) X(stale) X(interior) X(misaligned) X(foreign) X(other_heap) X(stray) \
    X(wrong_size) X(wrong_alignment) X(wrong_form)                                      \
    X(overflow) X(underflow) X(newest_overflow) X(write_after_free)
/* clang-format on */

/* A call that must end in a panic. */
struct call {
    enum function function;
    char *pointer;
    size_t size, alignment;
};

/* The names that are right for a misuse; a size of SIZE_MAX stands for any. */
struct allowed {
    struct fault faults[ALLOWED_MAX];
    unsigned count;
};

static struct {
    bool is_open;
    int line_ends[2]; /* the pipe */
    int stderr_copy;
    struct sigaction engine_action;
    volatile sig_atomic_t is_armed;
    sigjmp_buf back;
    anvil_heap *other;
    char *other_block;
} target;

#define COUNTER(name) size_t name;
static struct {
    MISUSES(COUNTER)
} tally;
#undef COUNTER

/* ---- the panic ---- */

static void on_abort(int signal_number)
{
    if (target.is_armed)
        siglongjmp(target.back, 1);
    (void)sigaction(signal_number, &target.engine_action, NULL);
    (void)raise(signal_number); /* abort itself would not call the engine's handler */
}

static void open_target(void)
{
    struct sigaction action = {.sa_handler = on_abort, .sa_flags = SA_NODEFER};
    if (pipe2(target.line_ends, O_CLOEXEC | O_NONBLOCK) != 0 ||
        (target.stderr_copy = dup(STDERR_FILENO)) < 0 ||
        sigaction(SIGABRT, &action, &target.engine_action) != 0 ||
        anvil_heap_create(&target.other, NULL) != 0)
        abort();
    target.other_block = anvil_heap_malloc(target.other, 100);
    target.is_open = true;
}

static void act(const struct call *call)
{
    anvil_heap *heap = model.heap;
    switch (call->function) {
    case FREE:
        model_call_free(call->pointer);
        break;
    case REALLOC:
        (void)model_call_realloc(call->pointer, call->size);
        break;
    case REALLOC_ZERO:
        (void)model_call_realloc(call->pointer, 0);
        break;
    case USABLE:
        (void)anvil_heap_malloc_usable_size(heap, call->pointer);
        break;
    case FREE_SIZED:
        anvil_heap_free_sized(heap, call->pointer, call->size);
        break;
    default:
        anvil_heap_free_aligned_sized(heap, call->pointer, call->alignment, call->size);
    }
}

static void act_malloc(const struct call *call)
{
    struct model_block block = {0};
    if (model_malloc(&block, call->size))
        model_call_free(block.start);
}

/* Returns whether the call panicked; `line` gets what it wrote. */
static bool panics(void (*run)(const struct call *call), const struct call *call,
                   char line[LINE_MAX_BYTES])
{
    volatile bool has_returned = false;
    (void)dup2(target.line_ends[1], STDERR_FILENO);
    if (sigsetjmp(target.back, 0) == 0) {
        target.is_armed = 1;
        run(call);
        has_returned = true;
    }
    target.is_armed = 0;
    (void)dup2(target.stderr_copy, STDERR_FILENO);
    ssize_t length = read(target.line_ends[0], line, LINE_MAX_BYTES - 1);
    line[length > 0 ? length : 0] = '\0';
    return !has_returned;
}

/* ---- what it must say ---- */

static void allow(struct allowed *allowed, enum fault_kind kind, size_t size)
{
    allowed->faults[allowed->count++] = (struct fault){.kind = kind, .size = size};
}

/* What realloc and malloc_usable_size call a block that was freed. */
static enum fault_kind kind_for(enum function function, enum fault_kind kind)
{
    bool is_use = function == REALLOC || function == USABLE;
    if (is_use && kind == FAULT_DOUBLE_FREE)
        return FAULT_USE_AFTER_FREE;
    return is_use && kind == FAULT_DOUBLE_FREE_GONE ? FAULT_USE_AFTER_FREE_GONE : kind;
}

/* Is the line "anvil: FUNCTION(POINTER): TEXT"? */
static bool is_line(const char *line, const char *function, const void *pointer,
                    const struct fault *fault)
{
    char expected[LINE_MAX_BYTES];
    int length = snprintf(expected, sizeof expected, "anvil: %s(%p): ", function, pointer);
    if (strncmp(line, expected, (size_t)length) != 0)
        return false;
    const char *text = panic_text(fault->kind), *number = strstr(text, "%zu");
    if (fault->size == SIZE_MAX && number != NULL)
        return strncmp(line + length, text, (size_t)(number - text)) == 0;
    (void)snprintf(expected, sizeof expected, text, fault->size, fault->given);
    size_t text_length = strlen(expected);
    return strncmp(line + length, expected, text_length) == 0 &&
           strcmp(line + length + text_length, "\n") == 0;
}

static bool is_allowed(const char *line, const char *function, const void *pointer,
                       const struct allowed *allowed)
{
    for (unsigned i = 0; i < allowed->count; i++)
        if (is_line(line, function, pointer, &allowed->faults[i]))
            return true;
    return false;
}

/* Makes the call, which must panic with one of the names allowed and leave everything as it was. */
static void expect(const struct call *call, const struct allowed *allowed, const char *misuse)
{
    char line[LINE_MAX_BYTES];
    struct anvil_stats before, after;
    struct allowed named = *allowed;
    const char *function = function_names[call->function];
    for (unsigned i = 0; i < named.count; i++)
        named.faults[i].kind = kind_for(call->function, named.faults[i].kind);
    anvil_heap_stats(model.heap, &before);
    bool has_panicked = panics(act, call, line);
    model_require(has_panicked, "misuse: %s of %p in %s was not diagnosed", misuse,
                  (void *)call->pointer, function);
    model_require(is_allowed(line, function, call->pointer, &named),
                  "misuse: %s in %s got the wrong name, not '%s' of %zu: %s", misuse, function,
                  panic_text(named.faults[0].kind), named.faults[0].size, line);
    anvil_heap_stats(model.heap, &after);
    model_require(memcmp(&before, &after, sizeof before) == 0,
                  "misuse: %s in %s changed the heap before the abort", misuse, function);
    model_verify();
}

/* ---- what the heap has at an address ---- */

static struct anvil_heap *heap_under_test(void)
{
    return model.heap == NULL ? heap_default() : model.heap;
}

static const struct extent *covering(const char *pointer)
{
    const struct extent *extent = heap_under_test()->extents.list.first;
    while (extent != NULL && !(pointer >= extent->start && pointer < extent_end(extent)))
        extent = extent->next;
    return extent;
}

/* How many frees ago a block that began there was freed last; MODEL_GONE: never, or long ago. */
static size_t age_of(const char *pointer)
{
    size_t age = 0, known = size_min(model.frees, MODEL_GONE);
    while (age < known && model.gone[(model.frees - 1 - age) % MODEL_GONE].start != pointer)
        age++;
    return age < known ? age : (size_t)MODEL_GONE;
}

static void expect_in_slab(const struct slab *slab, const char *pointer, struct allowed *allowed)
{
    size_t offset = (size_t)(pointer - slab->start), index = offset / slab->block_size;
    bool is_inside = offset % slab->block_size != 0, is_known = age_of(pointer) < MODEL_GONE;
    if (index >= slab->carved)
        allow(allowed, FAULT_NOT_ALLOCATED, 0);
    else if (is_inside)
        allow(allowed, FAULT_INTERIOR, slab->block_size);
    else
        allow(allowed, FAULT_DOUBLE_FREE, slab->block_size);
    if (index < slab->carved && !is_inside && !is_known)
        allow(allowed, FAULT_NOT_ALLOCATED, 0); /* carved, and perhaps never handed out */
}

/* In no slab and in no live block: free, cached, given back, or never the heap's. */
static void expect_unused(const struct extent *extent, const char *pointer, struct allowed *allowed)
{
    size_t age = age_of(pointer);
    const struct model_gone *gone = &model.gone[(model.frees - 1 - age) % MODEL_GONE];
    if (age < LATELY && gone->is_large) {
        allow(allowed, FAULT_DOUBLE_FREE, gone->size);
        return;
    }
    allow(allowed, FAULT_DOUBLE_FREE, SIZE_MAX);
    allow(allowed, FAULT_DOUBLE_FREE_GONE, 0);
    allow(allowed, extent == NULL ? FAULT_FOREIGN : FAULT_NOT_ALLOCATED, 0);
}

/* The right names for a pointer at which no live block starts. */
static struct allowed expect_at(const char *pointer)
{
    struct allowed allowed = {.count = 0};
    const struct extent *extent = covering(pointer);
    enum extent_state state = extent == NULL ? EXTENT_FREE : extent_state(extent);
    unsigned owner = pagemap_owner(pointer);
    if (extent != NULL && !is_aligned(pointer, BLOCK_ALIGNMENT))
        allow(&allowed, FAULT_MISALIGNED, 0);
    else if (extent == NULL && owner != 0 && owner != heap_under_test()->id)
        allow(&allowed, FAULT_OTHER_HEAP, 0);
    else if (state == EXTENT_SLAB)
        expect_in_slab(extent->as.slab, pointer, &allowed);
    else if (state == EXTENT_LARGE || state == EXTENT_MAPPING)
        allow(&allowed, FAULT_INTERIOR, extent_size(extent));
    else
        expect_unused(extent, pointer, &allowed);
    return allowed;
}

/* ---- the misuses: each returns whether the state of the heap let it take place ---- */

static struct call call_of(const struct model_op *op, char *pointer)
{
    return (struct call){.function = op->slot / MODEL_SLOTS,
                         .pointer = pointer,
                         .size = 1 + op->operand % 5000,
                         .alignment = 64};
}

static bool at(const struct model_op *op, char *pointer, const char *misuse)
{
    const struct call call = call_of(op, pointer);
    if (pointer == NULL || model_find(pointer) != NULL)
        return false;
    const struct allowed allowed = expect_at(pointer);
    expect(&call, &allowed, misuse);
    return true;
}

static bool after_free(const struct model_op *op, size_t age, const char *misuse)
{
    if (age >= size_min(model.frees, MODEL_GONE))
        return false;
    return at(op, model.gone[(model.frees - 1 - age) % MODEL_GONE].start, misuse);
}

static bool double_free(const struct model_op *op)
{
    return after_free(op, 0, "double free");
}

static bool stale(const struct model_op *op)
{
    return after_free(op, op->operand % MODEL_GONE, "stale pointer");
}

static bool inside(const struct model_op *op, size_t remainder, const char *misuse)
{
    const struct model_block *block = model_some(op->slot);
    struct heap_block found;
    if (block == NULL || !heap_find(heap_under_test(), block->start, &found))
        return false;
    size_t places = found.capacity / BLOCK_ALIGNMENT;
    size_t offset = places == 0 ? 0 : op->operand % places * BLOCK_ALIGNMENT;
    return at(op, block->start + offset + remainder, misuse);
}

static bool interior(const struct model_op *op)
{
    return inside(op, 0, "interior pointer");
}

static bool misaligned(const struct model_op *op)
{
    return inside(op, 1 + op->operand % 15, "misaligned pointer");
}

static bool foreign(const struct model_op *op)
{
    static char object[64];
    char local[64];
    uintptr_t wild = (uintptr_t)op->operand * UINT64_C(0x9e3779b97f4a7c15);
    char *const pointers[] = {object,
                              local,
                              (char *)(uintptr_t)op->operand,
                              (char *)wild,
                              (char *)(wild >> 17 << 4),
                              (char *)(uintptr_t)foreign};
    return at(op, pointers[op->operand % (sizeof pointers / sizeof pointers[0])],
              "foreign pointer");
}

static bool other_heap(const struct model_op *op)
{
    return at(op, target.other_block, "block of another heap");
}

static bool stray(const struct model_op *op)
{
    const struct model_block *block = model_some(op->slot);
    ptrdiff_t distance = ((ptrdiff_t)op->operand - 0x8000) * (op->kind % 2 == 0 ? 16 : 1);
    return block != NULL &&
           at(op, (char *)((uintptr_t)block->start + (uintptr_t)distance), "stray pointer");
}

static bool with_fault(const struct call *call, const struct fault *fault, const char *misuse)
{
    const struct allowed allowed = {.faults = {*fault}, .count = 1};
    expect(call, &allowed, misuse);
    return true;
}

/* A call that would be right for the block. */
static struct call right_call(const struct model_block *block)
{
    return (struct call){.function = block->alignment == 0 ? FREE_SIZED : FREE_ALIGNED_SIZED,
                         .pointer = block->start,
                         .size = block->size,
                         .alignment = block->alignment};
}

static bool wrong_size(const struct model_op *op)
{
    const struct model_block *block = model_some(op->slot);
    struct heap_block found;
    if (block == NULL || !heap_find(heap_under_test(), block->start, &found))
        return false;
    struct call call = right_call(block);
    call.size = op->operand % 2 == 0 ? model_size(op->operand) : block->size + op->operand % 64;
    if (call.size == block->size || call.size == found.capacity)
        return false;
    return with_fault(
        &call, &(struct fault){.kind = FAULT_WRONG_SIZE, .size = block->size, .given = call.size},
        "wrong size");
}

static bool wrong_alignment(const struct model_op *op)
{
    const struct model_block *block = model_some(op->slot);
    if (block == NULL || block->alignment == 0)
        return false;
    struct call call = right_call(block);
    call.alignment = op->operand % 4 == 0 ? op->operand : (size_t)1 << op->operand % 16;
    if (call.alignment == block->alignment)
        return false;
    return with_fault(&call,
                      &(struct fault){.kind = FAULT_WRONG_ALIGNMENT,
                                      .size = block->alignment,
                                      .given = call.alignment},
                      "wrong alignment");
}

static bool wrong_form(const struct model_op *op)
{
    const struct model_block *block = model_some(op->slot);
    if (block == NULL)
        return false;
    struct call call = right_call(block);
    struct fault fault = {.kind = FAULT_NOT_ALIGNED_BLOCK};
    if (block->alignment != 0)
        fault = (struct fault){.kind = FAULT_IS_ALIGNED_BLOCK, .size = block->alignment};
    call.function = block->alignment == 0 ? FREE_ALIGNED_SIZED : FREE_SIZED;
    call.alignment = (size_t)1 << op->operand % 16;
    return with_fault(&call, &fault, "wrong form of free");
}

/* Changes `count` bytes at a place, which must be found when the block is freed or resized. */
static void scribble(const struct model_op *op, const struct model_block *block, char *place,
                     size_t count, const char *misuse)
{
    static const enum function functions[] = {FREE, REALLOC, REALLOC_ZERO, FREE_SIZED};
    char saved[UNDERRUN_MAX];
    char change = (char)(op->kind | 1);
    struct call call = right_call(block);
    enum function function = functions[op->slot / MODEL_SLOTS % 4];
    call.function = function == FREE_SIZED ? call.function : function;
    memcpy(saved, place, count);
    for (size_t i = 0; i < count; i++)
        place[i] = (char)(place[i] ^ change);
    if (call.function == REALLOC)
        call.size = model_size(op->operand) + 1;
    char line[LINE_MAX_BYTES];
    const struct fault fault = {.kind = FAULT_OVERFLOW, .size = block->size};
    bool has_panicked = panics(act, &call, line);
    memcpy(place, saved, count);
    model_require(has_panicked, "misuse: %s of %zu bytes was not diagnosed", misuse, count);
    model_require(is_line(line, function_names[call.function], block->start, &fault),
                  "misuse: %s of %zu bytes got the wrong name: %s", misuse, count, line);
    model_verify();
}

static bool overflow(const struct model_op *op)
{
    const struct model_block *block = model_some(op->slot);
    struct heap_block found;
    if (!model.has_canary || block == NULL || block->size == 0 ||
        !heap_find(heap_under_test(), block->start, &found) || found.capacity == found.size)
        return false;
    size_t count = size_min(1 + op->operand % UNDERRUN_MAX, found.capacity - found.size);
    scribble(op, block, block->start + block->size, count, "overflow");
    return true;
}

/* The block before another one in the same slab notices what is written before that one. */
static bool underflow(const struct model_op *op)
{
    const struct model_block *block = model_some(op->slot), *left = NULL;
    struct heap_block found;
    if (!model.has_canary || block == NULL || block->size == 0 ||
        !heap_find(heap_under_test(), block->start, &found) || found.slab == NULL)
        return false;
    if (block->start > found.slab->start)
        left = model_find(block->start - found.slab->block_size);
    if (left == NULL || !heap_find(heap_under_test(), left->start, &found) ||
        found.capacity - found.size < UNDERRUN_MAX)
        return false;
    size_t count = 1 + op->operand % UNDERRUN_MAX;
    scribble(op, left, block->start - count, count, "underflow");
    return true;
}

/* Found by the next malloc, whatever it asks for. */
static bool newest_overflow(const struct model_op *op)
{
    const struct heap_newest newest = heap_under_test()->quarantine.newest;
    if (!model.has_canary || newest.start == NULL || newest.capacity == newest.size)
        return false;
    size_t reach = size_min(newest.capacity - newest.size, UNDERRUN_MAX);
    char *place = newest.start + newest.size + op->operand % reach, line[LINE_MAX_BYTES];
    const struct call call = {.size = model_size(op->operand)};
    const struct fault fault = {.kind = FAULT_OVERFLOW, .size = newest.size};
    char change = (char)(op->kind | 1);
    *place = (char)(*place ^ change);
    bool has_panicked = panics(act_malloc, &call, line);
    *place = (char)(*place ^ change);
    model_require(has_panicked, "misuse: an overflow of the newest block was not diagnosed");
    model_require(is_line(line, "malloc", newest.start, &fault),
                  "misuse: an overflow of the newest block got the wrong name: %s", line);
    model_verify();
    return true;
}

/* The freed block that the next malloc looks at: the newest in the quarantine, or NULL. */
static char *newest_waiting(size_t *ret_capacity)
{
    const struct heap_quarantine *quarantine = &heap_under_test()->quarantine;
    if (!model.has_zero || quarantine->count == 0)
        return NULL;
    unsigned place = (quarantine->oldest + quarantine->count - 1) % QUARANTINE_MAX;
    *ret_capacity = quarantine->waiting[place].capacity;
    return quarantine->waiting[place].start;
}

static bool write_after_free(const struct model_op *op)
{
    size_t capacity = 0;
    char *start = newest_waiting(&capacity), line[LINE_MAX_BYTES];
    if (start == NULL || capacity == 0)
        return false;
    char *place = start + op->operand % size_min(capacity, PAGE_BYTES);
    const struct call call = {.size = model_size(op->operand)};
    const struct fault fault = {.kind = FAULT_WRITE_AFTER_FREE, .size = capacity};
    *place = (char)(op->kind | 1);
    bool has_panicked = panics(act_malloc, &call, line);
    *place = 0;
    model_require(has_panicked, "misuse: a write after free was not diagnosed");
    model_require(is_line(line, "malloc", start, &fault),
                  "misuse: a write after free got the wrong name: %s", line);
    model_verify();
    return true;
}

/* ---- the target ---- */

#define ENTRY(name) {name, #name, &tally.name},
static const struct {
    bool (*commit)(const struct model_op *op);
    const char *name;
    size_t *count;
} misuses[] = {MISUSES(ENTRY)};
#undef ENTRY
enum { MISUSE_COUNT = sizeof misuses / sizeof misuses[0], CALLS_IN_64 = 40 };

static void step(const struct model_op *op)
{
    unsigned choice = op->kind % 64u;
    if (choice < CALLS_IN_64) {
        model_call(op);
        return;
    }
    unsigned i = (choice - CALLS_IN_64) % MISUSE_COUNT;
    *misuses[i].count += misuses[i].commit(op);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < MODEL_CONFIGURATION)
        return 0;
    if (!target.is_open)
        open_target();
    model_start(data);
    for (size_t i = MODEL_CONFIGURATION; i + MODEL_OP <= size; i += MODEL_OP) {
        const struct model_op op = model_decode(data + i);
        step(&op);
    }
    model_end();
    return 0;
}

bool fuzz_tally(void)
{
    bool is_all = true;
    for (unsigned i = 0; i < MISUSE_COUNT; i++) {
        printf("%s%s %zu", i == 0 ? "misuses: " : ", ", misuses[i].name, *misuses[i].count);
        is_all &= *misuses[i].count > 0;
    }
    printf("\n");
    return is_all;
}
