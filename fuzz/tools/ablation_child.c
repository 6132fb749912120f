/* SPDX-License-Identifier: MIT */
/* A child program that runs traces and has no jobs. */
#include "harness/job/child.h"

int main(int argc, char **argv)
{
    child_main(argc, argv);
    return CHILD_EXIT_USAGE;
}
