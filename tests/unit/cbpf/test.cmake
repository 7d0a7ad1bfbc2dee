# The yardsticks: libpcap's printer and validator, and an assembler.
find_library(PCAP_LIBRARY pcap REQUIRED)
find_program(BPFC bpfc PATHS /usr/sbin)
target_link_libraries(cbpf_test PRIVATE ${PCAP_LIBRARY})
if(BPFC)
  target_compile_definitions(cbpf_test PRIVATE WEIR_BPFC="${BPFC}")
endif()
