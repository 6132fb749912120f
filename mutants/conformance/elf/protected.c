/* SPDX-License-Identifier: MIT */
/* Nothing can be put over malloc. */
#include "mutants/conformance/elf/elf.h"

#include "allocator/src/override.c"

__asm__(".protected malloc");

MUST_FAIL("GLIBC-replace-1 ELF-interpose-2")
