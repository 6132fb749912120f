#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets and their seeds into $OUT, as OSS-Fuzz and ClusterFuzzLite ask: with $CC,
# $CXX, $CFLAGS, $CXXFLAGS and $LIB_FUZZING_ENGINE, whatever the sanitizer and the engine. Only
# anvil is fuzzed so; other allocators are fuzzed by `mallet fuzz`. ci/oss-fuzz-test runs it
# anywhere.
set -euo pipefail
source=$SRC/mallet
build=${WORK:-$SRC}/mallet-build
targets=(fuzz_trace fuzz_oom fuzz_config fuzz_codec fuzz_misuse fuzz_extents fuzz_slabs)
: "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}" "${OUT:?}"

cmake -G Ninja -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=None -DMALLET_ENGINE=external
cmake --build "$build" --target "${targets[@]}" encode_traces

seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir "$seeds/traces"
"$build/bin/encode_traces" "$seeds/traces" "$source"/corpus/{seeds,regressions,recorded}/*.trace
mkdir "$seeds/short" # what a campaign would cut is no seed
find "$seeds/traces" -size -4k -exec cp -t "$seeds/short" {} +
for target in "${targets[@]}"; do
    cp "$build/bin/$target" "$OUT/"
    case $target in
    fuzz_trace | fuzz_oom | fuzz_codec) (cd "$seeds/short" && zip -q -r "$OUT/${target}_seed_corpus.zip" .) ;;
    esac
    printf '[libfuzzer]\nmax_len = 4096\n' >"$OUT/$target.options"
done
