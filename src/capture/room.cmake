pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap)
target_link_libraries(weir_capture PRIVATE PkgConfig::PCAP)
