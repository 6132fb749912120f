/* SPDX-License-Identifier: MIT */
/*
 * mallet-conform: the program in which each probe runs. Started by a person, it runs the whole
 * gate on the libc that it is linked with, statically or not. It needs nothing but that libc.
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
