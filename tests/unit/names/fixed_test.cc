#include <doctest/doctest.h>

#include "names/names.hpp"

using namespace weir::names;

namespace {

const FixedTables tables = {
    .hosts =
        {
            "# comment",
            "",
            "192.168.243.1 four.test",
            "192.168.241.3 \tFour.test alias.test  # trailing comment",
            "192.168.241.3 four.test",
            "fd00:a1b2:c3d4::a0b0:c0d0:e0f0:3456 four.test",
            "fd00:a1b2:c3d4::a0b0:c0d0:e0f0:1278 four.test",
            "300.1.1.1 broken.test",
            "10.1.1.1",
        },
    .ethers =
        {
            "aa:00:04:00:14:0e eth.test",
            "aa:00:04:00:14:0f eth.test",
            "0:1:2:3:4:F short.test",
            "aa:00:04:00:14 five.test",
            "aa:00:04:00:14:0e:01 seven.test",
            "aa:00:04:00:14:100 wide.test",
            "aa:00:04:00:14:0g digit.test",
        },
    .networks =
        {
            "net-a.test 10.20.0.0 also-a.test",
            "net-b.test 10.1",
            "net-c.test 10",
            "bad.test 10.x",
            "default 0.0.0.0",
        },
    .services =
        {
            "http 80/tcp www",
            "domain 53/tcp",
            "domain 53/udp",
            "login 513/tcp",
            "who 513/udp whod",
            "s1ap 36412/sctp",
            "cisco 1998/dccp",
            "big 65536/tcp",
            "none 7",
        },
    .protocols = {"tcp 6 TCP", "igmp 2 IGMP", "odd -1", "odd2 6x"},
};

Ipv6 low_bytes(std::uint8_t a, std::uint8_t b) {
  return {0xfd, 0, 0xa1, 0xb2, 0xc3, 0xd4, 0, 0, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, a, b};
}

}  // namespace

TEST_CASE("hosts: all addresses of a name, sorted, each once; case does not matter") {
  const auto names = fixed_names(tables);
  for (const char* name : {"four.test", "FOUR.test"}) {
    CAPTURE(name);
    const Addresses found = names->host(name).value();
    CHECK(found.ipv4 == std::vector<std::uint32_t>{0xc0a8f103, 0xc0a8f301});
    CHECK(found.ipv6 == std::vector<Ipv6>{low_bytes(0x12, 0x78), low_bytes(0x34, 0x56)});
  }
  CHECK(names->host("alias.test").value().ipv4 == std::vector<std::uint32_t>{0xc0a8f103});
  CHECK(names->host("alias.test").value().ipv6.empty());
  for (const char* name : {"broken.test", "trailing", "", "10.1.1.1"}) {
    CAPTURE(name);
    CHECK(names->host(name).value().ipv4.empty());
  }
}

TEST_CASE("ethers: the first line counts, broken ones do not") {
  const auto names = fixed_names(tables);
  CHECK(names->ether("eth.test").value() == Mac{0xaa, 0x00, 0x04, 0x00, 0x14, 0x0e});
  CHECK(names->ether("ETH.test").value() == Mac{0xaa, 0x00, 0x04, 0x00, 0x14, 0x0e});
  CHECK(names->ether("short.test").value() == Mac{0, 1, 2, 3, 4, 15});
  for (const char* name : {"five.test", "seven.test", "wide.test", "digit.test"}) {
    CAPTURE(name);
    CHECK(names->ether(name).value() == std::nullopt);
  }
}

TEST_CASE("networks: missing parts are filled from the right") {
  const auto names = fixed_names(tables);
  CHECK(names->network("net-a.test").value() == 0x0a140000u);
  CHECK(names->network("Also-A.test").value() == 0x0a140000u);
  CHECK(names->network("net-b.test").value() == 0x0a010000u);
  CHECK(names->network("net-c.test").value() == 0x0a000000u);
  CHECK(names->network("default").value() == 0u);
  CHECK(names->network("bad.test").value() == std::nullopt);
}

TEST_CASE("services: by transport, to the letter, aliases too") {
  const auto names = fixed_names(tables);
  CHECK(names->port("http").value().tcp == 80);
  CHECK(names->port("www").value().tcp == 80);
  CHECK(names->port("http").value().udp == std::nullopt);
  CHECK(names->port("domain").value().tcp == 53);
  CHECK(names->port("domain").value().udp == 53);
  CHECK(names->port("whod").value().udp == 513);
  CHECK(names->port("whod").value().tcp == std::nullopt);
  for (const char* name : {"HTTP", "big", "none", "cisco", "s1ap", "80"}) {
    CAPTURE(name);
    const Ports ports = names->port(name).value();
    CHECK((!ports.tcp && !ports.udp));
  }
}

TEST_CASE("protocols: to the letter, aliases too") {
  const auto names = fixed_names(tables);
  CHECK(names->protocol("tcp").value() == 6u);
  CHECK(names->protocol("TCP").value() == 6u);
  CHECK(names->protocol("igmp").value() == 2u);
  for (const char* name : {"Tcp", "odd", "odd2", "6"}) {
    CAPTURE(name);
    CHECK(names->protocol(name).value() == std::nullopt);
  }
}

TEST_CASE("what is not in the tables is asked from the fallback, and its failure passed on") {
  struct Failing final : Names {
    weir::Result<Addresses> host(const std::string&) const override {
      return weir::fail(weir::Code::System, {}, "no answer");
    }
    weir::Result<std::optional<Mac>> ether(const std::string&) const override { return Mac{1, 2, 3, 4, 5, 6}; }
    weir::Result<std::optional<std::uint32_t>> network(const std::string&) const override { return 7; }
    weir::Result<Ports> port(const std::string& name) const override {
      return name == "HTTP" ? Ports{.tcp = 8, .udp = {}} : Ports{};
    }
    weir::Result<std::optional<std::uint32_t>> protocol(const std::string&) const override { return 9; }
  };
  const auto names = fixed_names(tables, std::make_shared<Failing>());
  CHECK(names->host("four.test").has_value());
  REQUIRE(!names->host("other.test"));
  CHECK(names->host("other.test").error().message == "no answer");
  CHECK(!names->host("broken.test"));
  CHECK(names->ether("other.test").value() == Mac{1, 2, 3, 4, 5, 6});
  CHECK(names->network("other.test").value() == 7u);
  CHECK(names->port("HTTP").value().tcp == 8);
  CHECK(names->port("http").value().tcp == 80);
  CHECK(names->protocol("other").value() == 9u);
}
