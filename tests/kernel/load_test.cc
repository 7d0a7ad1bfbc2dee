// Programs and maps into the kernel.
#include "attach/kernel_probe.hpp"
#include "attach/load.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <array>
#include <cstring>
#include <thread>
#include <vector>

#include "attach/options.hpp"
#include "attach/rights.hpp"
#include "ebpf/emit.hpp"
#include "ir/program.hpp"
#include "programs.hpp"

using namespace weir;
using attach::Loaded;
using ebpf::Hook;
using kernel::asking;
using kernel::returning;

namespace {

std::string message(const Result<Loaded>& r) { return r ? std::string() : r.error().message + "\n" + r.error().hint; }

/// What the program returns for a packet of 64 bytes of zero.
std::uint32_t run(const Loaded& program) {
  std::array<std::uint8_t, 64> packet = {};
  auto options = attach::no_options<bpf_test_run_opts>();
  options.data_in = packet.data();
  options.data_size_in = packet.size();
  REQUIRE(bpf_prog_test_run_opts(program.descriptor(), &options) == 0);
  return options.retval;
}

template <class T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

ebpf::Map numbers(std::uint32_t entries, std::vector<std::uint32_t> keys) {
  ebpf::Map map{.name = "numbers",
                .kind = ebpf::MapKind::Hash,
                .key_bytes = 4,
                .value_bytes = 1,
                .max_entries = entries,
                .keys = {},
                .span = {}};
  const auto* first = reinterpret_cast<const std::uint8_t*>(keys.data());
  map.keys.assign(first, first + 4 * keys.size());
  return map;
}

}  // namespace

TEST_CASE("a program for each hook loads") {
  for (const Hook hook : {Hook::Socket, Hook::SocketBtf, Hook::Xdp, Hook::TcIngress, Hook::TcEgress, Hook::Cgroup, Hook::Tracing,
                          Hook::TracingBtf}) {
    CAPTURE(ebpf::to_string(hook));
    const auto loaded = Loaded::load(returning(hook, hook == Hook::Cgroup ? 1 : 0), {.tracepoint = "netif_receive_skb"});
    CHECK_MESSAGE(loaded, message(loaded));
  }
}

TEST_CASE("what the kernel says of packet pointers is what loading a program says, on any thread") {
  const auto graph = ir::read(
      "n0: return 1\nn1: return 0\nv0 = load 2 [12]\nn2: if v0 == 2048 then n0 else n1\nn3: guard 2 [12] then n2\nroot n3\n");
  REQUIRE(graph);
  const auto program = ebpf::emit(*graph, {.hook = Hook::SocketBtf});
  REQUIRE(program);
  const bool loads = Loaded::load(*program, {}).has_value();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { CHECK(attach::gives_packet_pointers() == loads); });
}

TEST_CASE("a process that may open nothing more is told so, and no kernel is said to refuse the program") {
  rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none = {0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto loaded = Loaded::load(returning(Hook::Socket, 0), {});
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code == Code::System);
  CHECK_MESSAGE(message(loaded).contains(std::strerror(EMFILE)), message(loaded));
}

TEST_CASE("a map is filled, and changes while the program runs") {
  auto loaded = Loaded::load(asking(numbers(4, {7, 8, 9})), {});
  REQUIRE_MESSAGE(loaded, message(loaded));
  auto& map = loaded->maps()[0];
  const std::uint32_t seven = 7;
  CHECK(run(*loaded) == 1);
  CHECK(map.remove(bytes_of(seven)).value());
  CHECK(run(*loaded) == 0);
  CHECK(!map.remove(bytes_of(seven)).value());
  CHECK(map.add(bytes_of(seven)));
  CHECK(map.add(bytes_of(seven)));
  CHECK(run(*loaded) == 1);
  CHECK(map.contains(bytes_of(seven)).value());
}

TEST_CASE("a set has room for as many more as was asked") {
  auto loaded = Loaded::load(asking(numbers(1, {7})), {.room = 2});
  REQUIRE(loaded);
  auto& map = loaded->maps()[0];
  for (const std::uint32_t key : {1u, 2u}) CHECK(map.add(bytes_of(key)));
  const std::uint32_t more = 3;
  const auto added = map.add(bytes_of(more));
  REQUIRE(!added);
  CHECK(added.error().message == "the list is full: it has room for 3 entries");
}

TEST_CASE("prefixes are found in a trie") {
  ebpf::Map map{.name = "networks",
                .kind = ebpf::MapKind::LpmTrie,
                .key_bytes = 8,
                .value_bytes = 1,
                .max_entries = 2,
                .keys = {},
                .span = {}};
  const std::uint32_t network[] = {8, htonl(0x0a000000)};
  map.keys.assign(bytes_of(network).begin(), bytes_of(network).end());
  auto loaded = Loaded::load(asking(std::move(map)), {});
  REQUIRE_MESSAGE(loaded, message(loaded));
  const std::uint32_t inside[] = {32, htonl(0x0a010203)}, outside[] = {32, htonl(0x0b010203)};
  CHECK(loaded->maps()[0].contains(bytes_of(inside)).value());
  CHECK(!loaded->maps()[0].contains(bytes_of(outside)).value());
}

TEST_CASE("a hundred thousand keys go in at once") {
  std::vector<std::uint32_t> keys;
  for (std::uint32_t i = 0; i < 100'000; ++i) keys.push_back(i * 2654435761u);
  keys.push_back(7);
  const auto loaded = Loaded::load(asking(numbers(static_cast<std::uint32_t>(keys.size()), keys)), {});
  REQUIRE_MESSAGE(loaded, message(loaded));
  CHECK(run(*loaded) == 1);
  for (const std::uint32_t key : keys) REQUIRE(loaded->maps()[0].contains(bytes_of(key)).value());
}

TEST_CASE("maps that are too large") {
  CHECK(message(Loaded::load(asking(numbers(0xffffffff, {})), {})).contains("the kernel takes no map of 4294967295 entries"));
  CHECK(message(Loaded::load(asking(numbers(0xffffffff, {})), {.room = 1})).contains("the kernel takes no map of 4294967296 entries"));
  CHECK(message(Loaded::load(asking(numbers(0x40000000, {})), {})).contains("the kernel takes no map of 1073741824 entries"));
}

TEST_CASE("what the verifier minds is shown with its place and the words of the filter") {
  auto wrong = returning(Hook::Socket, 0);
  wrong.instructions.insert(wrong.instructions.begin() + 1, {.code = ebpf::op::LDX | ebpf::op::MEM | ebpf::op::W, .dst = 0, .src = 5});
  wrong.spans = {{0, 3}, {4, 8}, {0, 8}};
  const auto refused = Loaded::load(wrong, {.text = "tcp port"});
  REQUIRE(!refused);
  CHECK(refused.error().message == "the kernel's verifier refuses the program at instruction 1 of 3: R5 !read_ok (made for 'port')");
  CHECK(refused.error().span == Span{4, 8});
  CHECK(refused.error().hint.contains("1: (61) r0 = *(u32 *)(r5 +0)"));
}

TEST_CASE("what is no program is refused before anything is looked up by its numbers") {
  auto no_map = asking(numbers(1, {7}));
  no_map.maps.clear();
  CHECK(message(Loaded::load(no_map, {})).contains("refers to map 0, but the program has 0"));
  no_map = asking(numbers(1, {7}));
  no_map.instructions[2].imm = 1'000'000;
  CHECK(message(Loaded::load(no_map, {})).contains("refers to map 1000000, but the program has 1"));
  auto no_place = returning(Hook::Tracing, 0);
  no_place.fields = {{1'000'000, ebpf::KernelField::SkbLen}};
  CHECK(message(Loaded::load(no_place, {})).contains("there is no instruction 1000000 for the offset of a field"));
}

TEST_CASE("a map of data, as objects have it, is read at its places") {
  using namespace ebpf::op;
  ebpf::Program p;
  p.maps = {{.name = "data",
             .kind = ebpf::MapKind::Array,
             .key_bytes = 4,
             .value_bytes = 8,
             .max_entries = 1,
             .keys = {0, 0, 0, 0},
             .span = {},
             .values = {1, 2, 3, 4, 5, 6, 7, 8}}};
  p.instructions = {{.code = LD | DW | IMM, .dst = 1, .src = ebpf::map_value_index, .imm = 0},
                    {.imm = 4},
                    {.code = LDX | MEM | B, .dst = 0, .src = 1, .offset = 1},
                    {.code = JMP | EXIT}};
  for (const std::uint8_t reference : {ebpf::map_value_index, ebpf::map_value_descriptor}) {
    p.instructions[0].src = reference & 0xf;
    const auto loaded = Loaded::load(p, {});
    REQUIRE_MESSAGE(loaded, message(loaded));
    CHECK(run(*loaded) == 6);
  }
}

TEST_CASE("more than the verifier takes is too much, and no mistake") {
  using namespace ebpf::op;
  // Each of these jumps can go either way, for all that the verifier knows.
  constexpr int jumps = 20'000;
  auto program = returning(Hook::Socket, 0);
  program.instructions[0] = {.code = LDX | MEM | W, .dst = 0, .src = 1};
  for (int i = 0; i < jumps; ++i)
    program.instructions.insert(
        program.instructions.end() - 1,
        {.code = JMP32 | JEQ | K, .dst = 0, .offset = static_cast<std::int16_t>(jumps - 1 - i), .imm = i});
  const auto refused = Loaded::load(program, {});
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::TooLarge);
  CHECK(refused.error().message.starts_with("the program (20002 instructions) is more than the kernel's verifier takes: The sequence of "));
  CHECK(refused.error().hint.contains("split the filter"));
}

TEST_CASE("fields of the kernel's structures are found") {
  // r0 = the offset of sk_buff.len; the program is for a raw tracepoint, which may return anything.
  auto program = returning(Hook::Tracing, -1);
  program.fields = {{0, ebpf::KernelField::SkbLen}};
  const auto loaded = Loaded::load(program, {});
  REQUIRE_MESSAGE(loaded, message(loaded));
  auto options = attach::no_options<bpf_test_run_opts>();
  REQUIRE(bpf_prog_test_run_opts(loaded->descriptor(), &options) == 0);
  CHECK(options.retval > 0);
  CHECK(options.retval < 512);
  CHECK(options.retval % 4 == 0);
}

TEST_CASE("a tracepoint that there is not") {
  CHECK(message(Loaded::load(returning(Hook::TracingBtf, 0), {.tracepoint = "no_such_point"})).contains("no tracepoint 'no_such_point'"));
}

TEST_CASE("memory that may be locked does not count since Linux 5.11") {
  rlimit before = {};
  REQUIRE(::getrlimit(RLIMIT_MEMLOCK, &before) == 0);
  const rlimit none = {0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_MEMLOCK, &none) == 0);
  const auto loaded = Loaded::load(asking(numbers(1000, {7})), {});
  REQUIRE(::setrlimit(RLIMIT_MEMLOCK, &before) == 0);
  if (attach::rights().counts_locked_memory) CHECK(message(loaded).contains("may lock"));
  else CHECK_MESSAGE(loaded, message(loaded));
}
