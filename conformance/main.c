/* SPDX-License-Identifier: MIT */
/*
 * mallet-conform: the process that each probe runs in, and by itself the whole gate on the libc
 * that it is linked with: what a port of a libc runs, statically linked too. It needs nothing but
 * that libc.
 */
#define PROBE_NO_NAMES
#include "conformance/process.h"
#include "conformance/standalone.h"

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], PROCESS_OPTION) == 0)
        process_main(argv[2], argv[3], argv[4]);
    return standalone_main(argc, argv);
}
