#!/bin/sh
# SPDX-License-Identifier: MIT
# `mallet corpus merge`: what is kept, what names and comments become of, what engines bring, and
# bad requests.
#
# usage: corpus.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
mkdir -p one two/queue/.state empty full

# the second shows all that the first does, and more; the third repeats it
printf '# a comment of a person\n#0 = malloc 48\nfree #0\n' >one/small.trace
printf '# the larger one\n# kept: for its name\n#0 = malloc 48\nfree #0\n#1 = calloc 3 100000\n' >one/large.trace
ends 0 encode one/large.trace
cp out two/queue/id:000000,time:0,execs:0,orig:large
cp out two/0123456789abcdef0123456789abcdef01234567
: >two/queue/.state/id:000000
: >two/queue/id:000001,src:000000
printf 'README' >two/README.txt
printf 'abcd' >two/89abcdef0123456789abcdef0123456789abcdef # printable, and bytes all the same

usage 'SUBJECT is missing' corpus
usage 'unknown action `sort`; there is: merge' corpus sort anvil one
usage 'FILE or DIR is missing' corpus merge anvil
refused 'the folder holds no \*\.trace' corpus merge anvil empty
refused 'standard input has no name' corpus merge anvil -
touch full/x
refused '^mallet: --output: full is not empty' corpus merge -o full anvil one
refused 'nosuch' corpus merge -o none nosuch one
holds 'a refused request leaves nothing' test ! -e none

ends 0 corpus merge -o both anvil one two
printed '^both: [12] of 6 traces have all [0-9]* features$'
printed '^1 input had no op$'
same both/large.trace one/large.trace
holds 'the small one is not needed, nor what repeats the large one' test "$(ls both | grep -vc '^input-')" -eq 1
ends 0 corpus merge --output=again anvil one two
holds 'every run gives the same' diff -r both again
ends 0 corpus merge --json -o json anvil one two
holds 'the document says what was read, kept and from where' /usr/bin/python3 - <<'PYTHON'
import json, os
d = json.load(open("out"))
assert (d["document"], d["output"], d["traces"], d["empty"]) == ("corpus", "json", 6, 1)
assert d["left_out"] == []
assert sorted(k["file"] for k in d["kept"]) == sorted("json/" + name for name in os.listdir("json"))
found = [k["found"] for k in d["kept"]]
assert "one/large.trace" in found and "one/small.trace" not in found
features = [k["features"] for k in d["kept"]]
assert sum(features) == d["features"] > 0 and min(features) > 0
PYTHON
holds 'it writes the same traces' diff -r both json
cp one/small.trace "one/$(printf 'gr\366sse').trace" # a name in Latin-1
ends 0 corpus merge --json -o latin anvil "one/$(printf 'gr\366sse').trace"
printed '"found": "one/gr?sse.trace"'
ends 0 replay --json anvil "one/$(printf 'gr\366sse').trace"
printed '"file": "one/gr?sse.trace"'
rm one/gr*
ends 0 corpus merge -o alone anvil one/small.trace
same alone/small.trace one/small.trace

# bytes alone: a name of their content, where they are from, and the same ops
ends 0 corpus merge -o engine anvil two/0123456789abcdef0123456789abcdef01234567
kept=$(ls engine/input-*.trace)
holds 'it says where it is from' grep -q '^# found: two/0123456789abcdef0123456789abcdef01234567$' "$kept"
ends 0 show "$kept"
cp out kept
ends 0 show one/large.trace
same out kept

# the same name twice, with other content
mkdir three
printf '#0 = realloc NULL 70000\n#0 = realloc #0 10\n#1 = aligned_alloc 64 640\nfree #1\n' >three/large.trace
ends 0 corpus merge -o named anvil one three
same named/large-2.trace "$(cmp -s named/large.trace one/large.trace && echo three/large.trace || echo one/large.trace)"

if [ -n "$foreign" ]; then # what breaks the subject is left out, and said
    printf '#0 = malloc 24\n#1 = malloc 24\n#2 = malloc 24\n' >one/odd.trace
    ends 0 corpus merge -o sound "$mutants/libheap_none.so" one
    round=$mutants/libheap_round_to_8.so
    ends 0 corpus merge --json -o part "$round" one/odd.trace one/small.trace
    printed '"check": "alignment"'
    printed '"file": "one/odd.trace"'
    ends 2 corpus merge -o broken "$mutants/libheap_round_to_8.so" one/odd.trace
    said '^left out: one/odd.trace: alignment: '
    said 'runs none of the 1 traces clean'
fi
finish
