// Loops over packets, of both CPUs, against the graph's own evaluator.
#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "../ir/random_program.hpp"
#include "guarded.hpp"
#include "native/batch.hpp"
#include "native/lanes.hpp"
#include "simulate/simulator.hpp"

using namespace weir;

namespace {

/// Packets, each at the end of a page before one that cannot be read: machine code that reads past it ends the test.
class Packets {
 public:
  void add(const std::vector<std::uint8_t>& bytes, std::uint32_t length = 0, Metadata meta = {}) {
    std::uint8_t* const place = page(all_.size()) + page_size - bytes.size();
    std::ranges::copy(bytes, place);
    all_.push_back({{place, bytes.size()}, length, meta});
  }
  std::span<const Packet> all() const { return all_; }

 private:
  static constexpr std::size_t page_size = 4096;

  /// The same for the n-th packet of all batches: one is looked at at a time.
  static std::uint8_t* page(std::size_t n) {
    static std::vector<std::uint8_t*> pages;
    while (pages.size() <= n) {
      void* two = mmap(nullptr, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      REQUIRE_NE(two, MAP_FAILED);
      REQUIRE_EQ(mprotect(static_cast<std::uint8_t*>(two) + page_size, page_size, PROT_NONE), 0);
      pages.push_back(static_cast<std::uint8_t*>(two));
    }
    return pages[n];
  }

  std::vector<Packet> all_;
};

/// The number of the first packet with another verdict than the evaluator's; nothing when there is none.
std::optional<std::size_t> first_difference(const ir::Program& graph, std::span<const Packet> packets, auto run) {
  constexpr std::uint64_t untouched = 0x5a5a5a5a5a5a5a5a;
  const std::size_t words = (packets.size() + 63) / 64;
  std::vector<std::uint64_t> verdicts(words + 1, untouched);
  run(verdicts.data());
  if (verdicts[words] != untouched) return packets.size();
  for (std::size_t i = 0; i < words * 64; ++i) {
    const bool expected = i < packets.size() && ir::evaluate(graph, packets[i]) != 0;
    if ((verdicts[i / 64] >> i % 64 & 1) != expected) return i;
  }
  return std::nullopt;
}

/// A loop over records of one kind: for this CPU, with and without vectors, and for AArch64, which is simulated.
template <typename Record>
class Loop {
 public:
  explicit Loop(const ir::Program& graph)
      : code_(native::emit_batch<Record>(graph)),
        plain_(native::emit_batch<Record>(graph, native::Vectors::None)),
        aarch64_(native::encode_batch<Record>(graph, native::Cpu::AArch64)) {}

  /// Too large a graph has none, and views have none of a graph that asks for metadata.
  bool is_there() const {
    for (const auto* wrong : {code_ ? nullptr : &code_.error(), plain_ ? nullptr : &plain_.error(), aarch64_ ? nullptr : &aarch64_.error()})
      if (wrong != nullptr)
        REQUIRE_MESSAGE(
            (wrong->code == Code::TooLarge || (wrong->code == Code::Unsupported && std::is_same_v<Record, PacketView>)),
            wrong->message);
    return code_ && plain_ && aarch64_;
  }
  auto here(std::span<const Record> records) const { return runs(*code_, records); }
  auto plain(std::span<const Record> records) const { return runs(*plain_, records); }
  auto simulated(std::span<const Record> records) const {
    return [this, records](std::uint64_t* verdicts) {
      static simulate::Simulator simulator;
      const auto ran = simulator.run_batch(*aarch64_, records, verdicts);
      CHECK_MESSAGE(!ran.broken, ran.broken.value_or(""));
    };
  }

 private:
  static auto runs(const native::BatchCode<Record>& code, std::span<const Record> records) {
    return [&code, records](std::uint64_t* verdicts) { code.function()(records.data(), records.size(), verdicts); };
  }

  Result<native::BatchCode<Record>> code_, plain_;
  Result<native::Encoded> aarch64_;
};

/// A graph as all loops.
class Loops {
 public:
  explicit Loops(ir::Program graph) : graph_(std::move(graph)), packets_(graph_), views_(graph_) {}
  bool are_there() const { return packets_.is_there(); }

  void check(std::span<const Packet> packets) { check(packets, true, true); }
  void check(std::span<const Packet> packets, bool here, bool simulated) {
    std::vector<PacketView> views;
    for (const Packet& p : packets) views.push_back({p.bytes.data(), static_cast<std::uint32_t>(p.bytes.size()), p.length});
    if (here) expect(packets, packets_.here(packets));
    if (here) expect(packets, packets_.plain(packets));
    if (simulated) expect(packets, packets_.simulated(packets));
    if (!views_.is_there()) return;
    if (here) expect(packets, views_.here(views));
    if (here) expect(packets, views_.plain(views));
    if (simulated) expect(packets, views_.simulated(views));
  }

 private:
  void expect(std::span<const Packet> packets, auto run) {
    const auto wrong = first_difference(graph_, packets, run);
    if (!wrong) return;
    MESSAGE("packet ", *wrong, " of ", packets.size(), " (", *wrong < packets.size() ? packets[*wrong].bytes.size() : 0,
            " bytes):\n", ir::to_string(graph_));
    REQUIRE_FALSE(wrong);
  }

  ir::Program graph_;
  Loop<Packet> packets_;
  Loop<PacketView> views_;
};

std::vector<std::uint8_t> bytes_of(std::mt19937& random, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  // Small bytes lead to small offsets, and so to loads inside the packet.
  for (auto& b : bytes) b = static_cast<std::uint8_t>(random() % 3 == 0 ? random() : random() % 12);
  return bytes;
}

bool has_lanes(const ir::Program& graph) {
  const native::Plan plan(graph);
  native::SetPlans sets(graph);
  return native::lanes_of(graph, plan, sets).has_value();
}

/// So many, none shorter than that.
Packets packets_of(std::mt19937& random, std::size_t count, std::size_t shortest) {
  Packets packets;
  for (std::size_t i = 0; i < count; ++i)
    packets.add(bytes_of(random, shortest + random() % 40), static_cast<std::uint32_t>(random() % 64),
                {1, 2, 3, static_cast<std::uint32_t>(random() % 20), 1, 6});
  return packets;
}

}  // namespace

TEST_CASE("random graphs over batches of all sizes") {
  std::mt19937 random(1);
  int emitted = 0, with_lanes = 0;
  for (std::uint32_t seed = 0; seed < 2000 / WEIR_PART; ++seed) {
    ir::RandomProgram maker(seed);
    ir::Program graph = ir::Guarded(maker.make(3 + seed % 14)).make();
    if (graph.node_count() > 3000) continue;  // guards of values inside values multiply
    with_lanes += has_lanes(graph);
    Loops loops(std::move(graph));
    if (!loops.are_there()) continue;
    ++emitted;
    for (const std::size_t shortest : {0u, 30u, 70u}) {
      const Packets packets = packets_of(random, 1 + seed % 200, shortest);
      loops.check(packets.all(), true, seed % 3 == shortest / 30);
    }
  }
  CHECK_GT(emitted, 1600 / WEIR_PART);
  CHECK_GT(with_lanes, 400 / WEIR_PART);
}

TEST_CASE("words of verdicts are full, and no bit is set behind the last packet") {
  Loops loops(*ir::read("n0: return 1\nn1: return 0\nv0 = load 1 [0]\nn2: if v0 == 7 then n0 else n1\nn3: guard 1 [0] then n2\nroot n3\n"));
  for (std::size_t count = 0; count <= 200; ++count) {
    Packets packets;
    for (std::size_t i = 0; i < count; ++i)
      packets.add(i % 5 == 4 ? std::vector<std::uint8_t>{}
                             : std::vector<std::uint8_t>{static_cast<std::uint8_t>(i % 3 == 0 ? 7 : 1)});
    loops.check(packets.all());
  }
}

TEST_CASE("what a packet's length and the kernel say of it") {
  Loops loops(
      *ir::read("n0: return 1\nn1: return 0\nv0 = length\nv1 = meta vlan_tag\nn2: if v1 > v0 then n0 else n1\nn3: if v0 &? 1 "
                "then n2 else n1\nroot n3\n"));
  std::mt19937 random(3);
  for (const std::size_t count : {1u, 8u, 63u, 64u, 65u, 130u}) {
    const Packets packets = packets_of(random, count, 0);
    loops.check(packets.all());
  }
}

TEST_CASE("what registers or the red zone have no room for is in a frame beside the loop's own words") {
  for (const std::uint32_t count : {1u, 5u, 31u, 32u, 33u, 60u}) {  // choices, each with a word
    ir::Program p;
    ir::ValueId sum = p.length();
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto chosen = p.choice(
          p.test(Relation::Greater, p.load(1, ir::no_value, i), p.constant(5), p.ret(i + 3), p.ret(p.load(1, ir::no_value, 61))));
      sum = p.binary(Arith::Add, p.binary(Arith::Mul, sum, p.constant(3)), chosen);
    }
    const auto odd = p.test(Relation::Bits, sum, p.constant(1), p.ret(1u), p.ret(0u));
    p.root = p.guard(1, ir::no_value, 61, p.guard(1, ir::no_value, count, odd));
    Loops loops(std::move(p));
    std::mt19937 random(count);
    for (const std::size_t size : {1u, 63u, 64u, 65u, 200u}) {
      const Packets packets = packets_of(random, size, 50);
      loops.check(packets.all());
    }
  }
}

TEST_CASE("a load that no packet has is not taken for one at the beginning") {
  Loops loops(*ir::read(
      "n0: return 1\nn1: return 0\nv0 = load 4 [4294967294]\nn2: if v0 == 0 then n0 else n1\nn3: guard 4 [4294967294] then n2\n"
      "v1 = load 1 [0]\nn4: if v1 == 7 then n0 else n3\nn5: guard 1 [0] then n4\nroot n5\n"));
  std::mt19937 random(5);
  for (const std::size_t count : {8u, 64u, 100u}) {
    const Packets packets = packets_of(random, count, 20);
    loops.check(packets.all());
  }
}

TEST_CASE("a load so far behind a header that nothing can be asked for ahead") {
  for (const std::uint32_t at : {2147483620u, 2147483647u, 4294967270u}) {
    const std::string load = "1 [v2 + " + std::to_string(at) + "]";
    ir::Program graph = *ir::read("n0: return 1\nn1: return 0\nv0 = load 1 [14]\nv1 = v0 & 15\nv2 = v1 << 2\nv3 = load " + load +
                                  "\nn2: if v3 == 7 then n0 else n1\nn3: guard " + load + " then n2\nn4: guard 1 [14] then n3\nroot n4\n");
    REQUIRE(has_lanes(graph));
    Loops loops(std::move(graph));
    REQUIRE(loops.are_there());
    std::mt19937 random(7);
    loops.check(packets_of(random, 64, 30).all());
  }
}

TEST_CASE("sets by a few comparisons, by words of bits, by tables") {
  const char* sets[] = {"3, 9, 100-200", "0-3, 9, 60, 63", "1, 5, 40, 7000-7100, 65000-65535",
                        "2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 300", "9, 70, 80-89, 200-300, 513, 1025, 4000, 9000, 9002"};
  std::mt19937 random(11);
  for (const std::string set : sets) {
    ir::Program graph = *ir::read("n0: return 1\nn1: return 0\nv0 = load 2 [12]\nn2: if v0 in {" + set +
                                  "} then n0 else n1\nn3: guard 2 [12] then n2\nroot n3\n");
    REQUIRE(has_lanes(graph));
    Loops loops(std::move(graph));
    Packets packets;
    for (std::uint32_t i = 0; i < 4096; ++i) {
      auto bytes = bytes_of(random, 40);
      const std::uint32_t number = i < 512 ? i : static_cast<std::uint32_t>(random());
      bytes[12] = static_cast<std::uint8_t>(number >> 8);
      bytes[13] = static_cast<std::uint8_t>(number);
      packets.add(std::move(bytes));
    }
    loops.check(packets.all());
  }
}

TEST_CASE("packets of 4 GB and more are not taken for short ones") {
  constexpr std::size_t lane = std::size_t{1} << 32;
  constexpr std::size_t room = lane + 4096;
  void* const bytes = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE_NE(bytes, MAP_FAILED);
  const ir::Program graph = *ir::read(
      "n0: return 1\nn1: return 0\nv0 = load 1 [0]\nv1 = load 1 [100]\nn2: if v1 == 0 then n0 else n1\nn3: guard 1 [100] then "
      "n2\n"
      "n4: if v0 == 0 then n3 else n1\nn5: guard 1 [0] then n4\nroot n5\n");
  REQUIRE(has_lanes(graph));
  const auto code = native::emit_batch<Packet>(graph);
  REQUIRE(code);
  for (const std::size_t longest : {lane + 60, lane + 10, lane, room}) {
    std::vector<Packet> packets;
    for (std::size_t i = 0; i < 100; ++i) packets.push_back({{static_cast<const std::uint8_t*>(bytes), i % 11 == 3 ? longest : 60 + i}});
    CHECK_FALSE(first_difference(graph, packets,
                                 [&](std::uint64_t* verdicts) { code->function()(packets.data(), packets.size(), verdicts); }));
  }
  munmap(bytes, room);
}

/// Places that most packets jump to begin a line of the cache, once the code is where it runs: whatever the address it was written at.
TEST_CASE("the same graph has the same code, wherever it is written") {
  const ir::Program graph = *ir::read(
      "n0: return 1\nn1: return 0\nv0 = load 1 [0]\nn2: if v0 == 7 then n0 else n1\nn3: guard 1 [0] then n2\nroot n3\n");
  const auto code = [&] { return native::encode_batch<Packet>(graph, native::Cpu::X86_64, native::Vectors::None)->bytes; };
  const std::vector<std::uint8_t> first = code();
  std::vector<std::vector<char>> between;
  for (std::size_t size = 2000; size < 2200; size += 16) {
    between.emplace_back(size);
    CHECK(code() == first);
  }
}
