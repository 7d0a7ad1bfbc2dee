#include <doctest/doctest.h>

#include <array>
#include <string>

#include "floor.hpp"

using namespace weir;

namespace {

bench::Floor floor_of(const std::string& graph) {
  const auto p = ir::read("no: return 0\nyes: return 1\n" + graph);
  REQUIRE(p);
  return bench::Floor(*p);
}

/// The beginning of a frame: EtherType, protocol, addresses.
struct Frame {
  std::array<std::uint8_t, 60> bytes{};
  Frame(std::uint16_t type, std::uint8_t protocol, std::uint8_t source, std::uint8_t destination) {
    bytes[12] = static_cast<std::uint8_t>(type >> 8);
    bytes[13] = static_cast<std::uint8_t>(type);
    bytes[23] = protocol;
    bytes[26] = source;
    bytes[30] = destination;
  }
  Packet packet(std::size_t captured = 60) const { return {.bytes = std::span(bytes).first(captured), .length = 60}; }
};

}  // namespace

TEST_CASE("floor: what one question decides takes a load, a jump and a return") {
  auto ip = floor_of("x = load 2 [12]\nt: if x == 0x800 then yes else no\ng: guard 2 [12] then t\nroot g\n");
  CHECK(ip.length() == 4);
  CHECK(ip.executed(Frame(0x800, 0, 0, 0).packet()) == 3);
  CHECK(ip.executed(Frame(0x806, 0, 0, 0).packet()) == 3);
  CHECK(ip.executed(Frame(0x800, 0, 0, 0).packet(13)) == 1);  // the load that fails
}

TEST_CASE("floor: a packet that several questions reject is asked the one") {
  auto udp = floor_of("x = load 2 [12]\np = load 1 [23]\nt2: if p == 17 then yes else no\ng2: guard 1 [23] then t2\n"
                      "t1: if x == 0x800 then g2 else no\ng1: guard 2 [12] then t1\nroot g1\n");
  CHECK(udp.executed(Frame(0x800, 17, 0, 0).packet()) == 5);
  CHECK(udp.executed(Frame(0x800, 6, 0, 0).packet()) == 3);
  CHECK(udp.executed(Frame(0x806, 17, 0, 0).packet()) == 3);
  CHECK(udp.length() == 2 + 2 + 2);
}

TEST_CASE("floor: either address accepts, both have to be asked to reject; what lies together takes one load") {
  auto host = floor_of("s = load 4 [26]\nd = load 4 [30]\nt2: if d == 0x2000000 then yes else no\ng2: guard 4 [30] then t2\n"
                       "t1: if s == 0x2000000 then yes else g2\ng1: guard 4 [26] then t1\nroot g1\n");
  CHECK(host.executed(Frame(0x800, 0, 2, 1).packet()) == 3);
  CHECK(host.executed(Frame(0x800, 0, 1, 2).packet()) == 3);
  CHECK(host.executed(Frame(0x800, 0, 1, 1).packet()) == 5);
  auto together = floor_of("s = load 1 [26]\nd = load 1 [27]\nt2: if d == 9 then yes else no\ng2: guard 1 [27] then t2\n"
                           "t1: if s == 2 then g2 else no\ng1: guard 1 [26] then t1\nroot g1\n");
  CHECK(together.executed(Frame(0x800, 0, 2, 0).packet()) == 3);
}

TEST_CASE("floor: bytes whose place depends on the packet take an instruction for X") {
  auto port = floor_of("b = load 1 [14]\nx = b << 2\np = load 2 [x + 16]\nt: if p == 80 then yes else no\n"
                       "g: guard 2 [x + 16] then t\ng0: guard 1 [14] then g\nroot g0\n");
  CHECK(port.executed(Frame(0x800, 0, 0, 0).packet()) == 4);
  CHECK(port.length() == 5);
}
