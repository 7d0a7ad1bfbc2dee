#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "tree.hpp"

using namespace weir;

namespace {

/// The beginning of a frame: EtherType, header length, fragment, protocol, ports behind a header of 20 bytes.
struct Frame {
  std::array<std::uint8_t, 60> bytes{};
  Frame(std::uint16_t type, std::uint8_t protocol, std::uint8_t source = 0, std::uint8_t destination = 0) {
    bytes[12] = static_cast<std::uint8_t>(type >> 8);
    bytes[13] = static_cast<std::uint8_t>(type);
    bytes[14] = 0x45;
    bytes[23] = protocol;
    bytes[35] = source;
    bytes[37] = destination;
  }
  Packet packet(std::size_t captured = 60) const { return {.bytes = std::span(bytes).first(captured), .length = 60}; }
};

/// What the best tree executes on average, of one mix.
double least(const std::string& graph, const std::vector<Frame>& frames, std::size_t captured = 60) {
  const auto p = ir::read("no: return 0\nyes: return 1\n" + graph);
  REQUIRE(p);
  bench::Tree tree(*p);
  for (const Frame& f : frames) tree.add(f.packet(captured), 0);
  const auto found = tree.least({1, 0});
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("tree: one question is a load, a jump and a return") {
  const std::string ip = "x = load 2 [12]\nt: if x == 0x800 then yes else no\ng: guard 2 [12] then t\nroot g\n";
  CHECK(least(ip, {{0x800, 0}}) == 3);
  CHECK(least(ip, {{0x806, 0}}) == 3);
  CHECK(least(ip, {{0x800, 0}}, 13) == 1);  // the load that fails
}

TEST_CASE("tree: a range takes one comparison of numbers on one side of it") {
  const std::string range = "x = load 1 [35]\nt: if x in {10-20} then yes else no\ng: guard 1 [35] then t\nroot g\n";
  CHECK(least(range, {{0x800, 0, 15}}) == 4);
  CHECK(least(range, {{0x800, 0, 30}}) == 3);
  CHECK(least(range, {{0x800, 0, 30}, {0x800, 0, 5}}) == 3.5);
}

TEST_CASE("tree: the questions are asked in the order that suits the packets, and may be joined") {
  const std::string udp = "x = load 2 [12]\np = load 1 [23]\nt2: if p == 17 then yes else no\ng2: guard 1 [23] then t2\n"
                          "t1: if x == 0x800 then g2 else no\ng1: guard 2 [12] then t1\nroot g1\n";
  CHECK(least(udp, {{0x800, 6}, {0x800, 6}}) == 3);
  CHECK(least(udp, {{0x806, 17}}) == 3);
  CHECK(least(udp, {{0x800, 17}}) == 5);
  const std::string both = "s = load 2 [34]\nd = load 2 [36]\nt2: if d == 9 then yes else no\ng2: guard 2 [36] then t2\n"
                           "t1: if s == 7 then g2 else no\ng1: guard 2 [34] then t1\nroot g1\n";
  CHECK(least(both, {{0x800, 17, 7, 9}}) == 3);  // ld [34]
}

TEST_CASE("tree: right for all packets, and no order is best for each of them") {
  const std::string host = "s = load 1 [35]\nd = load 1 [37]\nt2: if d == 2 then yes else no\ng2: guard 1 [37] then t2\n"
                           "t1: if s == 2 then yes else g2\ng1: guard 1 [35] then t1\nroot g1\n";
  CHECK(least(host, {{0x800, 0, 2, 1}}) == 3);
  CHECK(least(host, {{0x800, 0, 1, 2}}) == 3);
  CHECK(least(host, {{0x800, 0, 2, 1}, {0x800, 0, 1, 2}}) == 4);
}

TEST_CASE("tree: X is set once for both ports") {
  const std::string port = "b = load 1 [14]\nh = b & 0xf\nx = h << 2\ns = load 2 [x + 14]\nd = load 2 [x + 16]\n"
                           "t2: if d == 80 then yes else no\ng2: guard 2 [x + 16] then t2\nt1: if s == 80 then yes else g2\n"
                           "g1: guard 2 [x + 14] then t1\ng0: guard 1 [14] then g1\nroot g0\n";
  CHECK(least(port, {{0x800, 6, 1, 2}}) == 6);
  CHECK(least(port, {{0x800, 6, 1, 80}}) == 4);
}
