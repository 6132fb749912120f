# SPDX-License-Identifier: MIT
# The programs that subjects live in, from one list of sources: NAME binds foreign subjects, and has nothing of anvil in it, whose fork handlers
# would stand beside theirs; NAME-anvil binds anvil alone, under its prefix.
function(add_child name)
  set(harness ${PROJECT_SOURCE_DIR}/harness)
  if(MALLET_SANITIZERS)
    add_executable(${name} ${ARGN} ${harness}/subject/child_bind_sanitized.c)
  else()
    add_executable(${name} ${ARGN} ${harness}/subject/child_bind.c)
  endif()
  add_executable(${name}-anvil ${ARGN} ${harness}/subject/child_bind_anvil.c)
  target_link_libraries(${name} PRIVATE harness mallet_flags)
  target_link_libraries(${name}-anvil PRIVATE harness mallet_flags)
  add_dependencies(${name} ${name}-anvil)
endfunction()
