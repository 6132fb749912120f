/* SPDX-License-Identifier: MIT */
/*
 * Little programs of two or three threads for which C11 and POSIX say whether they are in order.
 * litmus.c is compiled as code on trial.
 */
#ifndef INTERLEAVE_LITMUS_H
#define INTERLEAVE_LITMUS_H

/* Register once: name (and its functions name_1, name_2), the check that must fail in some
 * schedule, or `clean`. */
#define LITMUSES(LITMUS)                   \
    LITMUS(release_acquire, "clean")       \
    LITMUS(release_relaxed, "race")        \
    LITMUS(relaxed_acquire, "race")        \
    LITMUS(fences, "clean")                \
    LITMUS(fence_missing, "race")          \
    LITMUS(sequence_continues, "clean")    \
    LITMUS(sequence_is_broken, "race")     \
    LITMUS(neighbouring_bytes, "clean")    \
    LITMUS(two_readers, "clean")           \
    LITMUS(plain_and_atomic, "race")       \
    LITMUS(mutex, "clean")                 \
    LITMUS(mutex_forgotten, "race")        \
    LITMUS(trylock, "clean")               \
    LITMUS(recursive_mutex, "clean")       \
    LITMUS(relock, "progress")             \
    LITMUS(condition, "clean")             \
    LITMUS(signal_before_wait, "progress") \
    LITMUS(timed_wait_ends, "clean")       \
    LITMUS(once, "clean")                  \
    LITMUS(spin_lock, "clean")             \
    LITMUS(spin_with_yield, "clean")       \
    LITMUS(spin_on_two, "clean")           \
    LITMUS(spin_in_turn, "clean")          \
    LITMUS(spin_for_ever, "progress")      \
    LITMUS(loop_without_step, "progress")  \
    LITMUS(futex_is_woken, "clean")        \
    LITMUS(futex_is_missed, "progress")    \
    LITMUS(unmapped_in_use, "race")        \
    LITMUS(mapped_again, "clean")          \
    LITMUS(copied_in_bulk, "race")         \
    LITMUS(dies, "crash")                  \
    LITMUS(exits, "crash")

#define LITMUS(name, check)       \
    void litmus_##name##_1(void); \
    void litmus_##name##_2(void);
LITMUSES(LITMUS)
#undef LITMUS

#endif
