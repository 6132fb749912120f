/* SPDX-License-Identifier: MIT */
/* Broken malloc_info and malloc_stats. */
#include "mutants/conformance/mutant.h"

static void print_to_output(void)
{
    static const char line[] = "statistics\n";
    (void)!write(STDOUT_FILENO, line, sizeof line - 1);
    base_malloc_stats();
}
MUTANT(stats_go_to_standard_output, .malloc_stats = print_to_output)

static int leave_sizes_open(int options, FILE *file)
{
    if (options != 0)
        return EINVAL;
    fprintf(file, "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</heap>\n</malloc>\n");
    return 0;
}
MUTANT(info_leaves_an_element_open, .malloc_info = leave_sizes_open)

static int ignore_options(int options, FILE *file)
{
    (void)options;
    return base_malloc_info(0, file);
}
MUTANT(info_ignores_its_options, .malloc_info = ignore_options)
