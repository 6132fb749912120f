# SPDX-License-Identifier: MIT
# What `cmake --install` puts where, and the packages that CPack makes of it:
#
#   mallet        manual pages, completion; bin/mallet, a link into lib/mallet, which is laid out as the build folder, so that every program finds the others beside
#                 itself and the whole can be moved; lib/cmake/mallet: mallet_add_check and mallet_add_conformance for other projects
#   libanvil1     lib/libanvil.so.1
#   libanvil-dev  include/anvil.h, lib/libanvil.a, lib/libanvil.so, pkg-config
#
# The engines' targets come from build/libfuzzer and build/afl, where those presets were built;
# mallet fuzz says so if they are missing.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(tree ${CMAKE_INSTALL_LIBDIR}/mallet)

set(programs mallet mallet-child mallet-child-anvil mallet-bench-child)
if(TARGET mallet-interleave)
  list(APPEND programs mallet-interleave)
endif()
install(TARGETS ${programs} RUNTIME DESTINATION ${tree}/release/bin COMPONENT mallet)
install(TARGETS mallet_record LIBRARY DESTINATION ${tree}/release/lib COMPONENT mallet)
foreach(child mallet-child-musl mallet-child-32)
  install(PROGRAMS ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${child} DESTINATION ${tree}/release/bin COMPONENT mallet OPTIONAL)
endforeach()
foreach(engine libfuzzer afl)
  set(built ${PROJECT_SOURCE_DIR}/build/${engine})
  foreach(file bin/fuzz_trace bin/mallet-child bin/mallet-child-anvil bin/mallet-child-32 lib/mallet-afl-mutator.so)
    get_filename_component(folder ${file} DIRECTORY)
    install(PROGRAMS ${built}/${file} DESTINATION ${tree}/${engine}/${folder} COMPONENT mallet OPTIONAL)
  endforeach()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/corpus/ DESTINATION ${tree}/corpus COMPONENT mallet)
install(FILES README.md CHANGELOG.md mallet/json.md mallet/schema.json DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT mallet)
foreach(package mallet libanvil1 libanvil-dev)
  install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${package})
endforeach()

# Manual pages: of the command by what it says itself, of the rest by the sources that own it.
set(man ${CMAKE_BINARY_DIR}/man)
find_program(HELP2MAN help2man)
if(HELP2MAN)
  add_custom_command(OUTPUT ${man}/man1/mallet.1 COMMAND ${PROJECT_SOURCE_DIR}/cmake/man.sh $<TARGET_FILE:mallet> ${man}/man1
      DEPENDS mallet cmake/man.sh VERBATIM)
  add_custom_target(man ALL DEPENDS ${man}/man1/mallet.1)
  if(TARGET mallet-interleave)
    add_dependencies(man mallet-interleave)
  endif()
  install(DIRECTORY ${man}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT mallet)
endif()
if(Python3_FOUND)
  set(pages ${man}/anvil.3 ${man}/anvil_options.7 ${man}/mallet-trace.5)
  add_custom_command(OUTPUT ${pages} COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/docs/manual.py ${PROJECT_VERSION} ${man}
      DEPENDS docs/manual.py docs/sources.py allocator/include/anvil.h allocator/src/options.c harness/README.md
          harness/trace/trace.h harness/trace/trace_text.c harness/trace/trace_number.c VERBATIM)
  add_custom_target(manual ALL DEPENDS ${pages})
  install(FILES ${man}/mallet-trace.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT mallet)
  install(FILES ${man}/anvil.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT libanvil-dev)
  install(FILES ${man}/anvil_options.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7 COMPONENT libanvil1)
endif()

# Completion. Debian's zsh looks into vendor-completions below /usr, and into site-functions below
# /usr/local.
install(FILES mallet/completion/mallet.bash RENAME mallet DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT mallet)
foreach(folder site-functions vendor-completions)
  install(FILES mallet/completion/_mallet DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${folder} COMPONENT mallet)
endforeach()

# Relative links, so that the installation can be moved.
function(install_link target link component)
  install(CODE "
    get_filename_component(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${link}\" DIRECTORY)
    file(MAKE_DIRECTORY \"\${folder}\")
    file(CREATE_LINK ${target} \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${link}\" SYMBOLIC)" COMPONENT ${component})
endfunction()
file(RELATIVE_PATH to_tree /${CMAKE_INSTALL_BINDIR} /${tree}/release/bin)
install_link(${to_tree}/mallet ${CMAKE_INSTALL_BINDIR}/mallet mallet)
install_link(mallet-child ${tree}/release/bin/mallet-conform mallet)
if(TARGET anvil_shared) # what `mallet conform anvil` preloads
  install_link(../../../libanvil.so.1 ${tree}/release/lib/libanvil.so mallet)
endif()

configure_package_config_file(cmake/mallet-config.cmake.in ${CMAKE_BINARY_DIR}/mallet-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mallet PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/mallet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/mallet-config.cmake ${CMAKE_BINARY_DIR}/mallet-config-version.cmake cmake/mallet.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mallet COMPONENT mallet)

if(TARGET anvil_shared)
  install(TARGETS anvil_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libanvil1 NAMELINK_COMPONENT libanvil-dev)
  install(TARGETS anvil ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libanvil-dev)
  install(FILES allocator/include/anvil.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libanvil-dev)
  file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(cmake/anvil.pc.in ${CMAKE_BINARY_DIR}/anvil.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/anvil.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libanvil-dev)
endif()

# ---- packages: `cpack` in the build folder ----
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the mallet project")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_COMPONENTS_ALL mallet libanvil1 libanvil-dev)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_MALLET_PACKAGE_NAME mallet)
set(CPACK_DEBIAN_MALLET_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_MALLET_PACKAGE_DEPENDS "libanvil1 (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_MALLET_PACKAGE_RECOMMENDS "gcc, libc6-dev")
set(CPACK_DEBIAN_MALLET_DESCRIPTION "test harness for malloc\n Fuzzes any allocator, tests it clause by clause against C and POSIX, refuses it memory, and runs\n threads and forks on it; reports each bug as a trace and a C program.")
set(CPACK_DEBIAN_LIBANVIL1_PACKAGE_NAME libanvil1)
set(CPACK_DEBIAN_LIBANVIL1_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBANVIL1_DESCRIPTION "general-purpose memory allocator, a drop-in for malloc")
set(CPACK_DEBIAN_LIBANVIL-DEV_PACKAGE_NAME libanvil-dev)
set(CPACK_DEBIAN_LIBANVIL-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBANVIL-DEV_PACKAGE_DEPENDS "libanvil1 (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_LIBANVIL-DEV_DESCRIPTION "headers and static library of the allocator anvil")
include(CPack)
