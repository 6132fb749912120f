/* SPDX-License-Identifier: MIT */
/* Undefined use of realloc and malloc_usable_size. A call that returns NULL or 0 has noticed it. */
#include "conformance/testlib.h"

PROBE(realloc_of_a_freed_block, "HARD-realloc-freed", NEEDS(realloc))
{
    void *block = malloc(32);
    free(block);
    MISUSE(block = realloc(block, 128));
    if (block == NULL)
        return DETECTED("realloc(p, 128) after free(p): expected a diagnosis, observed NULL");
    return survived();
}

static void resize_invalid(void *pointer)
{
    if (realloc(pointer, 128) == NULL)
        case_refused();
}

PROBE(realloc_of_invalid_pointers, "HARD-realloc-invalid", NEEDS(realloc))
{
    static _Alignas(16) char fixed[256];
    _Alignas(16) char automatic[256] = {0};
    char *block = malloc(256);
    CASE("realloc of automatic storage", resize_invalid(automatic + 32));
    CASE("realloc of static storage", resize_invalid(fixed + 32));
    CASE("realloc(malloc(256) + 16, 128)", resize_invalid(block + 16));
    return worst_case();
}

PROBE(free_of_the_pointer_that_realloc_moved, "HARD-realloc-stale", NEEDS(realloc))
{
    void *block = malloc(32), *moved = realloc(block, MIB);
    if (moved == NULL || moved == block)
        return RECORDED("realloc(p, 1 MiB): expected another address than p, observed %s, so the "
                        "question cannot be put",
                        moved == NULL ? "NULL" : "p");
    MISUSE(free(block));
    return survived();
}

PROBE(free_after_realloc_to_nothing, "HARD-realloc-zero", NEEDS(realloc))
{
    void *block = malloc(32);
    if (realloc(block, 0) != NULL)
        return RECORDED(
            "realloc(p, 0): expected NULL, observed a block, so that nobody frees p again");
    MISUSE(free(block));
    return survived();
}

static void ask_invalid(void *pointer)
{
    if (malloc_usable_size(pointer) == 0)
        case_refused();
}

PROBE(usable_size_of_invalid_pointers, "HARD-usable-freed", NEEDS(malloc_usable_size))
{
    _Alignas(16) char automatic[256] = {0};
    void *block = malloc(32);
    free(block);
    CASE("malloc_usable_size of a freed block", ask_invalid(block));
    CASE("malloc_usable_size of automatic storage", ask_invalid(automatic + 32));
    return worst_case();
}
