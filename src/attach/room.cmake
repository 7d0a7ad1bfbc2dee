pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf)
target_link_libraries(weir_attach PRIVATE PkgConfig::LIBBPF)
