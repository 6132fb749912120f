/* SPDX-License-Identifier: MIT */
/*
 * The functions that code compiled with -fsanitize=thread calls at each access. They call the
 * scheduler; ThreadSanitizer's own runtime is not linked. Atomics are steps; plain accesses only go
 * to the race detector, because a switch between them shows nothing that a race does not.
 *
 * One thread runs at a time, so the operations themselves are plain.
 */
#include "order.h"
#include "race.h"

#include <string.h>

#define CODE ((uintptr_t)__builtin_return_address(0))

/* The compiler declares these by itself. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#pragma GCC diagnostic ignored "-Wbuiltin-declaration-mismatch"

static void plain(const volatile void *start, size_t size, unsigned access, uintptr_t code)
{
    if (!schedule_is_on())
        return;
    schedule_count_access();
    race_access(start, size, access, code);
}

#define PLAIN(name, type, size, access)   \
    void name(type start);                \
    void name(type start)                 \
    {                                     \
        plain(start, size, access, CODE); \
    }
#define PLAIN_SIZE(size)                                                \
    PLAIN(__tsan_read##size, void *, size, ACCESS_READ)                 \
    PLAIN(__tsan_write##size, void *, size, ACCESS_WRITE)               \
    PLAIN(__tsan_read_write##size, void *, size, ACCESS_WRITE)          \
    PLAIN(__tsan_volatile_read##size, void *, size, ACCESS_READ)        \
    PLAIN(__tsan_volatile_write##size, void *, size, ACCESS_WRITE)      \
    PLAIN(__tsan_unaligned_read##size, const void *, size, ACCESS_READ) \
    PLAIN(__tsan_unaligned_write##size, void *, size, ACCESS_WRITE)     \
    PLAIN(__tsan_unaligned_read_write##size, void *, size, ACCESS_WRITE)
PLAIN_SIZE(1)
PLAIN_SIZE(2)
PLAIN_SIZE(4)
PLAIN_SIZE(8)
PLAIN_SIZE(16)

#define NOTHING(name, parameters) \
    void name parameters;         \
    void name parameters {}
NOTHING(__tsan_init, (void))
NOTHING(__tsan_func_entry, (void *code __attribute__((unused))))
NOTHING(__tsan_func_exit, (void *code __attribute__((unused))))
NOTHING(__tsan_ignore_thread_begin, (void))
NOTHING(__tsan_ignore_thread_end, (void))

#define RANGE(name, access)               \
    void name(void *start, size_t size);  \
    void name(void *start, size_t size)   \
    {                                     \
        plain(start, size, access, CODE); \
    }
RANGE(__tsan_read_range, ACCESS_READ)
RANGE(__tsan_write_range, ACCESS_WRITE)

/* ---- atomics ---- */

#define NAMES(name)                                     \
    {name " relaxed", name " consume", name " acquire", \
     name " release", name " acq_rel", name " seq_cst"}

static struct place *enter(const volatile void *start, const char *const names[6], int order,
                           bool is_write, uintptr_t code)
{
    struct place *place = place_of(start);
    schedule_point(names[order & 7], place, is_write, code);
    return place;
}

#define LOAD(bits, type)                                                      \
    type __tsan_atomic##bits##_load(const volatile type *start, int order);   \
    type __tsan_atomic##bits##_load(const volatile type *start, int order)    \
    {                                                                         \
        static const char *const names[] = NAMES("load");                     \
        if (!schedule_is_on())                                                \
            return *start;                                                    \
        struct place *place = enter(start, names, order, false, CODE);        \
        race_access(start, sizeof *start, ACCESS_ATOMIC | ACCESS_READ, CODE); \
        order_after_read(place, order);                                       \
        schedule_saw(place, (uint64_t)*start, false);                         \
        return *start;                                                        \
    }

#define STORE(bits, type)                                                          \
    void __tsan_atomic##bits##_store(volatile type *start, type value, int order); \
    void __tsan_atomic##bits##_store(volatile type *start, type value, int order)  \
    {                                                                              \
        static const char *const names[] = NAMES("store");                         \
        if (schedule_is_on()) {                                                    \
            struct place *place = enter(start, names, order, true, CODE);          \
            race_access(start, sizeof *start, ACCESS_ATOMIC | ACCESS_WRITE, CODE); \
            order_before_write(place, order, false);                               \
            schedule_saw(place, (uint64_t)value, *start != value);                 \
        }                                                                          \
        *start = value;                                                            \
    }

#define MODIFY(bits, type, name, result)                                            \
    type __tsan_atomic##bits##_##name(volatile type *start, type value, int order); \
    type __tsan_atomic##bits##_##name(volatile type *start, type value, int order)  \
    {                                                                               \
        static const char *const names[] = NAMES(#name);                            \
        struct place *place = NULL;                                                 \
        if (schedule_is_on())                                                       \
            place = enter(start, names, order, true, CODE);                         \
        type old = *start, new = (type)(result);                                    \
        if (place != NULL) {                                                        \
            race_access(start, sizeof *start, ACCESS_ATOMIC | ACCESS_WRITE, CODE);  \
            order_after_read(place, order);                                         \
            order_before_write(place, order, true);                                 \
            schedule_saw(place, (uint64_t)old, old != new);                         \
        }                                                                           \
        *start = new;                                                               \
        return old;                                                                 \
    }

#define COMPARE_EXCHANGE(bits, type)                                                        \
    static bool compare_exchange##bits(volatile type *start, type *expected, type value,    \
                                       int order, int failed_order, uintptr_t code)         \
    {                                                                                       \
        static const char *const names[] = NAMES("compare_exchange");                       \
        struct place *place = NULL;                                                         \
        if (schedule_is_on())                                                               \
            place = enter(start, names, order, true, code);                                 \
        type old = *start;                                                                  \
        bool is_equal = old == *expected;                                                   \
        if (place != NULL) {                                                                \
            race_access(start, sizeof *start,                                               \
                        ACCESS_ATOMIC | (is_equal ? ACCESS_WRITE : ACCESS_READ), code);     \
            order_after_read(place, is_equal ? order : failed_order);                       \
            if (is_equal)                                                                   \
                order_before_write(place, order, true);                                     \
            schedule_saw(place, (uint64_t)old, is_equal &&old != value);                    \
        }                                                                                   \
        if (is_equal)                                                                       \
            *start = value;                                                                 \
        else                                                                                \
            *expected = old;                                                                \
        return is_equal;                                                                    \
    }                                                                                       \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *start, type *expected, \
                                                      type value, int order, int failed);   \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type *start, type *expected, \
                                                      type value, int order, int failed)    \
    {                                                                                       \
        return compare_exchange##bits(start, expected, value, order, failed, CODE);         \
    }                                                                                       \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *start, type *expected,   \
                                                    type value, int order, int failed);     \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type *start, type *expected,   \
                                                    type value, int order, int failed)      \
    {                                                                                       \
        return compare_exchange##bits(start, expected, value, order, failed, CODE);         \
    }                                                                                       \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *start, type expected,    \
                                                    type value, int order, int failed);     \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type *start, type expected,    \
                                                    type value, int order, int failed)      \
    {                                                                                       \
        (void)compare_exchange##bits(start, &expected, value, order, failed, CODE);         \
        return expected;                                                                    \
    }

#define ATOMICS(bits, type)                        \
    LOAD(bits, type)                               \
    STORE(bits, type)                              \
    MODIFY(bits, type, exchange, value)            \
    MODIFY(bits, type, fetch_add, old + value)     \
    MODIFY(bits, type, fetch_sub, old - value)     \
    MODIFY(bits, type, fetch_and, old &value)      \
    MODIFY(bits, type, fetch_or, old | value)      \
    MODIFY(bits, type, fetch_xor, old ^ value)     \
    MODIFY(bits, type, fetch_nand, ~(old & value)) \
    COMPARE_EXCHANGE(bits, type)
ATOMICS(8, uint8_t)
ATOMICS(16, uint16_t)
ATOMICS(32, uint32_t)
ATOMICS(64, uint64_t)
__extension__ typedef unsigned __int128 uint128;
ATOMICS(128, uint128)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
    if (schedule_is_on())
        order_fence(order);
}
NOTHING(__tsan_atomic_signal_fence, (int order __attribute__((unused))))

/* ---- what clang makes of the copies that calls.h has no name for ---- */

void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    plain(from, size, ACCESS_READ, CODE);
    plain(to, size, ACCESS_WRITE, CODE);
    return memcpy(to, from, size);
}

void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size)
{
    plain(from, size, ACCESS_READ, CODE);
    plain(to, size, ACCESS_WRITE, CODE);
    return memmove(to, from, size);
}

void *__tsan_memset(void *start, int byte, size_t size);
void *__tsan_memset(void *start, int byte, size_t size)
{
    plain(start, size, ACCESS_WRITE, CODE);
    return memset(start, byte, size);
}
