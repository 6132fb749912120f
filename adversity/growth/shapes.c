/* SPDX-License-Identifier: MIT */
/* The registry: what the linker gathered from shapes/, by name. */
#include "adversity/growth/shape.h"

extern const struct shape *const __start_growth_shapes[], *const __stop_growth_shapes[];

static size_t count_shapes(void)
{
    return (size_t)(__stop_growth_shapes - __start_growth_shapes);
}

/* How many come before it. */
static size_t rank(const struct shape *shape)
{
    size_t before = 0;
    for (size_t i = 0; i < count_shapes(); i++) {
        const struct shape *other = __start_growth_shapes[i];
        before += other->kind < shape->kind ||
                  (other->kind == shape->kind && strcmp(other->name, shape->name) < 0);
    }
    return before;
}

const struct shape *shapes_at(size_t i)
{
    for (size_t j = 0; j < count_shapes(); j++)
        if (rank(__start_growth_shapes[j]) == i)
            return __start_growth_shapes[j];
    return NULL;
}

const struct shape *shapes_find(const char *name)
{
    for (size_t i = 0; i < count_shapes(); i++)
        if (strcmp(__start_growth_shapes[i]->name, name) == 0)
            return __start_growth_shapes[i];
    return NULL;
}
