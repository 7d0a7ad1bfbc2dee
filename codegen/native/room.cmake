# Encoders, and the disassemblers of listings. Without an encoder for the CPU, `emit` says so and others run the filter.
find_package(Zydis REQUIRED)
pkg_check_modules(VIXL REQUIRED IMPORTED_TARGET vixl)
target_link_libraries(weir_native PRIVATE Zydis::Zydis PkgConfig::VIXL)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64|AMD64")
  find_path(XBYAK_INCLUDE xbyak/xbyak.h REQUIRED)
  target_include_directories(weir_native SYSTEM PRIVATE ${XBYAK_INCLUDE})
  target_compile_definitions(weir_native PRIVATE WEIR_NATIVE_X86_64)
else()  # x86_64.cc says that there is none
  get_target_property(sources weir_native SOURCES)
  list(FILTER sources EXCLUDE REGEX "/x86_64_[a-z]+\\.cc$")
  set_target_properties(weir_native PROPERTIES SOURCES "${sources}")
endif()
