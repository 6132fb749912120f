# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: what one may be called with, where the project is, how a step is announced, how a preset is built.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# takes WHAT "$@": the script may be called with nothing, with WHAT (an option, FOLDER, or nothing more), or with --help, which shows its opening.
takes() {
    local what=$1
    shift
    [ $# -ne 0 ] || return 0
    if [ "$1" = --help ]; then
        sed -n '3,/^[^#]/s/^# //p' "ci/${0##*/}"
        exit 0
    fi
    if [ $# -ne 1 ] || { [ "$1" != "$what" ] && [[ $what != FOLDER || $1 = -* ]]; }; then
        echo "$0: takes ${what:-no argument}, not '$*'" >&2
        exit 2
    fi
}

# Names every step, so that a failure deep in a log is found by reading upwards to the last "==".
say() {
    printf '\n== %s\n' "$*"
}

build() {
    local preset
    for preset in "$@"; do
        say "building the preset $preset into build/$preset"
        cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log"; rm -f "build-$preset.log"; return 1; }
        rm -f "build-$preset.log"
        # AFL_QUIET: afl-clang-fast prints a banner for every file it compiles.
        AFL_QUIET=1 cmake --build --preset "$preset" | tail -n 1
    done
}
