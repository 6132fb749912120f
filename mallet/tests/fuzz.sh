#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet fuzz`, with a script in the place of the engine's target: how few runs
# make a campaign incomplete, in which order its findings are looked at, what the target is told,
# and what an interrupt leaves.
#
# usage: fuzz.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
if [ -z "$foreign" ]; then
    finish
    exit
fi

# A build folder of our own, by links, and the target where its engine would be built.
build=$work/build/plain
target=$work/build/libfuzzer/bin/fuzz_trace
mkdir -p "$build/bin" "$(dirname "$target")" "$work/raw"
for program in "$mallet" "$(dirname "$mallet")"/mallet-child*; do
    ln "$program" "$build/bin/" 2>/dev/null || cp "$program" "$build/bin/"
done
ln -s "$(cd "$(dirname "$mallet")/../lib" && pwd)" "$build/lib"
mallet=$build/bin/mallet
cat >"$target" <<'TARGET'
#!/bin/sh
for word; do
    case $word in -max_total_time=*) seconds=${word#*=} ;; esac
done
echo "executions=$RUNS features=3" >"$MALLET_FINDINGS/stats-$$"
env | grep '^MALLET_' >"$MALLET_FINDINGS/../told"
cp "$RAW"/*.trace "$MALLET_FINDINGS/" 2>/dev/null
echo "#1 pulse cov: 10 ft: 10 corp: 3/9b"
exec sleep "$seconds"
TARGET
chmod +x "$target"
export RUNS=5000 RAW="$work/raw"

campaigns=0
fuzz() { # status, subject, options: in a folder of its own
    wanted=$1
    shift
    campaigns=$((campaigns + 1))
    ends "$wanted" fuzz --time 1 --output "$work/$campaigns" "$@"
}

fuzz 0 glibc
printed '^glibc: 0 findings in .* s, 5000 runs'
RUNS=100 # far fewer than it takes to say anything
fuzz 4 glibc
printed 'incomplete: 100 runs of at least 2000'
fuzz 4 --json glibc
printed '"minimum": 2000'
RUNS=5000

# what the target is told
fuzz 0 --capacity 64K glibc
holds 'the capacity goes to the target' grep -q '^MALLET_CAPACITY=65536$' "$work/$campaigns/told"
fuzz 0 --jobs 3 glibc
holds 'three jobs, each with its statistics' test "$(ls "$work/$campaigns/raw" | grep -c stats)" -eq 3

# AFL++: a folder of its own, or one that is shared, in which one instance is the main one, also
# when it comes again
afl=$work/build/afl
mkdir -p "$afl/bin" "$afl/lib" "$work/path"
cp "$target" "$afl/bin/fuzz_trace"
: >"$afl/lib/mallet-afl-mutator.so"
cat >"$work/path/afl-fuzz" <<'AFL'
#!/bin/sh
echo "$*" >>"$STARTED"
while [ "$1" != -o ]; do shift; done
folder=$2/$4
mkdir -p "$folder/queue"
printf 'execs_done        : 5000\ncorpus_count      : 1\nedges_found       : 7\n' >"$folder/fuzzer_stats"
echo "executions=5000 features=3" >"$MALLET_FINDINGS/stats-$$"
printf 'abcd' >"$folder/queue/id:000000,orig:x"
exec sleep 1
AFL
chmod +x "$work/path/afl-fuzz"
export STARTED="$work/started"
PATH=$work/path:$PATH
started() { # the words of the last instances, with `name` for what is in the place of a name
    sed -nE "s|.* -o $1 (-[MS]) ([a-z0-9A-Z_]+-[0-9a-f]{8}-)?([a-z0-9]+) .*|\1 \3|p" "$STARTED" | sort | tr '\n' ' '
    rm -f "$STARTED"
}
fuzz 0 --engine afl --jobs 2 anvil
holds 'by itself: one main, others secondary' test "$(started "$work/$campaigns/afl")" = '-M job0 -S job1 '
holds 'its corpus is collected' test -f "$work/$campaigns/corpus/afl0-id:000000,orig:x"
refused '^mallet: --sync: only AFL++ shares a folder' fuzz --sync "$work/sync" glibc
refused '^mallet: --sync: cannot' fuzz --engine afl --sync /proc/nowhere/x --output "$work/none" anvil
fuzz 0 --engine afl --jobs 2 --sync "$work/sync" anvil
first=$campaigns
holds 'the first in a shared folder has the main one' test "$(started "$work/sync")" = '-M 0 -S 1 '
holds 'its corpus is collected from there' test -f "$work/$campaigns/corpus/afl1-id:000000,orig:x"
fuzz 0 --engine afl --sync "$work/sync" anvil
holds 'the second has none' test "$(started "$work/sync")" = '-S 0 '
ends 0 fuzz --time 1 --engine afl --output "$work/$first" --sync "$work/sync" anvil
holds 'the first is the main one again' test "$(started "$work/sync")" = '-M 0 '
holds 'three instances, each with its name' test "$(ls "$work/sync" | grep -c -- '-[0-9a-f]*-[01]$')" -eq 3

# a source: the target searches with the build that counts edges, and nothing else knows of it
echo '#include <stdlib.h>
static _Alignas(16) char block[64]; void *malloc(size_t n) { return n > 64 ? NULL : block; } void free(void *b) { (void)b; }' >"$work/mine.c"
cd "$work" || exit 1
fuzz 0 --lacks errno "$work/mine.c"
holds 'the target gets the build with counters' grep -q "^MALLET_SUBJECT=$work/$campaigns/built/mine.fuzz.so\$" "$work/$campaigns/told"
holds 'it counts' sh -c 'nm -D "$1" | grep -q " D mallet_subject_coverage$" && nm -D "$1" | grep -q " T __sanitizer_cov_trace_pc$"' - "$work/$campaigns/built/mine.fuzz.so"
holds 'the subject itself does not' sh -c '! nm -D "$1" | grep -q sanitizer' - "$work/$campaigns/built/mine.so"
printed '^mine.so: '
sleep 1
older=$work/$campaigns/built/mine.so
touch "$older"
fuzz 0 "$older"
holds 'an older build with counters is not used' grep -q '^MALLET_SUBJECT=.*/mine.so$' "$work/$campaigns/told"

# The shortest trace comes first, whatever its name: it shrinks fastest, and the time for triage may
# end. The second of a check waits for the first of every other one.
{
    printf '# check: alignment\n# site: calloc\n# sentence: misaligned\n'
    for i in $(seq 20); do echo "#$i = calloc 1 24"; done
} >"$work/raw/alignment-calloc.trace"
printf '# check: alignment\n# site: malloc\n# sentence: misaligned\n#0 = malloc 24\n' >"$work/raw/alignment-malloc.trace"
{
    printf '# check: errno\n# site: free\n# sentence: changed\n'
    for i in $(seq 40); do echo "#$i = malloc 16"; done
} >"$work/raw/errno-free.trace"
fuzz 1 "$mutants/libheap_round_to_8.so"
printed 'libheap_round_to_8.so: 3 findings'
order=$(sed -n 's/^triage: \([a-z]*-[a-z]*\): .*/\1/p' "$work/err" | tr '\n' ' ')
[ "$order" = 'alignment-malloc errno-free alignment-calloc ' ]
count $? "the order of triage was: $order"
said '^triage: 3 of 3$'

# Jobs share the triage: all is there, whoever did it.
fuzz 1 --jobs 3 "$mutants/libheap_round_to_8.so"
printed 'libheap_round_to_8.so: 3 findings'
said '^triage: 3 of 3$'
holds 'each finding has its files' test "$(ls "$work/$campaigns"/findings/*/finding.json | wc -l)" -eq 3

# A finding that no longer shows is a note, and counts under --strict.
rm "$work/raw"/*
printf '# check: overlap\n# site: malloc\n# sentence: two blocks\n#0 = malloc 24\n' >"$work/raw/overlap-malloc.trace"
fuzz 0 glibc
printed 'reproduced 0 of 5; a note: its own program does not show it'
fuzz 1 --strict glibc

# What shows only in a subject that was opened late is a note, and says so.
cat >"$work/late.c" <<'SOURCE'
#include <stdlib.h>
#include <string.h>
static _Alignas(16) char pool[64 << 20];
static size_t used;
void *malloc(size_t size)
{
    size_t space = (size + 31) & ~(size_t)15, late = getenv("LD_PRELOAD") == NULL ? 4 : 0;
    if (size > sizeof pool || used + space + 16 > sizeof pool)
        return NULL;
    char *block = pool + used + 16;
    memcpy(block - 8, &size, 8);
    used += space + 16;
    return block + late;
}
void free(void *block) { (void)block; }
SOURCE
if cc -O1 -w -fno-builtin -shared -fPIC -o "$work/late.so" "$work/late.c"; then
    rm -f "$work/raw"/*
    printf '# check: alignment\n# site: malloc\n# sentence: misaligned\n#0 = malloc 24\n' >"$work/raw/alignment-malloc.trace"
    fuzz 0 "$work/late.so"
    printed 'reproduced 5 of 5; a note: only when dlopened: its own program, under LD_PRELOAD, does not show it'
    fuzz 1 --strict "$work/late.so"
fi

finish
