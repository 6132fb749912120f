/* SPDX-License-Identifier: MIT */
/* Nothing can be put over malloc. */
#include "conformance/tests/mutants_elf/planted.h"

#include "allocator/src/override.c"

__asm__(".protected malloc");

PLANTED("GLIBC-replace-1 ELF-interpose-2")
