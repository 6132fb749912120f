#!/bin/sh
# SPDX-License-Identifier: MIT
# Of the drop-in's two mappings with code, a small process has only one resident: see
# libanvil.ld.in.
#   resident.sh LIBRARY                        exit 77: there is no /proc/self/smaps
set -eu
[ -r /proc/self/smaps ] || { echo "no /proc/self/smaps: skipped"; exit 77; }
LD_PRELOAD=$1 /bin/sed -n p /proc/self/smaps | awk '
    /^[0-9a-f]+-[0-9a-f]+ / { is_code = $2 == "r-xp" && /libanvil/ }
    /^Rss:/ && is_code { print "code:", $2, "KiB resident"; mappings++; used += $2 > 0 }
    END { exit !(mappings == 2 && used == 1) }'
