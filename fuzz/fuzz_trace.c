/* SPDX-License-Identifier: MIT */
/* Fuzz target: bytes → trace → subject, every check on. One source for libFuzzer, AFL++ (persistent
 * mode) and a plain replay. */
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target_run(data, size, &(const struct target_mode){0});
    return 0;
}
