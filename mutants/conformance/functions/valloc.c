/* SPDX-License-Identifier: MIT */
/* Broken valloc and pvalloc. */
#include "mutants/conformance/mutant.h"

enum { PAGE = 4096 };

static void *forget_pages(size_t size)
{
    return base_malloc(size);
}
MUTANT(valloc_forgets_pages, .valloc = forget_pages)
MUTANT(pvalloc_forgets_pages, .pvalloc = forget_pages)

/* Rounds up to whole pages without a look at the sum. */
static void *wrap(size_t size)
{
    return base_memalign(PAGE, (size + PAGE - 1) / PAGE * PAGE);
}
MUTANT(valloc_wraps, .valloc = wrap)
MUTANT(pvalloc_wraps, .pvalloc = wrap)

static void *refuse_silently(size_t size)
{
    int before = errno;
    void *block = base_valloc(size);
    if (block == NULL)
        errno = before;
    return block;
}
MUTANT(valloc_refuses_silently, .valloc = refuse_silently)

static void *refuse_zero(size_t size)
{
    if (size > 0)
        return base_pvalloc(size);
    errno = ENOMEM;
    return NULL;
}
MUTANT(pvalloc_refuses_zero, .pvalloc = refuse_zero)
