#!/bin/sh
# SPDX-License-Identifier: MIT
# Every option of every command, as its --help lists them, refuses bad values: before anything runs,
# in one line that names the option, and nothing is left behind. A new option is tested without a
# word here.
#
# usage: options.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"

good=$work/good.trace
printf '#0 = malloc 48\nfree #0\n' >"$good"
mkdir "$work/empty"

arguments() { # of a command, so that only the option is wrong
    case $1 in
    replay | shrink) echo "anvil $good" ;;
    diff) echo "$good anvil anvil:fit:best" ;;
    show | encode | export) echo "$good" ;;
    record) echo "touch $work/ran" ;;
    list | clauses | bench | mutants) ;;
    draw) echo "$good anvil" ;;
    corpus) echo "merge anvil $good" ;;
    report) echo "$work" ;;
    grade) echo "$good $work/empty" ;;
    *) echo anvil ;;
    esac
}

# One a line; the empty one is tried everywhere.
bad_values() { # option, placeholder
    case $1 in
    output | findings | write-baseline | programs) # what is to be written
        printf '%s\n' /proc/nowhere/x "$good/x" "$(if [ "$2" = DIR ]; then echo "$good"; else echo "$work/empty"; fi)"
        return
        ;;
    baseline | trace | corpus) # what is to be read
        printf '%s\n' /nonexistent/x "$work/empty"
        return
        ;;
    esac
    case $2 in
    N | K | BYTES | PERCENT) printf '%s\n' -1 many 1.5 +1 0x10 1k 99999999999999999999 ;;
    TIME) printf '%s\n' 0 -1 soon 1x 1.5 721h 99999999999999999999 ;;
    SIZE) printf '%s\n' -1 many 1x 1.5G 9223372036854775808 99999999999999999999 ;;
    *) printf '%s\n' nosuch -1 ;;
    esac
}

run() { # one that does not refuse would run for long
    timeout 60 "$mallet" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

refuses() { # command, option, value
    # shellcheck disable=SC2046 # words
    run "$1" "--$2=$3" $([ "$1/$2" = record/max-ops ] && echo "-o $work/r.trace") $(arguments "$1")
    [ $status -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] && grep -q -- "^mallet: --$2[: ]" "$work/err"
    count $? "mallet $1 --$2='$3': exit $status, wanted 2 and one line that names the option"
}

commands=$("$mallet" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
[ -x "$(dirname "$mallet")/mallet-interleave" ] || commands=$(echo "$commands" | grep -v interleave)
tried=0
before=$(find "$work" | sort)
for command in $commands; do
    "$mallet" "$command" --help | grep -o -- '--[a-z-]*=[A-Z]*' | grep -v -- "^--known=" | sort -u >"$work/options" # --baseline by another name
    while IFS='=' read -r option placeholder; do
        option=${option#--}
        refuses "$command" "$option" ''
        bad_values "$option" "$placeholder" >"$work/values"
        while read -r value; do
            refuses "$command" "$option" "$value" </dev/null
            tried=$((tried + 1))
        done <"$work/values"
    done <"$work/options"
done
holds "every command has its turn: $tried values" test $tried -gt 250
rm -f "$work/options" "$work/values" "$work/out" "$work/err" "$work/holds"
find "$work" | sort >"$work/after"
[ "$before" = "$(grep -v "^$work/after\$" "$work/after")" ]
count $? "something was left behind"

finish
