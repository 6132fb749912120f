#!/bin/sh
# SPDX-License-Identifier: MIT
# `mallet report`: what it takes in, what it refuses, and that nothing is half-written. How the page
# looks is for report/test.mjs.
#
# usage: report.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
data=$work/data
site=$work/site
mkdir "$data" "$work/empty"

usage 'DIR is missing' report
refused 'cannot read the folder /nonexistent: No such file' report /nonexistent -o "$site"
refused 'cannot read the folder .*common.sh: Not a directory' report "$(dirname "$0")/common.sh" -o "$site"
refused 'empty: the folder holds no JSON document of this version of mallet' report "$work/empty" -o "$site"
holds 'a refused report leaves no folder' test ! -e "$site"

ends 0 conform --json --clause 'C23-7.24.3.2*' anvil
cp "$work/out" "$data/conform.json"
bad() { # SENTENCE: of a file beside good ones
    refused "$1" report "$data" -o "$site"
    holds 'a refused report leaves no page' test ! -e "$site/index.html"
}
head -c 300 "$data/conform.json" >"$data/cut.json"
bad 'cut.json:[0-9]*: '
sed 's/"version": 1/"version": 2/' "$data/conform.json" >"$data/cut.json"
bad 'cut.json: version 2 of a `conform` document; this mallet reads version 1'
: >"$data/cut.json"
bad 'cut.json:1: '
echo '{"of": "somebody else"}' >"$data/cut.json" # not of mallet's making
echo 'SF:/x/a.c
DA:one' >"$data/cut.info"
bad 'cut.info:2: not an lcov record'
echo 'DA:1,1' >"$data/cut.info"
bad 'cut.info:1: not an lcov record'
: >"$data/cut.info"
bad 'cut.info: no source file in it'
rm "$data/cut.info"
printf '2026-01-01T00:00:00Z\tabc\tlines (%%)\tall\tmany\n' >"$data/trend.tsv"
bad 'trend.tsv:1: not a date, a commit, a chart, a series and a value'
printf '# points\n2026-01-01T00:00:00Z\tabc\tlines (%%)\tall\t91.5\n' >"$data/trend.tsv"

# A function of a header is in each source that includes it; each source of coverage has executed
# one line of a.c.
printf '%s\n' SF:/x/a.c FN:1,one FN:9,two FNDA:1,one FNDA:0,two BRDA:2,0,0,1 BRDA:2,0,1,- DA:1,4 DA:2,0 end_of_record \
    SF:/x/b.h FN:3,a.c:help FN:3,c.c:help FNDA:0,a.c:help FNDA:7,c.c:help DA:3,7 end_of_record >"$data/unit.info"
printf '%s\n' SF:/x/a.c FN:1,3,one FNDA:2,one DA:1,0 DA:2,5 end_of_record >"$data/corpus.info"
mkdir "$data/fuzz"
cat >"$data/fuzz/summary.json" <<'JSON'
{"document": "fuzz", "version": 1, "tool": "mallet 0.1.0", "made": "2026-01-01T00:00:00Z", "subject": "</script>", "engine": "afl", "findings": []}
JSON
printf '#\n1.0\tall\t5\t1\t1\t1\t0\n' >"$data/fuzz/progress.tsv"
ends 0 report "$data" -o "$site"
printed "^$site/index.html\$"
holds 'one file, that fetches nothing' sh -c 'test "$(ls "$1")" = index.html && ! grep -E "(src|href)=.?(https?:|//)" "$1/index.html"' - "$site"
holds 'no text ends the script' test "$(grep -c '</script>' "$site/index.html")" -eq 3
sed -n '/id="data">/,/<.script>/p' "$site/index.html" | sed '1d;$d' >"$work/inlined"
# shellcheck disable=SC2016 # Python's
holds_if_there 'everything is in the page' python3 -c 'import json, sys
data = json.load(open(sys.argv[1]))
kinds = sorted(entry["document"]["document"] for entry in data["documents"])
assert kinds == ["conform", "fuzz"], kinds
assert [entry.get("progress") for entry in data["documents"]] == [None, "#\n1.0\tall\t5\t1\t1\t1\t0\n"]
assert len(data["checks"]) > 10
assert data["trend"] == [["2026-01-01T00:00:00Z", "abc", "lines (%)", "all", 91.5]]
names = {source: {name[-3:]: sums for name, sums in files.items()} for source, files in data["coverage"].items()}
assert names == {"unit": {"a.c": [2, 1, 2, 1, 2, 1], "b.h": [1, 1, 1, 1, 0, 0]}, "corpus": {"a.c": [2, 1, 1, 1, 0, 0]},
                 "union": {"a.c": [2, 2, 2, 1, 2, 1], "b.h": [1, 1, 1, 1, 0, 0]}}, names' "$work/inlined"

# Folders add up, also of the same names.
mkdir "$work/other"
printf '%s\n' SF:/x/c.c DA:1,1 end_of_record >"$work/other/unit.info"
refused '--lines: there is no file' report "$data" -o "$site" --lines coverage/index.html
mkdir "$site/coverage"
: >"$site/coverage/index.html"
ends 0 report "$data" "$work/other" -o "$site" --lines coverage/index.html
holds 'the link is there' grep -q '"lines":"coverage/index.html"' "$site/index.html"
holds 'both folders are in' grep -q '"/x/c.c"' "$site/index.html"

# how often each check was evaluated: all that traces can reach by the seeds, and none that a trace
# does not reach
evaluated() { # FILE PYTHON: an expression about the counts
    holds_if_there "$2" python3 -c 'import json, sys
counts = json.load(open(sys.argv[1]))["evaluated"]
assert eval(sys.argv[2]), counts' "$1" "$2"
}
ends 0 replay --json anvil "$(dirname "$0")/../../corpus/seeds"
evaluated "$work/out" '{check for check, count in counts.items() if count == 0} == {"scaling", "race"}'
printf '#0 = malloc 48\n#1 = malloc 2^63\nfree #0\nfree #1\n' >"$work/plain.trace"
ends 0 replay --json --rounds 0 anvil "$work/plain.trace"
evaluated "$work/out" 'counts["zeroed"] == counts["kept"] == counts["policy"] == counts["footprint"] == counts["recovery"] == 0'
evaluated "$work/out" 'counts["impossible"] == 1 and counts["null"] == counts["overlap"] == 1 and counts["crash"] >= 4'

finish
