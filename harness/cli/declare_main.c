/* SPDX-License-Identifier: MIT */
/* A declaration as the two files that `--declare` makes of it, for what is built here:
 *     declare_names FILE NAMES.c NAMES.h */
#include "harness/cli/declare.h"
#include "harness/cli/output.h"

static int write_file(const struct declaration *declaration, const char *path, bool is_program)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    int failure = output_open(&output, path, error);
    if (failure == 0) {
        if (is_program)
            declare_write_program(declaration, output.file);
        else
            declare_write_names(declaration, "", output.file);
        failure = output_close(&output, error);
    }
    if (failure != 0)
        fprintf(stderr, "declare_names: %s\n", error);
    return failure;
}

int main(int argc, char **argv)
{
    const struct declaration *declaration;
    char error[BRING_ERROR_MAX];
    if (argc != 4) {
        fprintf(stderr, "usage: %s FILE NAMES.c NAMES.h\n", argv[0]);
        return 2;
    }
    if (declare_read(argv[1], &declaration, error) != 0) {
        fprintf(stderr, "declare_names: %s\n", error);
        return 2;
    }
    return write_file(declaration, argv[2], false) != 0 ||
           write_file(declaration, argv[3], true) != 0;
}
