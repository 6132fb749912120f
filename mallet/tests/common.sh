# SPDX-License-Identifier: MIT
# What the tables of requests share. To be sourced with the arguments MALLET [FOLDER of the
# mutants]; without the folder, foreign subjects are left out: a sanitizer refuses them.
#
#   refused SENTENCE ARGUMENT…   exit 2, nothing printed, and one line on stderr that matches the pattern
#   usage SENTENCE ARGUMENT…     exit 2, as argp says it: the sentence and a hint at --help
#   ends STATUS ARGUMENT…        that exit status; output in $work/out, stderr in $work/err
#   printed, said PATTERN        the last request's output, stderr, has it
#   same FILE FILE               equal content
#   holds WHAT COMMAND…          the command succeeds
#   holds_if_there WHAT COMMAND… the same, where there is such a command
#   finish                       the sums, and the exit status
# shellcheck shell=sh
mallet=$1
mutants=${2:-/nonexistent}
foreign=${2:+yes}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0

count() { # 0 or not, what went wrong
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        echo "FAILED: $2"
        sed 's/^/    /' "$work/err" | head -20
        failed=$((failed + 1))
    fi
}

run() {
    "$mallet" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

refused() {
    sentence=$1
    shift
    run "$@"
    [ $status -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] && grep -q -- "$sentence" "$work/err"
    count $? "mallet $*: exit $status, wanted 2 and one line: $sentence"
}

usage() {
    sentence=$1
    shift
    run "$@"
    [ $status -eq 2 ] && head -1 "$work/err" | grep -q -- "$sentence"
    count $? "mallet $*: exit $status, wanted 2 and: $sentence"
}

ends() {
    wanted=$1
    shift
    run "$@"
    [ $status -eq "$wanted" ]
    count $? "mallet $*: exit $status, wanted $wanted"
}

printed() {
    grep -q -- "$1" "$work/out" || {
        count 1 "no \`$1\` in the output, which ends:"
        tail -20 "$work/out" | sed 's/^/    /'
        return
    }
    count 0
}

said() {
    grep -q -- "$1" "$work/err"
    count $? "no \`$1\` on standard error"
}

same() {
    cmp "$1" "$2" >"$work/err" 2>&1
    count $? "$1 and $2 differ"
}

holds() {
    what=$1
    shift
    "$@" >"$work/holds" 2>"$work/err"
    count $? "$what"
}

holds_if_there() {
    command -v "$2" >/dev/null && holds "$@"
}

finish() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
}
