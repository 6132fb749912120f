/* SPDX-License-Identifier: MIT */
/*
 * The gate on the host's own malloc, without the mallet command. Exit status: 0 all hold, 1 some
 * fail, 2 bad usage, 3 internal error.
 */
#ifndef CONFORMANCE_STANDALONE_H
#define CONFORMANCE_STANDALONE_H

int standalone_main(int argc, char **argv);

#endif
