# The yardstick: libpcap's interpreter.
find_library(PCAP_LIBRARY pcap REQUIRED)
target_link_libraries(vm_test PRIVATE ${PCAP_LIBRARY})
