# SPDX-License-Identifier: MIT
# For projects that have an allocator. After find_package(mallet), or with mallet as a subproject:
#
#   mallet_add_check(TARGET [NAME name] [QUICK] [ARGUMENTS …])
#       a test that runs `mallet check` on the shared library TARGET
#   mallet_add_conformance(TARGET [NAME name] [PROFILES c23 …] [ARGUMENTS …])
#       a test that runs `mallet conform` on it
#
# ARGUMENTS are further words for the command, such as --baseline FILE or --prefix my_. Status 4, incomplete, fails the test too: a
# check that tested nothing is not green.
include_guard()

function(mallet_add_test_of command target)
  cmake_parse_arguments(PARSE_ARGV 2 of "QUICK" "NAME" "PROFILES;ARGUMENTS")
  if(NOT TARGET ${target})
    message(FATAL_ERROR "mallet_add_${command}: there is no target ${target}")
  endif()
  if(DEFINED of_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "mallet_add_${command}: unknown words: ${of_UNPARSED_ARGUMENTS}")
  endif()
  set(words ${of_ARGUMENTS})
  if(of_QUICK)
    list(APPEND words --quick)
  endif()
  foreach(profile IN LISTS of_PROFILES)
    list(APPEND words --profile ${profile})
  endforeach()
  if(NOT DEFINED of_NAME)
    set(of_NAME mallet.${command}.${target})
  endif()
  if(command STREQUAL "check")
    list(APPEND words --output ${CMAKE_CURRENT_BINARY_DIR}/${of_NAME})
  endif()
  set(program ${mallet_PROGRAM})
  if(TARGET mallet)
    set(program $<TARGET_FILE:mallet>)
  endif()
  add_test(NAME ${of_NAME} COMMAND ${program} ${command} $<TARGET_FILE:${target}> ${words})
  set_tests_properties(${of_NAME} PROPERTIES TIMEOUT 3600 RUN_SERIAL TRUE)
endfunction()

function(mallet_add_check target)
  mallet_add_test_of(check ${target} ${ARGN})
endfunction()

function(mallet_add_conformance target)
  mallet_add_test_of(conform ${target} ${ARGN})
endfunction()
