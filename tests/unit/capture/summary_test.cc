#include "capture/summary.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <vector>

using namespace weir::capture;

namespace {

std::vector<std::string> summaries(const std::string& name) {
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  auto reader = Reader::open(WEIR_PACKETS "/" + name);
  REQUIRE(reader);
  std::vector<std::string> lines;
  for (;;) {
    const auto record = reader->next();
    REQUIRE(record);
    if (!*record) return lines;
    lines.push_back(summary(**record, reader->format()));
  }
}

}  // namespace

TEST_CASE("time, protocols, addresses, length") {
  const auto lines = summaries("format_nano.pcap");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == "22:13:20.123456789 IP 10.0.0.1.40000 > 10.0.0.2.80: TCP [S], length 54");
  CHECK(lines[1] == "22:13:21.123456790 IP6 2001:db8::1.40000 > 2001:db8:0:1::2.53: UDP, length 91");
  CHECK(lines[2] == "22:13:22.123456791 ARP, who-has 10.0.0.2 tell 10.0.0.1, length 42");
  CHECK(summaries("format_big_endian.pcap")[0].starts_with("22:13:20.123456 IP "));
}

TEST_CASE("behind each link-layer header") {
  const auto first = [](const std::string& name) { return summaries(name)[0].substr(16); };
  const std::string tcp = "IP 10.0.0.1.40000 > 10.0.0.2.80: TCP [S], length ";
  for (const auto* name : {"link_raw.pcap", "link_ipv4.pcap", "link_null_little.pcap", "link_null_big.pcap",
                           "link_loop.pcap", "link_linux_sll.pcap", "link_linux_sll2.pcap", "link_ppp.pcap"}) {
    CAPTURE(name);
    CHECK(first(name).starts_with(tcp));
  }
  CHECK(first("vlan.pcap") == "vlan 10, " + tcp + "58");
  CHECK(first("link_ieee802_11_radio.pcap").starts_with("802.11 management subtype 0, length "));
}

TEST_CASE("any captured bytes are safe") {
  for (const auto* name : {"truncated.pcap", "llc.pcap", "ipv4.pcap", "ipv6.pcap", "tunnels.pcap"}) {
    CHECK(summaries(name).size() > 10);
  }
  const std::vector<std::uint8_t> bytes(64, 0x45);
  for (int dlt = 0; dlt < 310; ++dlt) {
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const auto line = summary({.length = 64, .bytes = {bytes.data(), size}}, {.dlt = dlt});
      CHECK(line.ends_with(", length 64"));
    }
  }
}
