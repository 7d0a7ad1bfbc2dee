#include "wire/protocol.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>

using namespace weir::wire;

TEST_CASE("link_protocol knows the words after `ether proto` and no others") {
  struct Row {
    const char* word;
    std::uint32_t number;
  };
  constexpr Row rows[] = {
      {"ip", 0x0800},     {"ip6", 0x86dd},   {"arp", 0x0806},   {"rarp", 0x8035},  {"aarp", 0x80f3},
      {"atalk", 0x809b},  {"decnet", 0x6003}, {"lat", 0x6004},  {"sca", 0x6007},   {"mopdl", 0x6001},
      {"moprc", 0x6002},  {"loopback", 0x9000}, {"iso", 0xfe},  {"stp", 0x42},     {"ipx", 0xe0},
      {"netbeui", 0xf0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CHECK(link_protocol(row.word) == row.number);
  }
  for (const char* word : {"", "IP", "ipv6", "tcp", "vlan", "xns", "sprite", "isons", "snap"}) {
    CAPTURE(word);
    CHECK(link_protocol(word) == std::nullopt);
  }
}

TEST_CASE("ethertype_symbol") {
  CHECK(ethertype_symbol(ethertype::Ip) == "ETHERTYPE_IP");
  CHECK(ethertype_symbol(ethertype::Ip6) == "ETHERTYPE_IPV6");
  CHECK(ethertype_symbol(ethertype::Qinq) == "ETHERTYPE_8021AD");
  CHECK(ethertype_symbol(0) == "");
  CHECK(ethertype_symbol(0x10800) == "");
}

TEST_CASE("ppp_protocol") {
  CHECK(ppp_protocol(ethertype::Ip) == 0x21);
  CHECK(ppp_protocol(ethertype::Ip6) == 0x57);
  CHECK(ppp_protocol(ethertype::Decnet) == 0x27);
  CHECK(ppp_protocol(ethertype::Atalk) == 0x29);
  CHECK(ppp_protocol(ethertype::Ns) == 0x25);
  CHECK(ppp_protocol(llc_sap::IsoNs) == 0x23);
  CHECK(ppp_protocol(llc_sap::Stp) == 0x31);
  CHECK(ppp_protocol(llc_sap::Ipx) == 0x2b);
  CHECK(ppp_protocol(ethertype::Arp) == 0x0806);
  CHECK(ppp_protocol(ppp::MplsUnicast) == 0x0281);
}

TEST_CASE("IP protocol numbers are the system's") {
  CHECK(ip_protocol::HopByHop == IPPROTO_HOPOPTS);
  CHECK(ip_protocol::Icmp == IPPROTO_ICMP);
  CHECK(ip_protocol::Igmp == IPPROTO_IGMP);
  CHECK(ip_protocol::Tcp == IPPROTO_TCP);
  CHECK(ip_protocol::Udp == IPPROTO_UDP);
  CHECK(ip_protocol::Routing == IPPROTO_ROUTING);
  CHECK(ip_protocol::Fragment == IPPROTO_FRAGMENT);
  CHECK(ip_protocol::Esp == IPPROTO_ESP);
  CHECK(ip_protocol::Ah == IPPROTO_AH);
  CHECK(ip_protocol::Icmp6 == IPPROTO_ICMPV6);
  CHECK(ip_protocol::NoNext == IPPROTO_NONE);
  CHECK(ip_protocol::DestOpts == IPPROTO_DSTOPTS);
  CHECK(ip_protocol::Pim == IPPROTO_PIM);
  CHECK(ip_protocol::Sctp == IPPROTO_SCTP);
  CHECK(ip_protocol::Igrp == 9);
  CHECK(ip_protocol::Vrrp == ip_protocol::Carp);
}
