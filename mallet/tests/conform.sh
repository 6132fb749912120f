#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet conform` and `mallet clauses`: exit statuses, the one sentence for each
# bad input, every format, baselines.
#
# usage: conform.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
library=$mutants/libmutants.so

quick=C23-7.24.3.1-p2-*
clause=C23-7.24.3.1-p2-d
mkdir "$work/folder" "$work/programs"
echo 'this is no shared object' >"$work/text.so"

# the request
ends 0 conform --help
printed 'Usage: '
usage 'SUBJECT is missing' conform
usage 'unrecognized option' conform --frobnicate
refused 'unknown subject `nobody`' conform nobody
refused 'unknown subject `nobody`' conform anvil nobody
refused '--profile: `c99` is none of c17' conform --profile c99 anvil
refused '--format: `pdf` is none of table' conform --format pdf anvil
refused '--jobs: `many`' conform --jobs many anvil
refused '--clause: no clause .* matches `C99\*`' conform --clause 'C99*' anvil
refused '--clause: no clause .* matches `C99\*`' conform --clause "$quick" --clause 'C99*' anvil
refused '--clause: no clause .* matches' conform --profile hardening --clause "$quick" anvil
refused 'named twice' conform --clause "$quick" anvil anvil
usage 'at most 16 SUBJECTs, `q` is one more' conform a b c d e f g h i j k l m n o p q
refused 'frob' conform anvil:frob=1
[ -e "$library" ] && refused 'text.so' conform "$work/text.so"

# files
refused 'cannot write /nonexistent/x: No such file' conform --clause "$quick" --output /nonexistent/x anvil
refused 'cannot write .*folder: Is a directory' conform --clause "$quick" --output "$work/folder" anvil
refused 'cannot write /dev/full: No space left' conform --clause "$quick" --output /dev/full anvil
refused 'cannot write /nonexistent/x: No such file' conform --clause "$quick" --write-baseline /nonexistent/x anvil
refused '--programs: .*/proc/nowhere: No such file' conform --clause "$quick" --programs /proc/nowhere anvil
refused '--programs: .*text.so: Not a directory' conform --clause "$quick" --programs "$work/text.so" anvil
refused 'cannot read /nonexistent/x: No such file' conform --clause "$quick" --baseline /nonexistent/x anvil
refused 'cannot read .*folder: Is a directory' conform --clause "$quick" --baseline "$work/folder" anvil
printf '# a comment\n\nanvil %s\n' "$clause" >"$work/short"
refused 'short:3: .*SUBJECT CHECK-OR-CLAUSE SITE-OR-VERDICT' conform --clause "$quick" --baseline "$work/short" anvil
printf 'anvil %s pass\n' "$clause" >"$work/verdict"
refused 'verdict:1: .*neither `fail` nor `error`' conform --clause "$quick" --baseline "$work/verdict" anvil
holds 'files are whole or not there' sh -c '! ls "$1" | grep part' - "$work"

# what is always printed, wherever the report goes
totals='^[0-9]* clauses: [0-9]* testable, [0-9]* tested, [0-9]* not testable at run time (mallet clauses --untestable says why)'
ends 0 conform --clause "$quick" anvil
printed "$totals"
for profile in c17 c23 posix-2017 posix-2024 glibc hardening; do
    printed "^anvil, $profile: [0-9]* pass, 0 fail"
done
ends 0 conform --profile c17 --profile c23 --clause "$quick" --jobs 1 anvil
printed '^anvil, c23: '
holds 'other profiles are left out' sh -c '! grep "^anvil, glibc" "$1"' - "$work/out"
ends 0 conform --clause "$quick" --format json anvil
said "$totals"
cp "$work/out" "$work/by_format"
ends 0 conform --clause "$quick" --json anvil
holds '--json is --format json' sh -c 'sed "/_ms\|\"made\"/d" "$1" >"$1.1"; sed "/_ms\|\"made\"/d" "$2" | cmp - "$1.1"' - "$work/by_format" "$work/out"
ends 0 conform --clause "$quick" --format json --output "$work/json" anvil
printed "$totals"

# what counts: without a profile, what all editions of C or of POSIX require
if [ -n "$foreign" ]; then
    ends 0 conform --clause POSIX17-realloc-3 glibc
    printed '^fail  *POSIX17-realloc-3 '
    printed 'do\(es\)\{0,1\} not count'
    ends 0 conform --clause POSIX17-realloc-3 --strict glibc
    ends 1 conform --clause POSIX17-realloc-3 --profile posix-2017 glibc
    ends 1 conform --clause POSIX17-realloc-3 --profile all glibc
fi

# a limit ends the run with what it has
ends 4 conform --limit 1s anvil
printed 'not run: the time of the run was over'
ends 4 conform --limit 1s --json anvil
printed '"not-run"'

# an allocator whose calls hang after the tenth: known after three probes
cat >"$work/hang.c" <<'END'
#include <stddef.h>
static _Alignas(16) char pool[1 << 20];
static size_t used;
static int calls;
static void count(void)
{
    for (volatile int hangs = ++calls > 10; hangs;)
        ;
}
void *malloc(size_t size)
{
    count();
    used += (size + 15) / 16 * 16;
    return pool + used - (size + 15) / 16 * 16;
}
void free(void *block)
{
    count();
    (void)block;
}
END
if [ -e "$library" ] && cc -shared -fPIC -fno-builtin -o "$work/hang.so" "$work/hang.c" 2>/dev/null; then
    ends 1 conform --clause 'C23-7.24.3-p1-*' --clause 'MAN-malloc-*' "$work/hang.so"
    printed 'expected to return, the process used [0-9]* ms of CPU time in it'
    printed 'not run: the subject hangs in malloc('
    # one that ends the process: the loader's calls are enough
    sed 's/for (volatile .*/if (++calls > 10) _exit(0);/; s/^        ;$//; 1i #include <unistd.h>' "$work/hang.c" >"$work/exit.c"
    cc -shared -fPIC -fno-builtin -o "$work/exit.so" "$work/exit.c"
    ends 1 conform --clause 'GLIBC-replace-1' --profile glibc "$work/exit.so"
    printed 'the process called exit(0)'
fi

# formats
for format in table tap junit json sarif markdown html; do
    ends 0 conform --clause "$quick" --format $format --output "$work/report.$format" anvil
    ends 0 conform --clause "$quick" --format $format --output "$work/report.two.$format" anvil anvil:fit:best
    holds "the $format report is not empty" test -s "$work/report.$format" -a -s "$work/report.two.$format"
done
holds 'two subjects have two names' grep -q 'anvil:fit:best' "$work/report.two.table"
for file in report.json report.two.json report.sarif report.two.sarif; do
    holds_if_there "$file is JSON" python3 -m json.tool "$work/$file"
done
for file in report.junit report.two.junit; do
    holds_if_there "$file is XML" xmllint --noout "$work/$file"
done
for file in report.tap report.two.tap; do
    holds_if_there "$file is TAP that passes" prove --exec cat "$work/$file"
done
holds 'the page ends' grep -q '^</html>' "$work/report.two.html"
holds 'the page loads nothing' sh -c '! grep -E "(src|href)=\"[^#]|@import|url\(" "$1"' - "$work/report.two.html"

# failures, on an allocator that is broken on purpose
if [ -e "$library" ]; then
    ends 0 conform --clause "$quick" "$library"
    ends 0 conform --clause 'GLIBC-usable-*' "$(dirname "$mallet")/mallet-conform"
    export MALLET_MUTANT=aligned_alloc_wants_a_multiple
    ends 1 conform --clause "$quick" --programs "$work/programs" "$library"
    printed "^fail  *$clause "
    printed 'expected a block, observed NULL'
    printed "program: $work/programs/libmutants.so-$clause.c"
    holds 'one program for one failure' sh -c '[ "$(ls "$1")" = "libmutants.so-$2.c" ]' - "$work/programs" "$clause"
    holds 'the program compiles' cc -w -c -o "$work/program.o" "$work/programs/libmutants.so-$clause.c"
    ends 1 conform --clause "$quick" anvil "$library"
    printed "^fail  *$clause "
    for format in tap junit json sarif markdown html; do
        ends 1 conform --clause "$quick" --format $format "$library"
        printed "$clause"
        printed 'expected a block, observed NULL'
    done
    ends 1 conform --clause "$quick" --format tap --output "$work/report.tap" "$library"
    holds_if_there 'a failure fails TAP' sh -c '! command -v prove >/dev/null || ! prove --exec cat "$1"' - "$work/report.tap"

    # A result of SARIF points to its clause, and is the same in the next run.
    ends 1 conform --clause "$quick" --format sarif --output "$work/one.sarif" "$library"
    ends 1 conform --clause "$quick" --format sarif --output "$work/next.sarif" "$library"
    same "$work/one.sarif" "$work/next.sarif"
    line=$(sed -n 's/.*"startLine": \([0-9]*\).*/\1/p' "$work/one.sarif")
    holds 'the place is the clause' sh -c 'sed -n "$1p" "$2" | grep -q "^$3	"' - "$line" \
        "$(dirname "$0")/../../conformance/clauses.tsv" "$clause"
    holds 'it has a fingerprint' grep -q "\"malletClause/v1\": \"libmutants.so $clause\"" "$work/one.sarif"
    holds 'and no address' sh -c '! grep -q "0x[0-9a-f]\{6\}" "$1"' - "$work/one.sarif"

    # baselines
    ends 0 conform --clause "$quick" --write-baseline "$work/baseline" "$library"
    holds 'the baseline has the failure' grep -q "^libmutants.so $clause fail  # .*expected a block" "$work/baseline"
    ends 0 conform --clause "$quick" --baseline "$work/baseline" "$library"
    printed 'expected by the baseline: '
    ends 0 conform --clause "$quick" --baseline "$work/baseline" --write-baseline "$work/again" "$library"
    same "$work/baseline" "$work/again"
    for format in tap junit json sarif markdown html; do
        ends 0 conform --clause "$quick" --format $format --baseline "$work/baseline" --output "$work/known.$format" "$library"
    done
    holds_if_there 'an expected failure passes TAP' prove --exec cat "$work/known.tap"
    holds 'an expected failure is suppressed in SARIF' grep -q '"suppressions"' "$work/known.sarif"
    holds 'an expected failure is skipped in JUnit' grep -q 'failures="0"' "$work/known.junit"
    printf 'other %s fail\nlibmutants.so %s fail\n' "$clause" C23-7.24.3.1-p2-a >"$work/wrong"
    ends 1 conform --clause "$quick" --baseline "$work/wrong" "$library"
    printed '^no longer applies: libmutants.so C23-7.24.3.1-p2-a fail: the verdict is pass'
    printf 'libm* %s error\n' "$clause" >"$work/wrong"
    ends 1 conform --clause "$quick" --baseline "$work/wrong" "$library"
    printf 'libm* %s fail # a pattern\n' "$clause" >"$work/pattern"
    ends 0 conform --clause "$quick" --baseline "$work/pattern" anvil "$library"
    unset MALLET_MUTANT
    ends 0 conform --clause "$quick" --baseline "$work/baseline" "$library"
    printed "^no longer applies: libmutants.so $clause fail: the verdict is pass"
    ends 0 conform --clause "$quick" --format json --baseline "$work/baseline" "$library"
    said "^no longer applies: libmutants.so $clause fail"
    ends 0 conform --clause 'C23-7.24.3.2*' glibc
fi
printf 'anvil C99-1 fail  # never was\n' >"$work/unknown"
ends 0 conform --clause "$quick" --baseline "$work/unknown" anvil
printed '^no longer applies: anvil C99-1 fail: there is no such clause'
ends 0 conform --clause "$quick" --write-baseline "$work/clean" anvil
holds 'a clean baseline has no entry' sh -c '! grep -v "^#" "$1"' - "$work/clean"

# clauses
ends 0 clauses --help
printed 'Usage: '
ends 0 clauses
printed "^$clause "
printed '^\([0-9]*\) of \1 clauses'
ends 0 clauses "$clause"
for field in strength profiles functions what how probe; do
    printed "^  $field "
done
ends 0 clauses "$quick" --profile c23
printed '^[0-9]* of [0-9]* clauses'
ends 0 clauses --json "$clause"
printed '"requirement": '
holds_if_there 'the list is JSON' python3 -m json.tool "$work/out"
refused 'no clause is called `C99-1`' clauses C99-1
refused 'no clause is called `C99\*`' clauses "$clause" 'C99*'
refused 'no clause fits' clauses --profile hardening "$clause"
refused '--profile: `c99`' clauses --profile c99

if [ -n "$foreign" ]; then
    cd "$work" || exit 1
    # A subject that writes over what the child tells the parent of itself is no error of mallet's.
    cat >over.c <<'END'
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static _Alignas(16) char arena[1 << 24], maps[1 << 16];
static unsigned long used, calls;
static void overwrite(void)
{
    unsigned long from, to, offset;
    char mode[8];
    int file = open("/proc/self/maps", O_RDONLY);
    for (long n = 0, got; (got = read(file, maps + n, sizeof maps - 1 - n)) > 0; n += got);
    for (char *line = strtok(maps, "\n"); line != 0; line = strtok(0, "\n"))
        if (sscanf(line, "%lx-%lx %7s %lx", &from, &to, mode, &offset) == 4 &&
            strcmp(mode, "rw-s") == 0 && offset == 0)
            memset((char *)from, 'b', 256);
}
void *malloc(unsigned long size)
{
    if (++calls == 3)
        overwrite();
    char *block = arena + used;
    used += (size + 31) / 16 * 16;
    return used <= sizeof arena ? block : 0;
}
void free(void *block) { (void)block; }
END
    ends 0 conform --clause 'C23-7.24.3-p1-e' over.c
    printed '1 unsupported' # its heap is small
fi

finish
