#!/bin/sh
# SPDX-License-Identifier: MIT
# Links the static library with musl's C library, and runs the result.
#   musl.sh LIBRARY INCLUDE_DIRECTORY          exit 77: musl-gcc is not installed
set -eu
command -v musl-gcc >/dev/null || { echo "musl-gcc is not installed: skipped"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/program.c" <<'END'
#include "anvil.h"
#include <stdio.h>
#include <string.h>
int main(void)
{
    char error[200], *block = anvil_realloc(strcpy(anvil_malloc(100), "kept"), 100000);
    if (block == NULL || strcmp(block, "kept") != 0 || anvil_heap_check(NULL, error, sizeof error) != 0)
        return 1;
    anvil_free(block);
    puts("ok");
    return 0;
}
END
musl-gcc -static -I"$2" -o "$work/program" "$work/program.c" "$1"
[ "$("$work/program")" = ok ] && echo "linked and run"
