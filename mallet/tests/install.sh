#!/bin/sh
# SPDX-License-Identifier: MIT
# What `cmake --install` puts somewhere works there, and after it was moved: the command with its
# children and corpus, anvil for a compiler, and the tests that another project adds.
#
# usage: install.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
build=$(cd "$(dirname "$mallet")/.." && pwd)
sources=$(cd "$(dirname "$0")/../.." && pwd)

holds 'it installs' cmake --install "$build" --prefix "$work/first"
mv "$work/first" "$work/moved"
mallet=$work/moved/bin/mallet
cd "$work" || exit 1

ends 0 list
printed '^anvil '
traces=$(dirname "$(find "$work/moved" -name sizes-zero.trace)")
ends 0 replay --rounds 0 anvil "$traces/sizes-zero.trace"
ends 0 conform --clause 'C23-7.24.3.6*' anvil
ends 4 check --quick --limit 2s "$mutants/libheap_none.so"
printed ' traces'
ends 0 record -o "$work/sort.trace" -- sort /dev/null
holds 'what was recorded is a trace' grep -q malloc "$work/sort.trace"

for page in "$work"/moved/share/man/man?/*; do
    command -v man >"$work/which" || break
    holds 'the page has no error' sh -c '! man --warnings -E UTF-8 -l -Tutf8 -Z "$1" 2>&1 >/dev/null | grep .' - "$page"
done
holds 'a page for each command' test "$(ls "$work"/moved/share/man/man1 | wc -l)" -gt "$("$mallet" --help | grep -c '^  [a-z]')"

for page in man3/anvil.3 man5/mallet-trace.5 man7/anvil_options.7; do
    holds "there is $page" test -s "$work/moved/share/man/$page"
done
for item in source fit mmap_threshold trim_threshold cache secure canary zero random quarantine form guard; do
    holds "anvil_options(7) has $item" grep -q "^\.B $item" "$work/moved/share/man/man7/anvil_options.7"
done

# completion, as the shell asks for it: commands, options of one, subjects, and no subject as the
# value of an option
cat >complete.bash <<'END'
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_mallet
printf '%s\n' "${COMPREPLY[@]}"
END
completes() { # WORD that is offered, WORDS of the line…
    offered=$1
    shift
    bash complete.bash "$work/moved/share/bash-completion/completions/mallet" "$mallet" "$@" | grep -qx -- "$offered"
}
holds 'bash completes commands' completes check ch
holds 'and options' completes --thorough check --th
holds 'that are aliases, too' completes --known replay anvil --kn
holds 'and subjects' completes glibc replay gl
completes glibc fuzz --output gl
holds 'but not where a value stands' test $? -ne 0
holds_if_there 'the completion of zsh is in order' zsh -n "$work/moved/share/zsh/site-functions/_mallet"

# anvil for a compiler
cat >program.c <<'END'
#include <anvil.h>
int main(void) { anvil_free(anvil_malloc(1)); return 0; }
END
pc=$(dirname "$(find "$work/moved" -name anvil.pc)")
flags=$(PKG_CONFIG_PATH=$pc pkg-config --cflags anvil)
# shellcheck disable=SC2086 # words
holds 'a program with the static library' sh -c 'cc $1 program.c "$2"/../libanvil.a -pthread -o program && ./program' - "$flags" "$pc"
holds 'the shared one has its version' test -e "$pc/../libanvil.so.1"

# a project with an allocator: a gate and a check in a few lines
mkdir theirs
cat >theirs/mine.c <<'END'
#include <errno.h>
#include <stddef.h>
static _Alignas(16) char pool[1 << 20];
static size_t used;
void *malloc(size_t size)
{
    size_t at = __atomic_load_n(&used, __ATOMIC_RELAXED), whole = (size + 15) / 16 * 16;
    do
        if (size > sizeof pool || whole > sizeof pool - at) {
            errno = ENOMEM;
            return NULL;
        }
    while (!__atomic_compare_exchange_n(&used, &at, at + whole, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return pool + at;
}
void free(void *block) { (void)block; }
END
cat >theirs/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(mine C)
enable_testing()
add_library(mine SHARED mine.c)
find_package(mallet REQUIRED)
mallet_add_conformance(mine PROFILES c23 ARGUMENTS --clause C23-7.24.3.6-p3-a)
mallet_add_check(mine QUICK ARGUMENTS --limit 2s)
mallet_add_fuzzer(mine SOURCES mine.c FLAGS -O1 TIME 3s)
END
holds 'their project is configured' cmake -S theirs -B theirs/build -DCMAKE_PREFIX_PATH="$work/moved"
holds 'their project builds' cmake --build theirs/build
holds 'their gate passes' ctest --test-dir theirs/build -R mallet.conform
holds 'their check runs, and is not green when it had no time' sh -c '! ctest --test-dir theirs/build -R mallet.check >log && grep -q "1 tests failed" log'

# a project that takes the sources in
mkdir inside
cp theirs/mine.c inside
cat >inside/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(inside C)
enable_testing()
add_subdirectory(${MALLET_SOURCES} mallet)
add_library(mine SHARED mine.c)
if(TESTED)
  mallet_add_check(mine QUICK)
endif()
END
will_build() { # the commands that the build of the project in a folder would run
    cmake -G Ninja -S inside -B "inside/$1" -DMALLET_SOURCES="$sources" "-DTESTED=$2" && ninja -C "inside/$1" -t commands all
}
holds 'as a subproject it is configured' will_build unused OFF
grep -q 'mallet/.*main.c.o' "$work/holds"
holds 'what nobody asks for is not built' test $? -eq 1
holds 'it is configured for a test' will_build tested ON
grep -q 'mallet/.*main.c.o' "$work/holds"
holds 'which takes the command' test $? -eq 0
ctest --test-dir inside/tested -N >tests
holds 'the tests are theirs alone' grep -q 'Total Tests: 1$' tests

# the fuzzer needs the engine's target, which is not built with every preset: a script stands for it
# here
target=$(dirname "$(readlink -f "$mallet")")/../../libfuzzer/bin/fuzz_trace
mkdir -p "$(dirname "$target")"
printf '#!/bin/sh\necho "executions=5000 features=3" >"$MALLET_FINDINGS/stats-1"\necho "$MALLET_SUBJECT" >"$MALLET_FINDINGS/../told"\nexec sleep 1\n' >"$target"
chmod +x "$target"
holds 'their fuzzer is a test' ctest --test-dir theirs/build -R mallet.fuzz
holds 'their fuzzer is a target' cmake --build theirs/build --target mine-libfuzzer
holds 'it searches with the edges of their code' grep -q '/mine.fuzz.so$' theirs/build/mallet.fuzz.mine-libfuzzer/told
holds 'and it all takes twenty lines' test "$(wc -l <theirs/CMakeLists.txt)" -le 20

finish
