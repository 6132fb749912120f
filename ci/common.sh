# SPDX-License-Identifier: MIT
# Sourced by the scripts of this folder: their arguments, the project's root, how a preset is built,
# and steps that are timed and counted.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Prints the comment at the script's top.
help() {
    sed -n '3,/^[^#]/s/^# \{0,1\}//p' "ci/${0##*/}"
    exit 0
}

# takes WHAT "$@": the script accepts no argument, WHAT (an option, or FOLDER), or --help, which
# prints the comment at its top.
takes() {
    local what=$1
    shift
    [ $# -ne 0 ] || return 0
    [ "$1" != --help ] || help
    if [ $# -ne 1 ] || { [ "$1" != "$what" ] && [[ $what != FOLDER || $1 = -* ]]; }; then
        echo "$0: takes ${what:-no argument}, not '$*'" >&2
        exit 2
    fi
}

# Announces a step, so that the cause of a failure is found by searching a log backwards for "==".
say() {
    printf '\n== %s\n' "$*"
}

# What a change is compared with: the merge base with the upstream branch; on that branch itself the
# commit before. Prints nothing without an upstream.
upstream_base() {
    local upstream base
    upstream=$(git rev-parse -q --verify origin/HEAD || git rev-parse -q --verify origin/main) ||
        return 0
    base=$(git merge-base HEAD "$upstream")
    [ "$base" != "$(git rev-parse HEAD)" ] || base=$(git rev-parse -q --verify HEAD~1 || true)
    echo "$base"
}

# build PRESET [TARGET…]: the whole preset, or these targets of it.
build() {
    local preset=$1
    shift
    echo "configuring $preset"
    cmake --preset "$preset" >"build-$preset.log" 2>&1 ||
        { cat "build-$preset.log"; rm -f "build-$preset.log"; return 1; }
    rm -f "build-$preset.log"
    # AFL_QUIET: afl-clang-fast prints a banner for every file that it compiles.
    AFL_QUIET=1 cmake --build --preset "$preset" ${1:+--target "$@"}
}

# tests PRESET OPTION…: its tests, two more at a time than there are processors: many wait.
tests() {
    local preset=$1
    shift
    ctest --preset "$preset" -j $(($(nproc) + 2)) "$@"
}

# each COMMAND SUBJECT…: runs the exported function COMMAND with every subject, one for each
# processor at a time; prints the output of a run when it ends. Fails if one of them failed; what
# that printed is repeated at the end of the script, where a reader of a long log finds it.
each() {
    local command=$1
    shift
    printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -I{} bash -c \
        'start=$SECONDS; echo "-- $1 begins"; text=$('"$command"' "$1" 2>&1); status=$?
        printf "%s\n" "-- $1 ended after $((SECONDS - start)) s" "$text"
        [ "$status" -eq 0 ] ||
            printf "%s\n" "-- '"$command"' $1 ended with status $status" "$text" >>"$output/failed"
        exit "$status"' - {}
}

# What ci/test and ci/nightly do with a subject, by the program in $mallet.
peers=(glibc musl jemalloc mimalloc tcmalloc tbbmalloc scudo)

refusals() {
    "$mallet" replay --baseline corpus/baseline --rounds 0 --fail-os all "$1" corpus
}

torture() {
    "$mallet" torture --baseline corpus/baseline --time 1 "$1"
}

# Not every kernel executes the 32-bit child.
clauses() {
    local status=0
    case $1 in *-32) "$1" --help >/dev/null 2>&1 || status=$? ;; esac
    [ "$status" -ne 126 ] || { echo "not run: this kernel has no 32-bit programs"; return 0; }
    "$mallet" conform --profile all --baseline conformance/baseline "$1"
}
export -f refusals torture clauses

passed=0 failed=0 table=''
names='' chosen='' is_listing='' # lines: of all steps, of those that run (none: all)
# Of the steps that run beside others, by process.
declare -A beside_names=() beside_covers=() beside_starts=()

# record NAME COVERS SECONDS STATUS: counts a step that has ended.
record() {
    local result=ok
    if [ "$4" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        result=FAILED
        echo "== FAILED ($4): $1"
    fi
    echo "== $1: $result after $3 s"
    table+=$(printf '%6d s  %-6s  %-28s %s' "$3" "$result" "$1" "$2")$'\n'
}

# Does the step run? Not while the names are gathered.
is_chosen() {
    names+=$1$'\n'
    [ -z "$is_listing" ] && [[ -z $chosen || $'\n'$chosen = *$'\n'"$1"$'\n'* ]]
}

# step NAME COVERS COMMAND…: runs the command, times it, and goes on if it fails.
step() {
    local name=$1 what=$2 start=$SECONDS status=0
    is_chosen "$name" || return 0
    shift 2
    say "$name"
    set +e
    (set -e; "$@")
    status=$?
    set -e
    record "$name" "$what" $((SECONDS - start)) "$status"
}

# beside NAME COVERS COMMAND…: a step that uses one processor or waits; it runs beside those that
# follow, until `together`, as soon as there is a processor for it. Each line of its output begins
# with its name.
beside() {
    local name=$1 what=$2
    is_chosen "$name" || return 0
    shift 2
    [ ${#beside_names[@]} -lt "$(nproc)" ] || await_one
    say "$name (beside others)"
    trap stop_others INT TERM
    set -m # a process group, so that all of it can be ended
    ((set -e; "$@") 2>&1 </dev/null | sed -u "s/^/$name: /") &
    set +m
    beside_names[$!]=$name beside_covers[$!]=$what beside_starts[$!]=$SECONDS
}

stop_others() {
    local process
    for process in "${!beside_names[@]}"; do
        kill -- "-$process" 2>/dev/null || true
    done
    exit 130
}

# Waits until one of the steps that run beside others has ended.
await_one() {
    local process status=0
    wait -n -p process "${!beside_names[@]}" || status=$?
    record "${beside_names[$process]}" "${beside_covers[$process]}" \
        $((SECONDS - beside_starts[$process])) "$status"
    unset "beside_names[$process]"
}

# Waits for the steps that run beside others.
together() {
    while [ ${#beside_names[@]} -gt 0 ]; do
        await_one
    done
}

# run_steps "$@": runs the function `steps` of the script, all of it or the steps that are named,
# then prints the table of steps and the closing line; the script's exit status. --list prints
# the names. The steps may write to the folder $output, which is removed at the end.
run_steps() {
    local name
    [ "${1:-}" != --help ] || help
    output=$(mktemp -d)
    export output
    trap 'rm -rf "$output"' EXIT
    is_listing=1
    steps
    if [ "${1:-}" = --list ]; then
        printf %s "$names"
        return
    fi
    for name in "$@"; do
        if [[ $'\n'$names != *$'\n'"$name"$'\n'* ]]; then
            echo "$0: there is no step '$name'; --list prints their names" >&2
            return 2
        fi
        chosen+=$name$'\n'
    done
    is_listing=''
    ci/setup
    steps
    [ ! -e "$output/failed" ] || { say "what failed, once more"; cat "$output/failed"; }
    say "steps"
    printf '%s%6d s  in all\n\n' "$table" "$SECONDS"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit # bash reads on where it was, and in some hours the script may have changed
}
