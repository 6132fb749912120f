/* SPDX-License-Identifier: MIT */
/*
 * The main of mallet-child. Started by a person, it runs the whole gate on the libc that it is
 * linked with, statically or not. It needs nothing but that libc.
 */
#include "conformance/standalone.h"
#include "harness/job/child.h"

int main(int argc, char **argv)
{
    child_main(argc, argv);
    return standalone_main(argc, argv);
}
