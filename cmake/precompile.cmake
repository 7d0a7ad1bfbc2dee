# What is built where nothing keeps compiled files: few files are compiled, most of them several of a room joined, and the headers
# that most files include are parsed once for all targets. Unit tests are compiled with other options, and all with
# doctest: they have a parse of their own, as has what is compiled without sanitizers where others are with them.
set(common
  <algorithm> <array> <bit> <charconv> <cstdint> <cstring> <expected> <functional> <map> <memory> <optional> <ranges> <span>
  <string> <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)

# weir_precompiled(NAME OPTIONS HEADER…): a library of nothing but parsed headers.
function(weir_precompiled name options)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${name}.cc CONTENT "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${name}.cc)
  target_link_libraries(${name} PRIVATE fmt::fmt)
  target_compile_options(${name} PRIVATE ${WEIR_WARNINGS} ${options})
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

# The C++ targets of a folder and those below it.
function(weir_targets_below folder result)
  get_property(all DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(sub ${below})
    weir_targets_below(${sub} more)
    list(APPEND all ${more})
  endforeach()
  set(${result} ${all} PARENT_SCOPE)
endfunction()

# GCC 12 forgets which of the parsed headers are the system's, and warns of what it sees in them inlined.
set(of_system_headers "")
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(of_system_headers -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()

# Joined, the files of a room have to differ in the names that each keeps to itself. These say the same for one machine or place
# after the other, with the same words, or include headers of the system that contradict each other.
set(apart weir_grammar weir_vm weir_attach weir_prove weir_simulate weir_proofs
          grammar_test native_test prove_test vm_test traffic_test weir_ebpf_bench weir_kernel_test)
set_source_files_properties(src/cli/tcpdump_options.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
if(TARGET weir_oracle_parts)  # <arpa/nameser.h> has macros of common names
  set_source_files_properties(${CMAKE_SOURCE_DIR}/tests/oracle/resolver.cc TARGET_DIRECTORY weir_oracle_parts PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endif()

weir_targets_below(${CMAKE_SOURCE_DIR} targets)
weir_precompiled(weir_common_headers "" ${common})
if(WEIR_TESTS)
  weir_precompiled(weir_test_headers -O0 ${common} <doctest/doctest.h>)
  if(WEIR_SANITIZE)
    weir_precompiled(weir_plain_headers "-O0;-fno-sanitize=all" ${common})
  endif()
endif()
foreach(target ${targets})  # but those with C in them
  get_target_property(type ${target} TYPE)
  get_target_property(sources ${target} SOURCES)
  get_target_property(options ${target} COMPILE_OPTIONS)
  get_target_property(disabled ${target} DISABLE_PRECOMPILE_HEADERS)
  if(NOT type MATCHES "STATIC_LIBRARY|OBJECT_LIBRARY|EXECUTABLE" OR NOT sources MATCHES "\\.cc" OR sources MATCHES "\\.c(;|$)" OR disabled)
    continue()
  endif()
  set(headers weir_common_headers)
  if(options MATCHES "-fno-sanitize=all")
    set(headers weir_plain_headers)
  elseif(options MATCHES "-O0")
    set(headers weir_test_headers)
  endif()
  if(type STREQUAL EXECUTABLE)  # as the headers: clang holds the two ways of placing code to be different languages
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
  target_compile_options(${target} PRIVATE ${of_system_headers})
  target_precompile_headers(${target} REUSE_FROM ${headers})
  if(NOT target IN_LIST apart)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${target} PRIVATE -Wno-shadow)  # what another file keeps to itself is not shadowed
  endif()
endforeach()
