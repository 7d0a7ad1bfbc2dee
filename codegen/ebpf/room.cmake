# libbpf writes the types of an object, libelf the file around them.
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
target_link_libraries(weir_ebpf PRIVATE PkgConfig::LIBBPF PkgConfig::LIBELF)
