# SPDX-License-Identifier: MIT
# The one place for compiler flags: warnings, sanitizers, coverage, engine instrumentation.
target_include_directories(mallet_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(mallet_flags INTERFACE _GNU_SOURCE)
target_compile_options(mallet_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wvla -Wundef -Wstrict-prototypes
    -fno-omit-frame-pointer
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>) # sentences are cut to their bound on purpose
if(MALLET_WERROR)
  target_compile_options(mallet_flags INTERFACE -Werror)
endif()

if(MALLET_SANITIZERS)
  target_compile_options(mallet_flags INTERFACE -fsanitize=${MALLET_SANITIZERS} -fno-sanitize-recover=all)
  target_link_options(mallet_flags INTERFACE -fsanitize=${MALLET_SANITIZERS})
endif()
if(MALLET_ENGINE STREQUAL "libfuzzer")
  target_compile_options(mallet_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(mallet_flags INTERFACE -fsanitize=fuzzer-no-link) # programs without the engine need its hooks too
endif()
if(MALLET_COVERAGE)
  target_compile_options(mallet_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping
      -mllvm -runtime-counter-relocation) # counters in a mapped file: kept when a process is killed
  target_link_options(mallet_flags INTERFACE -fprofile-instr-generate)
endif()
