#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet bench`: the one sentence for each bad input, the table, the JSON, and
# subjects that fail. Counts are tiny: no time matters.
#
# usage: bench.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
quick='bench --scale 1 --repeats 5'

ends 0 bench --help
printed 'Usage: '
usage 'unrecognized option' bench --frobnicate
ends 0 bench --list
printed '^pairs  *lifo-64 '
printed '^programs  *sqlite3 '
printed '^traces  *trace-sqlite3 '
ends 0 bench --list --json
printed '"workload": "sawtooth"'
refused '--workload: `nosuch` is none that `mallet bench --list` shows' bench --workload lifo-64 --workload nosuch
refused '--repeats: `4` is not a number from 5 to 99' bench --repeats 4
refused '--repeats: `many` is not a number from 5 to 99' bench --repeats many
refused '--scale: `0` is not a number from 1 to 1000' bench --scale 0
refused '--trace: .*none.trace: No such file' bench --trace "$work/none.trace"
refused 'unknown subject `nosuch`' bench --workload lifo-64 nosuch
refused '--output: ' bench --workload lifo-64 --output /proc/no/such glibc
mkdir "$work/hollow"
refused '--trace: ' bench --trace "$work/hollow"

# every kind of workload, on the reference and its control alone
printf '#0 = malloc 48\n#1 = calloc 4 12\n#2 = aligned_alloc 64 128\n#0 = realloc #0 200\nfree #1\nfree #0\n' >"$work/own.trace"
printf '#0 = malloc 48\n#0 = realloc #0 usable(#0)\nfree #0\n' >"$work/usable.trace"
# shellcheck disable=SC2086
ends 0 $quick --workload '*-64' --workload 'lifo-2M' --workload 'larson-*' --workload append-4K --workload calloc-64M --workload sawtooth \
    --workload 'trace-*' --trace "$work/own.trace" --output "$work/plots" glibc
printed '^15 workloads, 5 interleaved repeats'
printed '^CPU time  *glibc  *A/A$'
printed '^trace-own  *[0-9.]* [nu]s '
printed '^RSS/live '
printed '^geomean  *1  *[0-9.]*%$'
printed '^Counts were scaled to 1%'
printed '^> 1.3 best'
holds 'the plot has the subjects' grep -q '>glibc</text>' "$work/plots/bench.svg"

ends 0 bench --scale 1 --repeats 5 --workload lifo-64 --workload 'trace-*' --trace "$work/own.trace" --trace "$work/usable.trace" glibc
printed '^skipped  trace-usable: its sizes depend on'
printed '^2 workloads'

# the document
cat >"$work/judge.py" <<'JUDGE'
import json, math, sys
document = json.load(open(sys.argv[1]))
subjects = [subject["subject"] for subject in document["subjects"]]
assert subjects[:2] == [document["reference"], document["control"]] == ["glibc", "glibc (2)"], subjects
assert document["done"] == document["minimum"] == 5 * 2 * len(subjects), document["done"]
for cost, mean, interval in ("cpu_ns", "geomean_cpu", "interval_cpu"), ("rss_bytes", "geomean_rss", "interval_rss"):
    logs = {}
    for workload in document["workloads"]:
        base = workload["results"][0][cost]["median"]
        for result in workload["results"]:
            value = result[cost]
            assert result["runs"] == 5 and value["min"] <= value["median"] <= value["max"]
            assert abs(value["ratio"] - value["median"] / base) < 1e-6 * value["ratio"]
            within = 1 / workload[interval] <= value["ratio"] <= workload[interval]
            assert within == (value["verdict"] in ("tie", "too noisy")), value
            assert within or result["subject"] != "glibc (2)"
            logs.setdefault(result["subject"], []).append(math.log(value["ratio"]))
    for subject in document["subjects"]:
        wanted = math.exp(sum(logs[subject["subject"]]) / len(document["workloads"]))
        assert abs(subject[mean] - wanted) < 1e-6, (subject, wanted)
JUDGE
judged() {
    holds_if_there "the document of $* is right" python3 "$work/judge.py" "$work/out"
}
# shellcheck disable=SC2086
ends 0 $quick --workload lifo-64 --workload fill-1K --json glibc
judged glibc
printed '"rss_per_live": '

if [ -n "$foreign" ]; then
    # shellcheck disable=SC2086
    ends 0 $quick --workload random-4K --workload fill-1K --json anvil "$mutants/libheap_none.so" "$mutants/libheap_none.so"
    judged anvil, libheap_none.so
    printed '"subject": "libheap_none.so (2)"'
    cp "$mutants/libheap_none.so" "$work/own.so"
    (cd "$work" && "$mallet" bench --scale 1 --repeats 5 --workload fifo-64 own.so) >"$work/out" 2>"$work/err"
    printed ' own.so$'

    # a difference that no noise explains
    # shellcheck disable=SC2086
    ends 0 $quick --workload fill-256 --json "$mutants/libheap_free_walks_heap.so"
    holds_if_there 'the slow one takes more' python3 -c 'import json, sys
subjects = json.load(open(sys.argv[1]))["subjects"]
assert subjects[2]["verdict_cpu"] == "more" and subjects[2]["behind_cpu"] == ["fill-256"] and subjects[0]["behind_cpu"] == []' "$work/out"

    # subjects that cannot run, and one that cannot go through all of it
    refused 'subject `.*libhostile_no_malloc.so`: preloaded, it does not replace malloc' bench --workload lifo-64 "$mutants/libhostile_no_malloc.so"
    refused 'subject `.*libhostile_text.so`: preloaded, it does not replace malloc' bench --workload lifo-64 "$mutants/libhostile_text.so"
    refused 'one malloc and free: killed by signal 11' bench --workload lifo-64 "$mutants/libhostile_crash_at_load.so"
    refused 'subject `.*mallet-conform`: it cannot be preloaded' bench --workload lifo-64 "$(dirname "$mallet")/mallet-conform"
    # shellcheck disable=SC2086
    ends 4 $quick --workload lifo-64 --workload calloc-64M "$mutants/../sound/libfamily_none.so" anvil
    printed '^FAILED   calloc-64M on libfamily_none.so: killed by signal '
    printed '^calloc-64M .* failed '
    printed '^libfamily_none.so: no geometric mean, since 1 workloads failed'
    printed '^geomean  *1  *[0-9.]*%  *-  *[0-9.]*[ =?]$'
    # shellcheck disable=SC2086
    ends 4 $quick --workload lifo-64 --workload calloc-64M --json "$mutants/../sound/libfamily_none.so"
    printed '"geomean_cpu": null'
    printed '"failed": 1'
fi

# counts, which are the same for the same allocator; valgrind runs nothing that has a sanitizer
if [ -n "$foreign" ] && [ -x /usr/bin/valgrind ] && [ -x /usr/bin/strace ]; then
    # shellcheck disable=SC2086
    ends 0 $quick --workload lifo-64 --instructions --os-calls --json glibc
    holds_if_there 'counts are right' python3 -c 'import json, sys
document = json.load(open(sys.argv[1]))
reference, control = document["workloads"][0]["results"]
assert 30 < reference["instructions"] < 500 and reference["instructions"] == control["instructions"], reference
assert 5 < reference["os_calls"] < 100 and reference["os_calls"] == control["os_calls"], reference
assert document["done"] == document["minimum"] == 2 * (5 + 2 + 1)' "$work/out"
    # shellcheck disable=SC2086
    ends 0 $quick --workload lifo-64 --os-calls glibc
    printed '^OS calls  *glibc  *A/A$'
fi

# an interruption; "$!" must be the command itself
mkdir "$work/tmp"
TMPDIR=$work/tmp "$mallet" bench --repeats 99 --workload perl --workload lifo-64 glibc >"$work/out" 2>"$work/err" &
sleep 1
kill -INT $!
wait $!
[ $? -eq 130 ]
count $? 'an interrupted bench ends with 130'
printed 'interleaved repeats'
holds 'no folder is left behind' rmdir "$work/tmp"

finish
