# SPDX-License-Identifier: MIT
# Takes files into a program as text: harness/program/embedded.h, whose embedded_find finds the
# files of this list. `files` are named by their paths from the root. Sets ret_source to the C
# source that results, and ret_source_inputs to what it is made of.
function(embed_files ret_source files)
  set(embedded_list "")
  foreach(file IN LISTS files)
    string(MAKE_C_IDENTIFIER ${file} id)
    string(APPEND embedded_list "FILE(${id}, \"${file}\") ")
  endforeach()
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded.c)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embedded.c.in ${source} @ONLY)
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ OUTPUT_VARIABLE inputs)
  set_property(SOURCE ${source} PROPERTY OBJECT_DEPENDS "${inputs}")
  set(${ret_source} ${source} PARENT_SCOPE)
  set(${ret_source}_inputs ${inputs} PARENT_SCOPE)
endfunction()
