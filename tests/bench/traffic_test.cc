#include <doctest/doctest.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <map>

#include "aimed.hpp"
#include "child.hpp"
#include "lists.hpp"
#include "plot.hpp"
#include "reference.hpp"
#include "vm/cbpf.hpp"

namespace weir::bench {
namespace {

TrafficModel table(const char* name) {
  auto model = TrafficModel::read(std::string(WEIR_BENCH_CORPUS "/traffic/") + name);
  if (!model) FAIL(model.error());
  return std::move(*model);
}

/// The share of packets in a thousand that a filter accepts.
std::uint32_t permille(const TrafficModel& model, const std::string& filter, const oracle::Setting& setting = {}) {
  oracle::Reference libpcap;
  const auto program = libpcap.compile(setting, filter);
  REQUIRE(program.has_value());
  oracle::Random random(7);
  std::uint32_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const oracle::Sample s = packet(model, setting, random);
    accepted += vm::run(*program, s.whole(), vm::Machine::Libpcap) != 0;
  }
  return accepted / 20;
}

TEST_CASE("packets come as often as the table says") {
  const TrafficModel model = table("model.txt");
  // Of the 93 % without tags; `ip` is 77.5 % of them, TCP 80 % of that.
  CHECK(permille(model, "ip") == doctest::Approx(721).epsilon(0.03));
  CHECK(permille(model, "ip6") == doctest::Approx(181).epsilon(0.05));
  CHECK(permille(model, "ip proto 6") == doctest::Approx(577).epsilon(0.03));
  CHECK(permille(model, "vlan") == doctest::Approx(70).epsilon(0.15));
  CHECK(permille(model, "arp") == doctest::Approx(17).epsilon(0.25));
  CHECK(permille(model, "tcp port 443") == doctest::Approx(437).epsilon(0.05));
  CHECK(permille(table("other.txt"), "pppoes") == doctest::Approx(73).epsilon(0.15));
  CHECK(permille(model, "ip", {.link_type = "IPV4"}) == 1000);
  CHECK(permille(model, "link[0] & 0xf0 = 0x80", {.link_type = "IEEE802_11"}) == doctest::Approx(365).epsilon(0.2));
}

TEST_CASE("all link types get packets of full length") {
  const TrafficModel model = table("other.txt");
  oracle::Random random(3);
  for (const std::string_view name : oracle::link_types()) {
    const oracle::Setting setting{.link_type = std::string(name)};
    for (int i = 0; i < 50; ++i) {
      const oracle::Sample s = packet(model, setting, random);
      CHECK(s.length >= s.bytes.size());
    }
  }
}

TEST_CASE("the same seed gives the same packets") {
  const TrafficModel model = table("model.txt");
  oracle::Random a(42), b(42);
  for (int i = 0; i < 1000; ++i) CHECK(packet(model, {}, a).bytes == packet(model, {}, b).bytes);
}

TEST_CASE("half of the aimed packets are accepted") {
  const TrafficModel model = table("model.txt");
  oracle::Reference libpcap;
  for (const char* filter : {"host 10.1.2.3 and tcp port 8081", "ip6 host 2001:db8::77", "vlan 3 and udp portrange 5-9"}) {
    const auto program = libpcap.compile({}, filter);
    REQUIRE(program.has_value());
    oracle::Random random(5);
    std::size_t accepted = 0;
    for (const auto& s : aimed_packets(model, {}, *program, 200, random))
      accepted += vm::run(*program, s.whole(), vm::Machine::Libpcap) != 0;
    CHECK(accepted >= 100);
    CHECK(accepted < 200);
  }
}

TEST_CASE("a table with an unknown row is refused") {
  const std::string path = std::filesystem::temp_directory_path() / fmt::format("weir_traffic_{}.txt", ::getpid());
  std::ofstream(path) << "aimed percent 10\nnetwork ipv9 3\n";
  const auto model = TrafficModel::read(path);
  REQUIRE(!model.has_value());
  CHECK(model.error().ends_with(":2: no value ipv9"));
  std::remove(path.c_str());
}

TEST_CASE("work in a child ends in time or not at all") {
  const auto result = in_child([] { return std::string("done"); }, 10);
  REQUIRE(result.has_value());
  CHECK(result->text == "done");
  CHECK(!in_child([]() -> std::string { return ::pause() == 0 ? "" : "woken"; }, 0.05).has_value());
}

TEST_CASE("elements of lists are all different") {
  for (const ListKind& kind : list_kinds()) {
    std::set<std::string> seen;
    const std::size_t n = std::min<std::size_t>(kind.most, 70'000);
    for (std::size_t i = 0; i < n; ++i) seen.insert(kind.element(i));
    CHECK_MESSAGE(seen.size() == n, kind.name);
  }
  CHECK(list_filter(list_kinds()[0], 2) == "host 10.0.0.0 or host 10.55.121.177");
}

TEST_CASE("plots have a curve for every series with points, and nothing outside the frame") {
  const std::string svg = plot("t", "x", "y", {{"one", {{"a", {{10, 0.5}, {1000, 20}}}, {"b", {}}}}});
  CHECK(svg.find("<path d=\"M62.0 ") != std::string::npos);
  CHECK(svg.find("<path", svg.find("<path") + 1) == std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find(">0.1<") != std::string::npos);
  CHECK(svg.find(">100<") != std::string::npos);
}

}  // namespace
}  // namespace weir::bench
