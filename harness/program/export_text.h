/* SPDX-License-Identifier: MIT */
/* The fixed parts of an exported program, as a reader of a bug report gets to see them. Included by
 * export.c only. */
#ifndef HARNESS_EXPORT_TEXT_H
#define HARNESS_EXPORT_TEXT_H

#define TEXT_FAIL "#define FAIL(...) (dprintf(2, __VA_ARGS__), _exit(1))\n\n"

#define TEXT_VOLATILE \
    "/* Volatile, so that no compiler elides a call or assumes anything of its result. */\n"

#define TEXT_LOOK_UP \
    "/* Not every libc has these. */\n__attribute__((constructor)) static void look_up(void)\n{\n"

#define TEXT_TIMES                                                                 \
    "static size_t times(size_t count, size_t size)\n"                             \
    "{\n"                                                                          \
    "    return size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;\n" \
    "}\n\n"

#define TEXT_IS_OWN                                                                                \
    "/* Whether a function is of the same allocator as malloc: what that lacks must not be taken " \
    "from the libc. */\n"                                                                          \
    "static int is_own(void *function)\n"                                                          \
    "{\n"                                                                                          \
    "    Dl_info one, other;\n"                                                                    \
    "    return function != NULL && dladdr((void *)malloc, &one) && dladdr(function, &other) &&\n" \
    "           one.dli_fbase == other.dli_fbase;\n"                                               \
    "}\n\n"

#define TEXT_USABLE                                                                              \
    "/* What malloc_usable_size grants, if the allocator has it; else the size. */\n"            \
    "static size_t usable(void *block, size_t size)\n"                                           \
    "{\n"                                                                                        \
    "    static int is_known = -1;\n"                                                            \
    "    if (is_known < 0)\n"                                                                    \
    "        is_known = is_own((void *)malloc_usable_size);\n"                                   \
    "    size_t granted = is_known && block != NULL ? malloc_usable_size(block) : size;\n"       \
    "    if (granted < size)\n"                                                                  \
    "        FAIL(\"malloc_usable_size says %zu of a block of %zu bytes\\n\", granted, size);\n" \
    "    return granted;\n"                                                                      \
    "}\n\n"

#define TEXT_NEXT                                                                           \
    "/* Every byte of blocks up to 1 MiB; of larger ones both ends, and some between. */\n" \
    "static size_t next(size_t at, size_t size)\n"                                          \
    "{\n"                                                                                   \
    "    if (size <= 1 << 20 || at < 4096 || size - at <= 4096)\n"                          \
    "        return at + 1;\n"                                                              \
    "    return size - at > 4096 + size / 1024 ? at + size / 1024 : size - 4096;\n"         \
    "}\n\n"

#define TEXT_BYTE_AT                                                                         \
    "/* Depends on the block and on the position, so that a shifted, swapped or stale copy " \
    "shows. */\n"                                                                            \
    "static unsigned char byte_at(int i, size_t at)\n"                                       \
    "{\n"                                                                                    \
    "    return (unsigned char)(seed[i] * 167 + at * 13 + at / 251);\n"                      \
    "}\n\n"

/* %s: how a loop goes on. */
#define TEXT_VERIFY                                                                               \
    "static void verify(int i, size_t size)\n"                                                    \
    "{\n"                                                                                         \
    "    for (size_t at = 0; at < size; %s)\n"                                                    \
    "        if (p[i][at] != byte_at(i, at))\n"                                                   \
    "            FAIL(\"block %%d of %%zu bytes: byte %%zu must be 0x%%02x, is 0x%%02x\\n\", i, " \
    "n[i], at, byte_at(i, at),\n"                                                                 \
    "                 p[i][at]);\n"                                                               \
    "}\n\n"

#define TEXT_TAKE_BEGIN                                   \
    "/* Fills a new block to its last usable byte. */\n"  \
    "static void take(int i, void *block, size_t size)\n" \
    "{\n"                                                 \
    "    static unsigned seeds;\n"                        \
    "    p[i] = block;\n"                                 \
    "    n[i] = block != NULL ? size : 0;\n"              \
    "    filled[i] = usable(block, n[i]);\n"              \
    "    seed[i] = ++seeds;\n"

/* %zu: number of slots. */
#define TEXT_TAKE_OVERLAP                                                                     \
    "    for (int j = 0; j < %zu; j++)\n"                                                     \
    "        if (block != NULL && j != i && p[j] != NULL &&\n"                                \
    "            ((p[i] < p[j] + filled[j] && p[j] < p[i] + filled[i]) || p[i] == p[j]))\n"   \
    "            FAIL(\"block %%d: %%p of %%zu bytes intersects live block %%d: %%p of %%zu " \
    "bytes\\n\", i, (void *)p[i],\n"                                                          \
    "                 filled[i], j, (void *)p[j], filled[j]);\n"

/* %s: how a loop goes on. */
#define TEXT_TAKE_END                               \
    "    for (size_t at = 0; at < filled[i]; %s)\n" \
    "        p[i][at] = byte_at(i, at);\n"          \
    "}\n\n"

#define TEXT_HOLD_BEGIN                                \
    "/* Block i, which must be as it was filled. */\n" \
    "static void *hold(int i)\n"                       \
    "{\n"

#define TEXT_HOLD_STABLE                                                                        \
    "    if (p[i] != NULL && usable(p[i], n[i]) != filled[i])\n"                                \
    "        FAIL(\"malloc_usable_size of block %d was %zu and is %zu now\\n\", i, filled[i], " \
    "usable(p[i], n[i]));\n"

#define TEXT_HOLD_END                 \
    "    if (p[i] != NULL)\n"         \
    "        verify(i, filled[i]);\n" \
    "    return p[i];\n"              \
    "}\n\n"

#define TEXT_DROP                        \
    "/* Block i for the last time. */\n" \
    "static void *drop(int i)\n"         \
    "{\n"                                \
    "    void *block = hold(i);\n"       \
    "    p[i] = NULL;\n"                 \
    "    return block;\n"                \
    "}\n\n"

#define TEXT_MOVE                                                                         \
    "/* After a realloc: a failed one keeps the block, others keep its first bytes. */\n" \
    "static void move(int i, void *block, size_t size)\n"                                 \
    "{\n"                                                                                 \
    "    if (block == NULL && size != 0) {\n"                                             \
    "        hold(i);\n"                                                                  \
    "        return;\n"                                                                   \
    "    }\n"                                                                             \
    "    p[i] = block;\n"                                                                 \
    "    verify(i, n[i] < size ? n[i] : size);\n"                                         \
    "    take(i, block, size);\n"                                                         \
    "}\n\n"

/* %s: how a loop goes on. */
#define TEXT_ZEROED                                                                             \
    "static void *zeroed(void *block, size_t size)\n"                                           \
    "{\n"                                                                                       \
    "    const unsigned char *bytes = block;\n"                                                 \
    "    for (size_t at = 0; block != NULL && at < size; %s)\n"                                 \
    "        if (bytes[at] != 0)\n"                                                             \
    "            FAIL(\"calloc of %%zu bytes: byte %%zu must be 0, is 0x%%02x\\n\", size, at, " \
    "bytes[at]);\n"                                                                             \
    "    return block;\n"                                                                       \
    "}\n\n"

#define TEXT_POSIX_BEGIN                                  \
    "static int result; /* of posix_memalign */\n\n"      \
    "static void *posix(size_t alignment, size_t size)\n" \
    "{\n"                                                 \
    "    static char untouched;\n"                        \
    "    void *block = &untouched;\n"                     \
    "    result = do_posix_memalign(&block, alignment, size);\n"

#define TEXT_POSIX_UNTOUCHED                                                                \
    "    if (result != 0 && block != &untouched && block != NULL)\n"                        \
    "        FAIL(\"posix_memalign failed with %d and wrote %p to its out-parameter\\n\", " \
    "result, block);\n"                                                                     \
    "    if (result == 0 && block == &untouched)\n"                                         \
    "        FAIL(\"posix_memalign returned 0 and left its out-parameter unset\\n\");\n"

#define TEXT_POSIX_END                         \
    "    return result == 0 ? block : NULL;\n" \
    "}\n\n"

#define TEXT_FREE_SIZED                                     \
    "/* C23; a libc that lacks it has free. */\n"           \
    "static void release_sized(void *block, size_t size)\n" \
    "{\n"                                                   \
    "    if (do_free_sized != NULL)\n"                      \
    "        do_free_sized(block, size);\n"                 \
    "    else\n"                                            \
    "        do_free(block);\n"                             \
    "}\n\n"

#define TEXT_FREE_ALIGNED_SIZED                                                       \
    "/* C23; a libc that lacks it has free. */\n"                                     \
    "static void release_aligned_sized(void *block, size_t alignment, size_t size)\n" \
    "{\n"                                                                             \
    "    if (do_free_aligned_sized != NULL)\n"                                        \
    "        do_free_aligned_sized(block, alignment, size);\n"                        \
    "    else\n"                                                                      \
    "        do_free(block);\n"                                                       \
    "}\n\n"

#define TEXT_RESIDENT                                               \
    "static long resident(void)\n"                                  \
    "{\n"                                                           \
    "    char text[64] = \"\", *end;\n"                             \
    "    int file = open(\"/proc/self/statm\", O_RDONLY);\n"        \
    "    if (file < 0 || read(file, text, sizeof text - 1) <= 0)\n" \
    "        FAIL(\"cannot read /proc/self/statm\\n\");\n"          \
    "    close(file);\n"                                            \
    "    strtol(text, &end, 10);\n"                                 \
    "    return strtol(end, NULL, 10) * getpagesize();\n"           \
    "}\n\n"

/* %s: what comes first. %u, %u: cycles in each half, the fewest and the most: what failures lose
 * may end after a few hundred cycles. */
#define TEXT_FOOTPRINT_MAIN                                                                        \
    "int main(void)\n"                                                                             \
    "{\n"                                                                                          \
    "%s"                                                                                           \
    "    for (int i = 0; i < 16; i++) /* caches may fill */\n"                                     \
    "        cycle();\n"                                                                           \
    "    for (int half = %u; half <= %u; half *= 4) {\n"                                           \
    "        long start = resident();\n"                                                           \
    "        for (int i = 0; i < half; i++)\n"                                                     \
    "            cycle();\n"                                                                       \
    "        long middle = resident();\n"                                                          \
    "        for (int i = 0; i < half; i++)\n"                                                     \
    "            cycle();\n"                                                                       \
    "        long last = resident();\n"                                                            \
    "        if (middle - start >= 1 << 18 && last - middle > (middle - start) / 2)\n"             \
    "            FAIL(\"%%d cycles that free everything grew memory by %%ld bytes, as many again " \
    "by %%ld\\n\", half,\n"                                                                        \
    "                 middle - start, last - middle);\n"                                           \
    "    }\n"                                                                                      \
    "    return 0;\n"                                                                              \
    "}\n"

#define TEXT_PROGRESS                                       \
    "static void give_up(int number)\n"                     \
    "{\n"                                                   \
    "    (void)number;\n"                                   \
    "    FAIL(\"a call did not return within 10 s\\n\");\n" \
    "}\n\n"

/* What the mutants, and any subject that cooperates, export. */
#define TEXT_WALKER                                                                              \
    "/* The allocator's own walker, where it exports one: it sees damage before a caller does. " \
    "*/\n"                                                                                       \
    "static void walk(void)\n"                                                                   \
    "{\n"                                                                                        \
    "    char sentence[256] = \"\";\n"                                                           \
    "    if (do_mallet_subject_check != NULL && do_mallet_subject_check(sentence, sizeof "       \
    "sentence) != 0)\n"                                                                          \
    "        FAIL(\"the allocator's walker: %s\\n\", sentence);\n"                               \
    "}\n\n"

#define TEXT_EXIT                                      \
    "static int is_done;\n\n"                          \
    "static void check_done(void)\n"                   \
    "{\n"                                              \
    "    if (!is_done)\n"                              \
    "        FAIL(\"a call ended the process\\n\");\n" \
    "}\n\n"

#endif
