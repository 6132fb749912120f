#!/bin/sh
# SPDX-License-Identifier: MIT
# Every workload of `mallet growth` runs once on anvil, however long it takes, and finds nothing.
#
# usage: workloads.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
if [ -z "$foreign" ]; then # a sanitizer makes it too slow
    finish
    exit
fi
ends 0 growth --quick --workload append anvil # which has bands of its own
cp "$work/out" "$work/append"
ends 0 growth --quick --band 256 anvil
cat "$work/append" >>"$work/out"
for workload in $("$mallet" growth --list | awk '{print $2}'); do
    printed "^ok  *$workload[ /]"
done
finish
