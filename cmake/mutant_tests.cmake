# SPDX-License-Identifier: MIT
# add_mutant_tests(KIND PROGRAM ID…): a test KIND.ID for each mutant ID, `PROGRAM FOLDER ID`, so
# that a failure names its mutant and tests that wait run beside others.
function(add_mutant_tests kind program)
  foreach(id IN LISTS ARGN)
    add_test(NAME ${kind}.${id} COMMAND ${program} ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/mutants ${id})
    set_tests_properties(${kind}.${id} PROPERTIES LABELS mutants TIMEOUT 1200 COST 20) # COST, here and elsewhere: about its seconds; the longest begin first
  endforeach()
  add_dependencies(${program} mallet-child mutants)
endfunction()
