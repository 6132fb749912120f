/* SPDX-License-Identifier: MIT */
/*
 * AddressSanitizer's defaults for a fuzz target; ASAN_OPTIONS overrides each. Its malloc serves
 * only the engine, not the subject, so the engine's buffers need neither a quarantine of 256 MB (a
 * fresh page for each input until it is full) nor a stack trace of every allocation. Together they
 * cost half of the time of a short input.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_"
           "size=1";
}
