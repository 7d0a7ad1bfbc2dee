# What `cmake --install` puts where: the program, the man pages, and the library as one archive with its headers.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# libweir: the objects of all rooms that weir's own needs, so that users link one file.
get_target_property(room_links weir_weir INTERFACE_LINK_LIBRARIES)
list(FILTER room_links INCLUDE REGEX "^weir_")
set(library_objects $<TARGET_OBJECTS:weir_weir>)
foreach(room ${room_links})
  get_target_property(type ${room} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    list(APPEND library_objects $<TARGET_OBJECTS:${room}>)
  endif()
endforeach()
add_library(libweir STATIC ${library_objects})
set_target_properties(libweir PROPERTIES OUTPUT_NAME weir EXPORT_NAME weir)
target_link_libraries(libweir PRIVATE fmt::fmt Zydis::Zydis vixl PkgConfig::LIBBPF PkgConfig::LIBELF)
target_compile_features(libweir PUBLIC cxx_std_23)
target_include_directories(libweir INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

# Installed, base/ lies inside weir/: <weir/weir.hpp> finds "base/…" beside itself, and the headers in base/ are
# changed to find each other, so that no user needs a second include folder with so common a name.
set(public_base diagnostic.def diagnostic.hpp limits.hpp packet.hpp packet_view.hpp result.hpp span.hpp)
set(installed_base ${CMAKE_BINARY_DIR}/installed/base)
foreach(name ${public_base})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS src/base/${name})
  file(READ src/base/${name} text)
  string(REPLACE "#include \"base/" "#include \"" text "${text}")
  file(CONFIGURE OUTPUT ${installed_base}/${name} CONTENT "${text}" @ONLY)
endforeach()

# The interface behind which names are looked up, for programs that bring their own.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS src/names/names.hpp)
file(READ src/names/names.hpp text)
string(REPLACE "#include \"base/" "#include \"../base/" text "${text}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/installed/names/names.hpp CONTENT "${text}" @ONLY)

file(RELATIVE_PATH up_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
file(CONFIGURE OUTPUT installed/weir.pc @ONLY CONTENT [[
prefix=${pcfiledir}/@up_to_prefix@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: weir
Description: Compiles tcpdump filter expressions (C++23)
Version: @PROJECT_VERSION@
Requires: fmt libbpf libelf
Libs: -L${libdir} -lweir -lZydis -lvixl
Cflags: -I${includedir}
]])
file(CONFIGURE OUTPUT installed/weirConfig.cmake CONTENT [[
include(CMakeFindDependencyMacro)
find_dependency(fmt)
find_dependency(Zydis)
find_dependency(PkgConfig)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
include(${CMAKE_CURRENT_LIST_DIR}/weirTargets.cmake)
]] @ONLY)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/installed/weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS weir)
install(TARGETS libweir EXPORT weirTargets)
install(DIRECTORY ${installed_base} ${CMAKE_BINARY_DIR}/installed/names DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir)
install(FILES src/weir/weir.hpp src/weir/attach.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/weir)
install(FILES man/weir.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES man/weir.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
install(FILES man/weir-filter.7 DESTINATION ${CMAKE_INSTALL_MANDIR}/man7)
install(FILES ${CMAKE_BINARY_DIR}/installed/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/weir)
install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_folder})
install(FILES ${CMAKE_BINARY_DIR}/installed/weirConfig.cmake ${CMAKE_BINARY_DIR}/installed/weirConfigVersion.cmake
        DESTINATION ${package_folder})
