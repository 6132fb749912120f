/* SPDX-License-Identifier: MIT */
/*
 * The shadow of a story: the live blocks, each with bytes that depend on the block and the
 * position; the addresses handed out so far; mailboxes.
 *
 * A block leaves the shadow before it is freed, because another thread may get it from then on.
 */
#include "story.h"

#include "memory.h"
#include "order.h"
#include "race.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKS_MAX = 64, BOXES = 4, ADDRESSES_MAX = 64 };

struct block {
    char *start; /* NULL: free entry */
    size_t size;
    unsigned owner;
    uint8_t first_byte;
};

static struct {
    const struct interleave_subject *subject;
    size_t size, most_mapped;
    struct block blocks[BLOCKS_MAX];
    char *addresses[ADDRESSES_MAX]; /* all different ones */
    unsigned address_count;
    uint8_t next_byte;
    char *boxes[BOXES];
    void (*child)(void);
} story;

/* ---- the shadow ---- */

static struct block *block_find(const char *start)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++)
        if (story.blocks[i].start == start)
            return &story.blocks[i];
    schedule_fail(CHECK_PROGRESS, "story",
                  "a scenario has more than %d blocks, or one it does not have", (int)BLOCKS_MAX);
}

static void assert_apart(const char *call, const char *start, size_t size)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        const struct block *other = &story.blocks[i];
        if (other->start != NULL && start < other->start + other->size &&
            other->start < start + size)
            schedule_fail(CHECK_OVERLAP, call,
                          "thread %u gets %zu bytes at %p; thread %u has %zu bytes at %p",
                          schedule_self(), size, (void *)(uintptr_t)start, other->owner,
                          other->size, (void *)other->start);
    }
}

static uint8_t byte_at(const struct block *block, size_t index)
{
    return (uint8_t)(block->first_byte + index * 7);
}

static void fill(struct block *block)
{
    block->first_byte = story.next_byte += 37;
    race_access(block->start, block->size, ACCESS_WRITE, (uintptr_t)__builtin_return_address(0));
    for (size_t i = 0; i < block->size; i++)
        block->start[i] = (char)byte_at(block, i);
}

static void assert_content(const struct block *block, const char *start, size_t size,
                           const char *call)
{
    race_access(start, size, ACCESS_READ, (uintptr_t)__builtin_return_address(0));
    for (size_t i = 0; i < size; i++)
        if ((uint8_t)start[i] != byte_at(block, i))
            schedule_fail(CHECK_CONTENT, call,
                          "byte %zu of %zu at %p, which thread %u has, is %#x instead of %#x", i,
                          block->size, (void *)(uintptr_t)start, block->owner, (uint8_t)start[i],
                          byte_at(block, i));
}

static void note_address(char *start)
{
    for (unsigned i = 0; i < story.address_count; i++)
        if (story.addresses[i] == start)
            return;
    if (story.address_count < ADDRESSES_MAX)
        story.addresses[story.address_count++] = start;
}

static char *block_enter(const char *call, char *start, size_t size)
{
    if (start == NULL)
        schedule_fail(CHECK_NULL, call, "%s of %zu bytes returned NULL", call, size);
    if (memory_mapped() > story.most_mapped)
        story.most_mapped = memory_mapped();
    assert_apart(call, start, size);
    note_address(start);
    struct block *block = block_find(NULL);
    *block = (struct block){.start = start, .size = size, .owner = schedule_self()};
    fill(block);
    return start;
}

static struct block block_leave(const char *call, char *start)
{
    struct block *entry = block_find(start), block = *entry;
    assert_content(&block, start, block.size, call);
    *entry = (struct block){0};
    return block;
}

/* ---- calls ---- */

char *story_malloc(unsigned times)
{
    schedule_enter_call("malloc");
    char *start = story.subject->malloc(story.size * times);
    start = block_enter("malloc", start, story.size * times);
    schedule_enter_call("");
    return start;
}

void story_free(char *start)
{
    (void)block_leave("free", start);
    schedule_enter_call("free");
    story.subject->free(start);
    schedule_enter_call("");
}

char *story_realloc(char *start, unsigned times)
{
    size_t size = story.size * times;
    struct block old = block_leave("realloc", start);
    schedule_enter_call("realloc");
    start = story.subject->realloc(start, size);
    if (start != NULL)
        assert_content(&old, start, old.size < size ? old.size : size, "realloc");
    start = block_enter("realloc", start, size);
    schedule_enter_call("");
    return start;
}

/* ---- handing over ---- */

void story_send(unsigned box, char *block)
{
    struct place *place = place_of(&story.boxes[box]);
    schedule_point("send", place, true, 0);
    order_before_write(place, memory_order_release, true);
    story.boxes[box] = block;
    (void)schedule_wake(WAIT_MAIL, place, 1);
}

char *story_receive(unsigned box)
{
    struct place *place = place_of(&story.boxes[box]);
    schedule_point("receive", place, true, 0);
    while (story.boxes[box] == NULL)
        (void)schedule_wait(WAIT_MAIL, place, false);
    order_after_read(place, memory_order_acquire);
    char *block = story.boxes[box];
    story.boxes[box] = NULL;
    return block;
}

/* The fork does not order the child's thread after the others, but the child has a copy of their
 * memory that nobody writes: treat all of it as ordered. */
static void know_everything(void)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        if (i != schedule_self())
            schedule_clock()->of[i] = UINT16_MAX;
}

static void run_child(void)
{
    know_everything();
    for (unsigned i = 0; i < BLOCKS_MAX; i++)
        if (story.blocks[i].start != NULL)
            assert_content(&story.blocks[i], story.blocks[i].start, story.blocks[i].size, "fork");
    story.child();
}

void story_fork(void (*body)(void))
{
    story.child = body;
    schedule_fork(run_child);
}

/* ---- the end ---- */

static void free_all(void)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++)
        if (story.blocks[i].start != NULL)
            story_free(story.blocks[i].start);
}

static void assert_walker(void)
{
    char sentence[VERDICT_SENTENCE_MAX] = "";
    if (story.subject->check != NULL && story.subject->check(sentence, sizeof sentence) != 0)
        schedule_fail(CHECK_HEAP, "check", "%s", sentence);
}

/* As many blocks as there were different addresses fit at once in what was mapped already. */
static void assert_all_comes_back(void)
{
    unsigned count = story.address_count;
    size_t before = story.most_mapped;
    for (unsigned i = 0; i < count && i < BLOCKS_MAX; i++) {
        (void)story_malloc(1);
        if (story.most_mapped > before)
            schedule_fail(CHECK_FOOTPRINT, "malloc",
                          "all %u blocks of %zu bytes are free, but only %u can be had again "
                          "without more memory",
                          count, story.size, i);
    }
    free_all();
}

void story_play(const struct scenario *scenario, const struct interleave_subject *subject,
                size_t size)
{
    unsigned count = 0;
    story.subject = subject;
    story.size = size;
    if (subject->choice != NULL)
        *subject->choice = subject->chosen;
    if (scenario->set_up != NULL)
        scenario->set_up();
    while (count < STORY_BODIES_MAX && scenario->bodies[count] != NULL)
        count++;
    schedule_run(count, scenario->bodies);
    assert_walker();
    free_all();
    if (scenario->is_uniform && !subject->keeps_for_threads)
        assert_all_comes_back();
    assert_walker();
}
