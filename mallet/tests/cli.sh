#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet`: exit statuses, the one sentence for each bad input, and round trips
# between the forms of a trace.
#
# usage: cli.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
wrapping=$mutants/libheap_calloc_wrap.so

good=$work/good.trace
printf '# a comment\n#0 = malloc 48\n#1 = calloc 4 12\n#0 = realloc #0 200\nfree #1\nfree #0\n' >"$good"
printf '#0 = malloc 48\n#0 = realloc #0 0\nfree #0\n' >"$work/choice.trace"
printf '# only a comment\n' >"$work/empty.trace"
printf '#0 = malloc 48\nfree #0\nfoo 3\n' >"$work/bad.trace"
printf '#0 = malloc 48\n#0 = malloc 9\n' >"$work/twice.trace"
: >"$work/nothing.bin"
mkdir "$work/folder" "$work/folder/below" "$work/hollow"
cp "$good" "$work/folder/b.trace"
cp "$good" "$work/folder/below/a.trace"
cp "$work/bad.trace" "$work/folder/notes.txt"
echo 'this is no shared object' >"$work/text.so"
echo 'int answer(void) { return 42; }' >"$work/none.c"

# the command itself
ends 0 --help
printed replay
ends 0 --version
printed '^mallet [0-9]'
refused 'COMMAND is missing'
refused 'unknown command `frobnicate`' frobnicate
for command in check list show encode export replay diff shrink corpus record fuzz conform clauses torture growth bench; do
    ends 0 $command --help
    printed 'Usage: '
    usage 'unrecognized option' $command --frobnicate
done

# files
usage 'FILE is missing' show
usage 'one FILE only' show "$good" "$good"
refused 'cannot read .*none.trace: No such file' show "$work/none.trace"
refused 'cannot read .*hollow: Is a directory' show "$work/hollow"
refused 'empty.trace: the trace is empty' show "$work/empty.trace"
refused 'nothing.bin: the trace is empty' show "$work/nothing.bin"
refused 'bad.trace:3: .*foo' show "$work/bad.trace"
refused 'twice.trace:2: ' show "$work/twice.trace"
refused 'more than [0-9]* bytes' show /dev/zero
refused '-: the trace is empty' show -
for command in encode export; do
    refused 'bad.trace:3: .*foo' $command "$work/bad.trace"
done

# outputs
refused 'cannot write /nonexistent/x: No such file' show "$good" -o /nonexistent/x
refused 'cannot write /dev/full: No space left' show "$good" -o /dev/full
refused 'cannot write .*hollow: Is a directory' show "$good" -o "$work/hollow"
for command in check growth torture; do # an output folder
    refused "--output: cannot write into the folder $good.*: Not a directory" $command -o "$good" anvil
    refused '--output: cannot write into the folder /proc/nowhere.*: No such file' $command -o /proc/nowhere/x anvil
done
cat >"$work/full.sh" <<'SCRIPT' # as root of its own mounts: an output folder without room
mount -t tmpfs -o size=64k tmpfs "$2" || exit 77
head -c 100000 /dev/zero >"$2/fill" 2>/dev/null
"$1" replay --findings "$2/x" anvil "$3" && exit 1
"$1" torture --time 100 --output "$2/x" anvil && exit 1
"$1" check --output "$2/x" anvil && exit 1
[ "$(ls "$2")" = fill ]
SCRIPT
mkdir "$work/full"
unshare -rm sh "$work/full.sh" "$mallet" "$work/full" "$good" >"$work/out" 2>"$work/err"
status=$?
if [ $status -ne 77 ] && [ "$(grep -c '^unshare' "$work/err")" -eq 0 ]; then
    [ $status -eq 0 ] && [ "$(grep -c 'No space left on device$' "$work/err")" -eq 3 ] && [ ! -s "$work/out" ]
    count $? "a full disk is not noticed before anything runs"
fi
"$mallet" show "$good" >/dev/full 2>"$work/err"
[ $? -eq 2 ] && grep -q 'standard output: No space left' "$work/err"
count $? 'show >/dev/full'
"$mallet" --help >/dev/full 2>"$work/err"
[ $? -eq 2 ] && grep -q 'standard output: No space left' "$work/err"
count $? '--help >/dev/full'

echo kept >"$work/kept"
ln -s "$work/kept" "$work/link"
refused 'unknown subject' shrink nobody "$good" -o "$work/link"
holds 'a check of the output changes nothing behind a link' grep -q kept "$work/kept"

# forms
ends 0 show "$good" -o "$work/shown.trace"
ends 0 encode "$good" -o "$work/good.bin"
ends 0 show "$work/good.bin" -o "$work/back.trace"
same "$work/shown.trace" "$work/back.trace"
ends 0 encode "$work/back.trace" -o "$work/back.bin"
same "$work/good.bin" "$work/back.bin"
"$mallet" encode "$good" 2>/dev/null | "$mallet" show - >"$work/piped.trace" 2>/dev/null
same "$work/shown.trace" "$work/piped.trace"
! ls "$work" | grep -q part
count $? 'a partial file was left behind'

# export
ends 0 export "$good" -o "$work/program.c"
cc -O2 -Wall -Werror "$work/program.c" -o "$work/program" -ldl 2>"$work/err" && "$work/program" 2>"$work/err"
count $? 'the exported program'

# subjects
ends 0 list
printed '^anvil '
printed '^glibc '
ends 0 list --json
printed '"name": "anvil"'
usage 'Too many arguments' list anvil
usage 'SUBJECT is missing' replay
usage 'FILE or DIR is missing' replay anvil
refused 'unknown subject `nobody`' replay nobody "$good"
refused 'none.so' replay "$work/none.so" "$good"
if [ -n "$foreign" ] && cc -shared -fPIC "$work/none.c" -o "$work/without.so" 2>/dev/null; then
    refused "could not bind $work/text.so: file too short" replay "$work/text.so" "$good"
    mkfifo "$work/pipe.so"
    for subject in "$work/pipe.so" "$work/folder" /dev/zero; do
        refused "could not bind $subject: it is not a regular file" replay "$subject" "$good"
    done
    refused 'without.so.*malloc' replay "$work/without.so" "$good"
    # LD_PRELOAD does not reach it
    cat >"$work/bump.c" <<'END'
#include <stddef.h>
#ifdef TLS_BYTES
static __thread char own[TLS_BYTES];
#else
static char own[1 << 20];
#endif
static char pool[64 << 20];
static size_t used;
void *malloc(size_t size)
{
    size_t need = (size + 31) & ~(size_t)15;
    own[0]++;
    if (need < size || need > sizeof pool - used)
        return NULL;
    used += need;
    return pool + used - need;
}
void free(void *block) { (void)block; }
END
    echo 'OWN_1.0 { global: malloc; free; local: *; };' >"$work/own.map"
    cc -O1 -fPIC -fno-builtin -shared -Wl,--version-script="$work/own.map" -o "$work/versioned.so" "$work/bump.c"
    refused 'versioned.so: its malloc has a symbol version' replay "$work/versioned.so" "$good"
    # more static TLS than a library that is opened late can have
    cc -O1 -fPIC -fno-builtin -shared -ftls-model=initial-exec -DTLS_BYTES=90000 -o "$work/tls.so" "$work/bump.c"
    ends 0 replay --rounds 0 "$work/tls.so" "$good"
fi
refused '--deal' replay --deal 1 --fail-os 1 anvil "$good"
refused 'frob' replay anvil:frob=1 "$good"
refused '--binding: `frob`' replay --binding frob anvil "$good"
refused '--rounds: `-1`' replay --rounds -1 anvil "$good"
for time in soon 0 0m -5 5x 1h2 30m1h 1h1h m 721h 99999999999999999999; do
    refused "--limit: \`$time\` is not a time: .* 90s, 20m or 1h30m, from 1s to 720h" replay --limit=$time anvil "$good"
done
for time in 90 90s 20m 1h30m 1h0m5s 720h; do
    ends 0 replay --limit $time anvil "$good"
done
refused '--rounds: `1000001` is not a number from 0 to 1000000' replay --rounds 1000001 anvil "$good"
refused '--fail-os: `0` is not a number from 1 to' replay --fail-os 0 anvil "$good"
refused '--deal: `0` is not a number from 1 to' replay --deal 0 anvil "$good"
usage 'unrecognized option .--seed' replay --seed 1 anvil "$good" # a shared option that it does not take
usage 'one SUBJECT only, not also `glibc`' torture anvil glibc
for size in 1x -1 '' K 1KK 9223372036854775808 9007199254740992K; do
    refused "--capacity: \`$size\` is not a size in bytes, such as 65536, 64K, 1M or 2G, up to 9223372036854775807" replay --capacity="$size" anvil "$good"
done
for size in 0 1048576 64K 1M 2G; do
    ends 0 replay --capacity $size anvil "$good"
done
for checks in frob '' overlap, overlap,,errno overlap,frob; do
    refused '--allow: `.*` is none of overlap, alignment, .*race' replay --allow="$checks" anvil "$good"
done
ends 0 replay --strict --allow recovery,scaling anvil "$good"
refused '--cost: only anvil' replay --cost glibc "$good"
refused '--cost: only anvil' replay --cost anvil-broken.so "$good" # it only begins like anvil
refused 'cannot be bound as static' replay --binding static "$0" "$good"
refused 'subject `glibc`: it is always bound as host here, not as dlopen' replay --binding dlopen glibc "$good"
refused 'subject `anvil`: it is always bound as static here, not as preload' replay --binding preload anvil "$good"
refused 'subject `anvil`: .*, not as dlopen; name libanvil.so for that' torture --binding dlopen anvil
for command in check conform fuzz; do
    refused '--jobs: `65` is not a number from 1 to 64' $command --jobs 65 anvil
done

# a request that is refused leaves nothing behind, and runs nothing
echo old >"$work/lines"
refused 'bad.trace:3: ' replay --findings "$work/lines" anvil "$good" "$work/bad.trace"
refused 'unknown subject `nobody`' shrink --findings "$work/lines" nobody "$good"
refused '--baseline: cannot read /nonexistent/x' shrink --baseline /nonexistent/x anvil "$good"
[ "$(cat "$work/lines")" = old ]
count $? 'a refused request overwrote --findings'
ends 0 replay --findings "$work/lines" anvil "$good"
holds 'no finding, no lines' test ! -s "$work/lines"
refused '--output: cannot write into the folder /proc/x' fuzz -o /proc/x/y anvil
refused '--corpus: cannot read the folder /nonexistent/x' fuzz -o "$work/new" --corpus /nonexistent/x anvil
refused '--corpus: no text traces (\*.trace) in .*hollow' check -o "$work/new/below" --corpus "$work/hollow" anvil
refused 'unknown subject `nobody`' growth -o "$work/new/below" nobody
holds 'no folder is left' test ! -e "$work/new"

# replay
ends 0 replay anvil "$good"
printed '^1 passed, 0 failed'
ends 0 replay anvil "$work/folder"
printed '^ok .*folder/b.trace'
printed '^ok .*folder/below/a.trace'
printed '^2 passed, 0 failed'
ends 0 replay --json --rounds 0 --strict-align anvil "$good"
printed '"passed": 1'
ends 0 replay --cost anvil "$good"
printed 'ratio [0-9]'
if [ -n "$foreign" ]; then
    # a loss of one small block in a cycle, which takes more cycles than traces get at first
    printf '#0 = malloc 24\n#0 = realloc #0 0\n' >"$work/loss.trace"
    ends 1 replay "$mutants/libheap_realloc_zero_leaks.so" "$work/loss.trace"
    printed '^  check     footprint'
fi
refused 'hollow: the folder holds no' replay anvil "$work/hollow"
refused 'bad.trace:3: ' replay anvil "$work/bad.trace"
refused '/nonexistent/known: No such file' replay --known /nonexistent/known anvil "$good"
printf '# a comment\nanvil errno\n' >"$work/short.known"
refused 'short.known:2: .*SUBJECT CHECK-OR-CLAUSE SITE-OR-VERDICT' replay --known "$work/short.known" anvil "$good"
printf 'anvil beauty malloc\n' >"$work/check.known"
refused 'check.known:1: .*names no check' replay --known "$work/check.known" anvil "$good"

# diff, shrink
usage 'FILE is missing' diff
usage 'a SUBJECT to compare with is missing' diff "$good" anvil
ends 0 diff "$good" anvil anvil:fit:best
printed 'the contract is the same'
if [ -n "$foreign" ]; then
    ends 0 diff --json "$work/choice.trace" anvil glibc
    printed '"differ": false'
fi
usage 'FILE is missing' shrink anvil
ends 0 shrink anvil "$good"
grep -q 'nothing to shrink: every check holds' "$work/err"
count $? 'shrink of a clean trace says nothing'
refused '--budget: `many`' shrink --budget many anvil "$good"

# how much it holds: found by probing, or stated, wrongly here
pool=$mutants/../sound/libpool_64k.so
if [ -e "$pool" ]; then
    echo '#0 = malloc 1000000' >"$work/large.trace"
    ends 0 replay "$pool" "$work/large.trace"
    ends 1 replay --capacity 0 "$pool" "$work/large.trace"
    ends 1 diff "$work/large.trace" anvil "$pool" # a block here, NULL there
    printed '^libpool_64k.so: every check holds'
    ends 1 diff --capacity 0 "$work/large.trace" anvil "$pool"
    printed '^libpool_64k.so: FINDING'
    ends 0 shrink "$pool" "$work/large.trace"
    ends 1 shrink --capacity 0 "$pool" "$work/large.trace"
fi

# It is measured too where the subject dies when it is asked for its choices.
if [ -n "$foreign" ]; then
    cat >"$work/dies.c" <<'END'
#include <errno.h>
#include <stddef.h>
static _Alignas(16) char arena[65536];
static size_t used;
void *malloc(size_t size)
{
    size_t whole = (size + 31) & ~(size_t)15;
    if (size > sizeof arena || whole > sizeof arena - used)
        return errno = ENOMEM, (void *)0;
    used += whole;
    return arena + used - whole;
}
void free(void *block) { (void)block; }
void *realloc(void *block, size_t size) { return size == 0 ? __builtin_trap(), block : malloc(size); }
END
    here=$(pwd)
    cd "$work" || exit 1
    echo '#0 = malloc 1000000' >large.trace
    ends 0 replay --rounds 0 dies.c large.trace
    cd "$here" || exit 1
fi

# findings, on an allocator that is broken on purpose
if [ -e "$wrapping" ]; then
    printf '#0 = malloc 48\n#1 = calloc 2^33 2147483648\nfree #0\n' >"$work/wrap.trace"
    ends 1 replay "$wrapping" "$work/wrap.trace"
    printed '^FINDING .*wrap.trace'
    printed 'check  *impossible: '
    printed 'at op 1  *#1 = calloc 2^33'
    printed '^0 passed, 1 failed'
    mkdir "$work/several"
    for i in 1 2 3; do # the first violation hides no other; what two traces showed is no news in the third
        printf '#0 = malloc 48\n#1 = calloc 2^33 2147483648\nfree #0\n#2 = calloc 10 10\n' >"$work/several/$i.trace"
    done
    ends 1 replay "$wrapping" "$work/several"
    printed '^again .*3.trace'
    printed '^0 passed, 2 failed'
    printf 'lib*.so impossible calloc\n' >"$work/right.known"
    ends 0 replay --known "$work/right.known" "$wrapping" "$work/wrap.trace"
    printed '^1 expected finding$'
    ends 1 shrink "$wrapping" "$work/wrap.trace"
    ends 0 shrink --baseline "$work/right.known" "$wrapping" "$work/wrap.trace"
    printf 'lib*.so impossible malloc\n' >"$work/other.known"
    ends 1 replay --known "$work/other.known" "$wrapping" "$work/wrap.trace"
    ends 0 replay --allow impossible "$wrapping" "$work/wrap.trace"
    ends 1 replay --allow overlap "$wrapping" "$work/wrap.trace"
    ends 0 replay --baseline "$work/other.known" --known "$work/right.known" "$wrapping" "$work/wrap.trace"
    ends 0 replay --write-baseline "$work/written" --findings "$work/lines" "$wrapping" "$work/wrap.trace"
    holds 'the finding is a line, with its program' grep -q '"check":"impossible".*int main(' "$work/lines"
    ends 0 replay --baseline "$work/written" --write-baseline "$work/again" "$wrapping" "$work/wrap.trace"
    sed -i 's/  #.*//' "$work/written" "$work/again" # reasons have addresses
    same "$work/written" "$work/again" # an expected finding is written too
    holds 'the new baseline has the finding' grep -q '^lib.* impossible calloc$' "$work/again"
    refused '--write-baseline: cannot write /nonexistent/x' replay --write-baseline /nonexistent/x "$wrapping" "$work/wrap.trace"
    ends 1 replay --json "$wrapping" "$work/wrap.trace"
    for key in subject check site op sentence trace program reproduced times of output; do
        printed "\"$key\": "
    done
    ends 1 shrink "$wrapping" "$work/wrap.trace" -o "$work/small.trace"
    printed 'reproduced 10 of 10'
    [ "$(grep -vc '^# ' "$work/small.trace")" -eq 1 ]
    count $? 'shrink -o'
    ends 1 shrink --json "$wrapping" "$work/small.trace"
    printed '"check": "impossible"'
    refused 'cannot write /nonexistent/x' shrink "$wrapping" "$work/small.trace" -o /nonexistent/x
    ends 1 diff "$work/wrap.trace" glibc "$wrapping"
    printed 'the contract differs'
fi

# record
usage 'COMMAND is missing' record -o "$work/r.trace"
usage '-o FILE is missing' record -- ls
refused 'cannot start frobnicate-it: No such file' record -o "$work/r.trace" -- frobnicate-it
refused 'cannot write /nonexistent/r.trace' record -o /nonexistent/r.trace -- touch "$work/ran"
holds 'the output is checked before the program runs' test ! -e "$work/ran"
refused '`true` made no call' record -o "$work/r.trace" -- true
refused '--max-ops: `0` is not a number from 1 to 1048576' record --max-ops 0 -o "$work/r.trace" -- ls
ends 0 record -o "$work/ls.trace" -- ls -l "$work"
grep -q '`ls` exited with status 0' "$work/err"
count $? 'record does not tell the status'
ends 0 record -o "$work/ls.bin" -- ls -l "$work"
ends 0 record -o "$work/sh.trace" -- sh -c 'ls; exit 7'
grep -q 'status 7' "$work/err"
count $? 'record does not tell the status of sh'
ends 0 record --max-ops 5 -o "$work/five.trace" -- ls "$work"
[ "$(grep -vc '^# ' "$work/five.trace")" -eq 5 ]
count $? '--max-ops 5'
for subject in anvil ${foreign:+glibc}; do
    ends 0 replay $subject "$work/ls.trace" "$work/ls.bin" "$work/sh.trace" "$work/five.trace"
done

finish
