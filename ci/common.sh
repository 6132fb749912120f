# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: where the project is, how a step is announced, how a preset is built.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

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
