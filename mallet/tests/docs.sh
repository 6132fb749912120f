#!/bin/sh
# SPDX-License-Identifier: MIT
# The pages of docs/ that are made of the registries have all that is in them, and every link
# between pages leads somewhere.
#
# usage: docs.sh MALLET [FOLDER of the mutants]; the words are in common.sh. Without the folder, in
# a sanitizer's build, nothing is tried: not every command is there
set -u
. "$(dirname "$0")/common.sh"
if [ -z "$foreign" ]; then
    finish
    exit
fi
root=$(cd "$(dirname "$0")/../.." && pwd)
command -v python3 >"$work/which" || { holds 'nothing to try without python3' true; finish; exit; }

holds 'the pages are made' python3 "$root/docs/pages.py" "$mallet" "$work/docs"
rows() { # the number of table rows in a page, heads left out
    grep -c '^| [^|]*|.*|$' "$work/docs/$1"
}
holds 'a row for each check' test "$(rows checks.md)" -eq $(($(grep -cE '^ +CHECK\(' "$root/harness/run/check.h") + 1))
ends 0 clauses --json
holds 'a section for each clause' test "$(grep -c '^## ' "$work/docs/clauses.md")" -eq "$(grep -c '"clause": ' "$work/out")"
holds 'a row for each mutant and sound subject' test "$(rows mutants.md)" -eq $(($(wc -l <"$root/mutants/registry.tsv") + 1))
ends 0 --help
holds 'a section for each command' test "$(grep -c '^## mallet ' "$work/docs/commands.md")" -eq "$(grep -c '^  [a-z]' "$work/out")"
for page in "$work"/docs/*.md; do
    for target in $(grep -oE '\]\([a-z]+\.md\)' "$page" | tr -d ']()'); do
        holds "$(basename "$page") leads to $target" test -f "$work/docs/$target"
    done
done
for path in $(grep -oE '`[a-z]+/[a-zA-Z/._-]+`' "$root/docs/extend.md" "$root/docs/architecture.md" -h | tr -d '`' | sort -u); do
    holds "there is $path" test -e "$root/$path"
done
finish
