# SPDX-License-Identifier: MIT
# The one place for compiler flags: warnings, sanitizers, coverage, engine instrumentation.
target_include_directories(mallet_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(mallet_flags INTERFACE _GNU_SOURCE)
target_compile_options(mallet_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wvla -Wundef -Wstrict-prototypes
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>) # sentences are cut to their bound on purpose
if(MALLET_WERROR)
  target_compile_options(mallet_flags INTERFACE -Werror)
endif()

if(MALLET_SANITIZERS OR NOT MALLET_ENGINE) # stacks for profilers and reports; under an engine alone, speed
  target_compile_options(mallet_flags INTERFACE -fno-omit-frame-pointer)
endif()
if(MALLET_SANITIZERS)
  target_compile_options(mallet_flags INTERFACE -fsanitize=${MALLET_SANITIZERS} -fno-sanitize-recover=all)
  target_link_options(mallet_flags INTERFACE -fsanitize=${MALLET_SANITIZERS})
endif()
if(MALLET_ENGINE AND MALLET_SANITIZERS MATCHES address)
  target_compile_options(mallet_flags INTERFACE -fsanitize-address-use-after-return=never) # a fake stack for every call halves the speed
endif()

# What an engine shall see the inside of links to this as well: anvil, and the codec when that is on
# trial. Never the checks.
add_library(mallet_instrumented INTERFACE)
if(MALLET_ENGINE STREQUAL "libfuzzer")
  target_compile_options(mallet_instrumented INTERFACE -fsanitize=fuzzer-no-link
      # What an allocator compares are addresses and counts: no hint to an engine, and a third of
      # the time. Its indirect calls have one target each.
      -fno-sanitize-coverage=trace-cmp,indirect-calls,stack-depth)
  set(mallet_uncounted -fno-sanitize=fuzzer-no-link -fno-sanitize=all) # for a source among those that is a check
  target_link_options(mallet_flags INTERFACE -fsanitize=fuzzer-no-link) # programs without the engine need its hooks too
endif()
# Of OSS-Fuzz and ClusterFuzzLite: everything comes in CFLAGS, and is for all sources. Edges of the
# checks are no hint to an engine: not counted.
if(MALLET_ENGINE STREQUAL "external")
  enable_language(CXX) # which their engines are written in
  string(REGEX MATCH "-fsanitize=(address|memory|thread)" mallet_sanitized "${CMAKE_C_FLAGS}")
  if(CMAKE_C_FLAGS MATCHES "-fsanitize=fuzzer-no-link")
    set(mallet_uncounted -fno-sanitize=fuzzer-no-link)
  endif()
else()
  set(mallet_sanitized ${MALLET_SANITIZERS})
endif()
# afl-clang-fast instruments whatever it compiles, but for what asks it not to.
if(MALLET_ENGINE STREQUAL "afl" OR (MALLET_ENGINE STREQUAL "external" AND CMAKE_C_COMPILER MATCHES "afl-[^/]*$"))
  set(mallet_not_instrumented ${CMAKE_COMMAND} -E env AFL_NOOPT=1)
endif()
if(MALLET_COVERAGE)
  target_compile_options(mallet_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping
      -mllvm -runtime-counter-relocation) # counters in a mapped file: kept when a process is killed
  target_link_options(mallet_flags INTERFACE -fprofile-instr-generate)
endif()
