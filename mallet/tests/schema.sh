#!/bin/sh
# SPDX-License-Identifier: MIT
# What the commands print with --json is as mallet/schema.json says, and the schema refuses what is
# not.
#
# usage: schema.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
schema=$(cd "$(dirname "$0")/.." && pwd)/schema.json
good=$work/good.trace
printf '#0 = malloc 48\nfree #0\n' >"$good"
cat >"$work/validate.py" <<'PYTHON'
import copy, json, sys
try:
    import jsonschema
except ImportError:
    sys.exit(0)  # not installed: ci/setup installs it
schema, document = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for error in list(validator.iter_errors(document))[:3]:
    sys.exit(f"{list(error.absolute_path)}: {error.message[:300]}")
for key in schema["$defs"][document["document"]].get("required", []) + schema["required"]:
    lacking = copy.deepcopy(document)
    del lacking[key]
    assert not validator.is_valid(lacking), f"a document without {key} is valid"
    lacking[key] = {"of": "no such type"}
    assert not validator.is_valid(lacking), f"a document with a wrong {key} is valid"
PYTHON

documents=0
valid() { # STATUS KIND ARGUMENT…
    wanted=$1 kind=$2
    shift 2
    ends "$wanted" "$@" --json
    printed "\"document\": \"$kind\""
    cp "$work/out" "$work/$kind-$documents.json"
    holds_if_there "$kind is as the schema says" /usr/bin/python3 "$work/validate.py" "$schema" "$work/out"
    documents=$((documents + 1))
}
valid 0 replay replay anvil "$good"
valid 0 replay replay --cost anvil "$good"
valid 0 conform conform --clause 'C23-7.24.3.2*' anvil
valid 0 clauses clauses
valid 0 corpus corpus merge -o "$work/merged" anvil "$good"
valid 0 growth-list growth --list
valid 0 bench-list bench --list
valid 0 growth growth --quick --workload zeroed --band 256 anvil
if [ -n "$foreign" ]; then
    valid 0 replay replay --fail-os all anvil "$good"
    valid 0 list list
    valid 0 diff diff "$good" anvil glibc
    valid 1 replay replay "$mutants/libheap_upper_stays_linked.so" "$(dirname "$0")/../../mutants/traces"
    valid 0 torture torture --time 1 --scenario churn anvil
    valid 0 mutants mutants --output "$work/mutants" --budget 30s student
    valid 1 conform conform --profile c23 --clause 'C23-7.24.3.1*' glibc
fi
holds "$documents documents were tried" test "$documents" -ge 7
finish
