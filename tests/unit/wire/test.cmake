# The installed libpcap is the yardstick for the numbers of link types.
target_link_libraries(wire_test PRIVATE pcap)
