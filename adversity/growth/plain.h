/* SPDX-License-Identifier: MIT */
/* The words of workload.h for programs that stand alone: the subject is the program's own malloc,
 * or what LD_PRELOAD puts in its place. Only the text of this file is used; nothing includes it. */

extern int posix_memalign(void **block, size_t alignment, size_t size) __attribute__((weak));
extern void *aligned_alloc(size_t alignment, size_t size) __attribute__((weak));
extern size_t malloc_usable_size(void *block) __attribute__((weak));

static struct subject_calls calls = {.malloc = malloc,
                                     .free = free,
                                     .calloc = calloc,
                                     .realloc = realloc,
                                     .aligned_alloc = aligned_alloc,
                                     .posix_memalign = posix_memalign,
                                     .malloc_usable_size = malloc_usable_size};

struct workload {
    void (*do_round)(const struct task *task);
};
#define WORKLOAD(name, ...)                                 \
    static void do_round(const struct task *task);          \
    static const struct workload the_workload = {do_round}; \
    static void do_round(const struct task *task)

void growth_start(void);
struct growth_sample growth_sample(void);
uint64_t growth_live(void);
static uint64_t growth_held(void)
{
    return 0;
}
