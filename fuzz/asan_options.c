/* SPDX-License-Identifier: MIT */
/*
 * AddressSanitizer's defaults for a fuzz target; ASAN_OPTIONS overrides each. Its own malloc serves
 * the engine and nobody on trial, so the engine's buffers need no quarantine of 256 MB (each input
 * a fresh page, until it is full) and no stack of every allocation: half of the time of a short
 * input.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_"
           "size=1";
}
