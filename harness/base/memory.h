/* SPDX-License-Identifier: MIT */
#ifndef HARNESS_MEMORY_H
#define HARNESS_MEMORY_H

#include <stddef.h>

/* Resident bytes of this process; 0 if the system does not tell. Allocates nothing: the subject may
 * be the process's own malloc. */
size_t memory_resident(void);

#endif
