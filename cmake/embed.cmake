# SPDX-License-Identifier: MIT
# Takes files into a program as text: harness/program/embedded.h. `prefix` names the function that finds them, PREFIX_file_find; files are named below
# `base`. Sets ret_source to the C source that results, and ret_source_inputs to what it is made of.
function(embed_files prefix base ret_source)
  set(embedded_list "")
  foreach(file IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER ${file} id)
    string(APPEND embedded_list "FILE(${id}, \"${file}\") ")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded.c)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embedded.c.in ${source} @ONLY)
  list(TRANSFORM ARGN PREPEND ${base}/ OUTPUT_VARIABLE inputs)
  set_property(SOURCE ${source} PROPERTY OBJECT_DEPENDS "${inputs}")
  set(${ret_source} ${source} PARENT_SCOPE)
  set(${ret_source}_inputs ${inputs} PARENT_SCOPE)
endfunction()
