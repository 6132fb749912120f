# SPDX-License-Identifier: MIT
# The child program that subjects live in (harness/job/child.h), once for each libc, and the jobs in
# it.

# An object library of jobs: the linker must not drop those that nothing refers to by name. Its
# sources go into every child.
function(add_jobs name)
  add_library(${name} OBJECT ${ARGN})
  target_link_libraries(${name} PRIVATE harness mallet_flags)
  set_property(GLOBAL APPEND PROPERTY mallet_job_libraries ${name})
  add_child_sources(${ARGN})
endfunction()

# Sources that children of other libcs need, too, since they cannot link our libraries.
function(add_child_sources)
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source)
    set_property(GLOBAL APPEND PROPERTY mallet_child_sources ${source})
  endforeach()
endfunction()

# mallet-child binds foreign subjects, and has nothing of anvil in it, whose fork handlers would
# stand beside theirs; mallet-child-anvil binds anvil alone, under its prefix. ARGN: the sources of
# main. Called once, after every add_jobs.
function(add_children)
  set(subject ${PROJECT_SOURCE_DIR}/harness/subject)
  if(MALLET_SANITIZERS)
    add_native_child(mallet-child ${subject}/child_bind_sanitized.c ${ARGN})
  else()
    add_native_child(mallet-child ${subject}/child_bind.c ${ARGN})
  endif()
  add_native_child(mallet-child-anvil ${subject}/child_bind_anvil.c ${ARGN})
  add_dependencies(mallet-child mallet-child-anvil)
  link_conform(mallet-child)

  add_child_sources(${ARGN})
  find_program(MUSL_GCC musl-gcc)
  if(MUSL_GCC AND NOT MALLET_SANITIZERS)
    add_foreign_child(mallet-child-musl ${MUSL_GCC} ${subject}/child_bind_host.c
        "-idirafter;/usr/include;-idirafter;/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}" # musl brings no kernel headers
        "-static;-Wl,-u,reallocarray,-u,valloc") # weak names alone pull nothing out of an archive
  endif()
  if(NOT MALLET_SANITIZERS AND EXISTS /usr/include/x86_64-linux-gnu/gnu/stubs-32.h)
    add_foreign_child(mallet-child-32 gcc "${subject}/child_bind.c;${subject}/subject_library.c"
        "-m32;-Wno-psabi" -m32) # without notes on how gcc 10 laid out 64-bit atomics
  endif()
endfunction()

function(add_native_child name)
  get_property(libraries GLOBAL PROPERTY mallet_job_libraries)
  list(TRANSFORM libraries REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_executable(${name} ${ARGN} ${objects})
  target_link_libraries(${name} PRIVATE harness mallet_flags)
endfunction()

# The same sources, and those that bind, with the compiler of another libc or for 32 bits.
function(add_foreign_child name compiler binding compile_options link_options)
  get_property(sources GLOBAL PROPERTY mallet_child_sources)
  list(APPEND sources ${binding})
  set(objects "")
  foreach(source IN LISTS sources)
    string(MD5 id ${source})
    get_filename_component(base ${source} NAME_WE)
    get_property(embedded SOURCE ${source} PROPERTY OBJECT_DEPENDS)
    set(object ${CMAKE_BINARY_DIR}/${name}.dir/${base}-${id}.o)
    add_custom_command(OUTPUT ${object}
        COMMAND ${CMAKE_C_COMPILER_LAUNCHER} ${compiler} -std=gnu11 -D_GNU_SOURCE -O2 -g -I${PROJECT_SOURCE_DIR} ${compile_options}
            -MMD -MF ${object}.d -o ${object} -c ${source}
        DEPENDS ${source} ${embedded} DEPFILE ${object}.d VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(program ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name})
  add_custom_command(OUTPUT ${program} COMMAND ${compiler} -o ${program} ${objects} -pthread ${link_options} DEPENDS ${objects} VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${program})
  link_conform(${name})
endfunction()

# mallet-conform… is the name of the child as the gate of its own libc.
function(link_conform child)
  string(REPLACE mallet-child mallet-conform name ${child})
  set(folder ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  add_custom_command(OUTPUT ${folder}/${name} COMMAND ${CMAKE_COMMAND} -E create_symlink ${child} ${folder}/${name} VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${folder}/${name})
  add_dependencies(${child} ${name})
endfunction()
