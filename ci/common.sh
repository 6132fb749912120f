# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: their arguments, the project's root, how a preset is built,
# and steps that are timed and counted.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# takes WHAT "$@": the script accepts no argument, WHAT (an option, or FOLDER), or --help, which
# prints the comment at its top.
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

# Announces a step, so that the cause of a failure is found by searching a log backwards for "==".
say() {
    printf '\n== %s\n' "$*"
}

# build PRESET [TARGET…]: the whole preset, or these targets of it.
build() {
    local preset=$1
    shift
    cmake --preset "$preset" >"build-$preset.log" 2>&1 ||
        { cat "build-$preset.log"; rm -f "build-$preset.log"; return 1; }
    rm -f "build-$preset.log"
    # AFL_QUIET: afl-clang-fast prints a banner for every file that it compiles.
    AFL_QUIET=1 cmake --build --preset "$preset" ${1:+--target "$@"}
}

# each COMMAND SUBJECT…: runs the exported function COMMAND with every subject, one for each
# processor at a time; prints the output of a run when it ends. Fails if one of them failed.
each() {
    local command=$1
    shift
    printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -I{} bash -c \
        'output=$('"$command"' "$1" 2>&1); status=$?; printf "%s\n" "-- $1" "$output"; exit "$status"' - {}
}

passed=0 failed=0 table=''

# step NAME COVERS COMMAND…: runs the command, times it, and goes on if it fails.
step() {
    local name=$1 covers=$2 start=$SECONDS status=0
    shift 2
    say "$name"
    set +e
    (set -e; "$@")
    status=$?
    set -e
    if [ "$status" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "== FAILED ($status): $name"
    fi
    table+=$(printf '%6d s  %-6s  %-28s %s' $((SECONDS - start)) \
        "$([ "$status" -eq 0 ] && echo ok || echo FAILED)" "$name" "$covers")$'\n'
}

# Prints the table of steps and the closing line; the script's exit status.
finish() {
    say "steps"
    printf '%s%6d s  in all\n\n' "$table" "$SECONDS"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
