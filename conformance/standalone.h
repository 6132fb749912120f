/* SPDX-License-Identifier: MIT */
/* The gate without the mallet command, on the host's own malloc. Exit status: 0 passes, 1 does not,
 * 2 bad usage, 3 an internal error. */
#ifndef CONFORMANCE_STANDALONE_H
#define CONFORMANCE_STANDALONE_H

int standalone_main(int argc, char **argv);

#endif
