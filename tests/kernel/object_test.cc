// Objects as loaders of others see them: libbpf here, bpftool, ip and tc as commands. Programs are small and written by hand.
#include "ebpf/object.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "attach/options.hpp"
#include "network.hpp"
#include "programs.hpp"

using namespace weir;
using ebpf::Hook;
using kernel::Bytes;

namespace {

struct Close {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};

/// An object in the kernel, loaded by libbpf.
class Object {
 public:
  explicit Object(const ebpf::Program& program, ebpf::ObjectOptions options = {}) {
    const auto bytes = ebpf::to_object(program, options);
    REQUIRE_MESSAGE(bytes, bytes.error().message);
    object_.reset(bpf_object__open_mem(bytes->data(), bytes->size(), nullptr));
    REQUIRE(object_ != nullptr);
    REQUIRE(bpf_object__load(object_.get()) == 0);
    program_ = bpf_program__fd(bpf_object__next_program(object_.get(), nullptr));
  }
  std::uint32_t run(const Bytes& packet) const {
    auto options = attach::no_options<bpf_test_run_opts>();
    options.data_in = packet.data();
    options.data_size_in = static_cast<std::uint32_t>(packet.size());
    REQUIRE(bpf_prog_test_run_opts(program_, &options) == 0);
    return options.retval;
  }
  const bpf_object* get() const { return object_.get(); }

 private:
  std::unique_ptr<bpf_object, Close> object_;
  int program_ = -1;
};

/// XDP: passes where the packet's bytes behind its first 16, as many as a key has, are in the set, and drops elsewhere.
ebpf::Program asking_of_packet(ebpf::Map map) {
  using namespace ebpf::op;
  ebpf::Program p;
  p.hook = Hook::Xdp;
  const auto key = static_cast<std::int32_t>(map.key_bytes);
  const bool trie = map.kind == ebpf::MapKind::LpmTrie;
  const std::int32_t address = trie ? key - 4 : key;
  p.maps.push_back(std::move(map));
  auto& c = p.instructions;
  c = {{.code = LDX | MEM | W, .dst = 2, .src = 1, .offset = 0},
       {.code = LDX | MEM | W, .dst = 3, .src = 1, .offset = 4},
       {.code = ALU64 | MOV | X, .dst = 4, .src = 2},
       {.code = ALU64 | ADD | K, .dst = 4, .imm = 48},
       {.code = ALU64 | MOV | K, .dst = 0, .imm = 1},
       {.code = JMP | JGT | X, .dst = 4, .src = 3, .offset = 0}};
  const std::size_t check = c.size() - 1;
  for (std::int32_t i = 0; i < address; ++i) {
    c.push_back({.code = LDX | MEM | B, .dst = 5, .src = 2, .offset = static_cast<std::int16_t>(16 + i)});
    c.push_back({.code = STX | MEM | B, .dst = 10, .src = 5, .offset = static_cast<std::int16_t>(-32 + (trie ? 4 : 0) + i)});
  }
  if (trie) c.push_back({.code = ST | MEM | W, .dst = 10, .offset = -32, .imm = 8 * address});
  const std::vector<ebpf::Instruction> rest = {
      {.code = LD | DW | IMM, .dst = 1, .src = ebpf::map_index, .imm = 0},
      {},
      {.code = ALU64 | MOV | X, .dst = 2, .src = 10},
      {.code = ALU64 | ADD | K, .dst = 2, .imm = -32},
      {.code = JMP | CALL, .imm = 1},
      {.code = ALU64 | MOV | X, .dst = 6, .src = 0},
      {.code = ALU64 | MOV | K, .dst = 0, .imm = 1},
      {.code = JMP | JEQ | K, .dst = 6, .offset = 1, .imm = 0},
      {.code = ALU64 | MOV | K, .dst = 0, .imm = 2},
      {.code = JMP | EXIT},
  };
  c.insert(c.end(), rest.begin(), rest.end());
  c[check].offset = static_cast<std::int16_t>(c.size() - 1 - check - 1);
  return p;
}

Bytes packet_with(std::span<const std::uint8_t> key) {
  Bytes packet(64);
  std::ranges::copy(key, packet.begin() + 16);
  return packet;
}

/// A set of random keys of so many bytes, whose neighbours are asked for, too.
void check_random_keys(std::uint32_t bytes, std::size_t count) {
  CAPTURE(bytes);
  CAPTURE(count);
  std::uint64_t state = 1;
  const auto next = [&] { return static_cast<std::uint8_t>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56); };
  std::set<Bytes> keys;
  keys.insert(Bytes(bytes, 0xff));
  while (keys.size() < count) {
    Bytes key(bytes);
    for (auto& b : key) b = next();
    if (keys.size() % 3 == 0) std::fill(key.begin(), key.begin() + bytes / 2, std::uint8_t{0x20});  // many with one beginning
    keys.insert(std::move(key));
  }
  ebpf::Map map{.name = "keys",
                .kind = ebpf::MapKind::Hash,
                .key_bytes = bytes,
                .value_bytes = 1,
                .max_entries = 1,
                .keys = {},
                .span = {}};
  for (const auto& key : keys) map.keys.insert(map.keys.end(), key.begin(), key.end());
  const Object object(asking_of_packet(std::move(map)));
  std::size_t wrong = 0, asked = 0;
  const auto ask = [&](const Bytes& key) {
    ++asked;
    wrong += object.run(packet_with(key)) != (keys.contains(key) ? 2u : 1u);
  };
  for (const auto& key : keys) {
    if (asked > 3000) break;
    Bytes beside = key;
    ask(key);
    ++beside.back();
    ask(beside);
    beside.back() = static_cast<std::uint8_t>(beside.back() - 2);
    ask(beside);
    beside = key;
    ++beside.front();
    ask(beside);
  }
  ask(Bytes(bytes));
  ask(Bytes(bytes, 0xff));
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("sets become tables that a search finds all keys in, and no others") {
  for (const std::uint32_t bytes : {1u, 2u, 4u, 6u, 8u, 12u, 16u})
    for (const std::size_t count : {1u, 2u, 3u, 100u}) check_random_keys(bytes, count);
  check_random_keys(4, 20000);
  check_random_keys(16, 20000);
}

TEST_CASE("a set of which nothing is left") {
  const ebpf::Map none{
      .name = "none", .kind = ebpf::MapKind::Hash, .key_bytes = 4, .value_bytes = 1, .max_entries = 1, .keys = {}, .span = {}};
  const Object object(asking_of_packet(none));
  for (const std::uint8_t b : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{255}}) CHECK(object.run(packet_with(Bytes(4, b))) == 1);
}

TEST_CASE("networks become ranges") {
  ebpf::Map map{.name = "networks",
                .kind = ebpf::MapKind::LpmTrie,
                .key_bytes = 8,
                .value_bytes = 1,
                .max_entries = 4,
                .keys = {},
                .span = {}};
  for (const auto& [length, address] : {std::pair{8u, 0x0a000000u}, {9u, 0x0b000000u}, {32u, 0xc0000201u}, {16u, 0x0a010000u}}) {
    const std::array key = {length, htonl(address)};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(key.data());
    map.keys.insert(map.keys.end(), bytes, bytes + sizeof key);
  }
  const Object object(asking_of_packet(std::move(map)));
  const auto passes = [&](std::uint32_t address) {
    const std::uint32_t wire = htonl(address);
    return object.run(packet_with({reinterpret_cast<const std::uint8_t*>(&wire), 4})) == 2;
  };
  for (const std::uint32_t in : {0x0a000000u, 0x0affffffu, 0x0b000000u, 0x0b7fffffu, 0xc0000201u, 0x0a010203u}) CHECK(passes(in));
  for (const std::uint32_t out : {0x09ffffffu, 0x0b800000u, 0xc0000200u, 0xc0000202u, 0u, 0xffffffffu}) CHECK(!passes(out));
}

TEST_CASE("every network") {
  ebpf::Map map{.name = "all",
                .kind = ebpf::MapKind::LpmTrie,
                .key_bytes = 8,
                .value_bytes = 1,
                .max_entries = 1,
                .keys = Bytes(8),
                .span = {}};
  const Object object(asking_of_packet(std::move(map)));
  for (const std::uint8_t b : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{255}}) CHECK(object.run(packet_with(Bytes(4, b))) == 2);
}

TEST_CASE("maps that are no sets stay maps") {
  using namespace ebpf::op;
  auto program = kernel::asking({.name = "counters",
                                 .kind = ebpf::MapKind::PerCpuArray,
                                 .key_bytes = 4,
                                 .value_bytes = 8,
                                 .max_entries = 8,
                                 .keys = {},
                                 .span = {}});
  const Object object(program);
  const bpf_map* map = bpf_object__find_map_by_name(object.get(), "counters");
  REQUIRE(map != nullptr);
  CHECK(bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY);
  CHECK(bpf_map__max_entries(map) == 8);
  CHECK(object.run(Bytes(64)) == 1);  // key 7 of an array with 8 is there
}

TEST_CASE("fields of the kernel's structures are relocated") {
  // r0 = the offset of sk_buff.data_len
  auto program = kernel::returning(Hook::Tracing, -1);
  program.fields = {{0, ebpf::KernelField::SkbDataLen}};
  const auto bytes = ebpf::to_object(program, {.tracepoint = "netif_receive_skb"});
  REQUIRE(bytes);
  const std::unique_ptr<bpf_object, Close> object(bpf_object__open_mem(bytes->data(), bytes->size(), nullptr));
  REQUIRE(bpf_object__load(object.get()) == 0);
  const bpf_program* loaded = bpf_object__next_program(object.get(), nullptr);
  CHECK(std::string(bpf_program__section_name(loaded)) == "raw_tp/netif_receive_skb");
  auto options = attach::no_options<bpf_test_run_opts>();
  REQUIRE(bpf_prog_test_run_opts(bpf_program__fd(loaded), &options) == 0);
  CHECK(options.retval > 0);
  CHECK(options.retval < 512);
}
