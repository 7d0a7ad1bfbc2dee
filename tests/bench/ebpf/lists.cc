// From which length on a map is faster than comparisons. BPF_PROG_TEST_RUN gives the same packet again and again, which a
// processor learns by heart, and it would find the way through any number of comparisons; so each run begins with instructions
// that put a random one of 1024 addresses into the packet, half of which are members of the list.
#include "lists.hpp"

#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <deque>
#include <optional>

#include <fmt/core.h>

#include "ebpf/emit.hpp"
#include "ebpf/hook_row.hpp"
#include "weir/stages.hpp"

namespace weir::bench {
namespace {

constexpr std::uint32_t addresses = 1024;
constexpr std::int16_t address_at = 26, address_end = 30;  // of IPv4's source, behind Ethernet's header

std::uint32_t mixed(std::uint32_t x) { return (x ^ x >> 15) * 2654435761u; }
std::uint32_t host_of(std::uint32_t i) { return 10u << 24 | (mixed(i) >> 8); }
constexpr std::uint32_t first_other = 1'000'000;  ///< from here on they are in no list

void put(std::vector<std::uint8_t>& to, std::uint32_t word) {
  std::uint8_t bytes[4];
  std::memcpy(bytes, &word, 4);
  to.insert(to.end(), bytes, bytes + 4);
}

std::string list(std::uint32_t count, bool networks) {
  std::string text = networks ? "ip src net " : "ip src host ";
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t a = host_of(i);
    text += i ? " or " : "";
    text += networks ? fmt::format("{}.{}.{}.0/24", a >> 24, a >> 16 & 255, a >> 8 & 255)
                     : fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
  }
  return text;
}

ebpf::Map address_map(std::uint32_t count) {
  ebpf::Map map{.name = "addresses",
                .kind = ebpf::MapKind::Array,
                .key_bytes = 4,
                .value_bytes = 4,
                .max_entries = addresses,
                .keys = {},
                .span = {}};
  for (std::uint32_t i = 0; i < addresses; ++i) {
    put(map.keys, i);
    put(map.values, std::byteswap(host_of(i % 2 ? mixed(i) % count : first_other + i)));
  }
  return map;
}

/// Puts an address into the packet, and goes on with the program.
ebpf::Program with_addresses(ebpf::Program p, std::uint32_t count) {
  using namespace ebpf::op;
  const bool is_xdp = p.hook == ebpf::Hook::Xdp;
  const auto data = static_cast<std::int16_t>(is_xdp ? ebpf::field_at::XdpData : ebpf::field_at::Data),
             end = static_cast<std::int16_t>(is_xdp ? ebpf::field_at::XdpDataEnd : ebpf::field_at::DataEnd);
  std::vector<ebpf::Instruction> before = {
      {.code = ALU64 | MOV | X, .dst = 6, .src = 1},
      {.code = JMP | CALL, .imm = 7},  // bpf_get_prandom_u32
      {.code = ALU64 | AND | K, .dst = 0, .imm = addresses - 1},
      {.code = STX | MEM | W, .dst = 10, .src = 0, .offset = -4},
      {.code = LD | DW | IMM, .dst = 1, .src = ebpf::map_index, .imm = static_cast<std::int32_t>(p.maps.size())},
      {},
      {.code = ALU64 | MOV | X, .dst = 2, .src = 10},
      {.code = ALU64 | ADD | K, .dst = 2, .imm = -4},
      {.code = JMP | CALL, .imm = ebpf::helper::LookUp},
      {.code = JMP | JEQ | K, .dst = 0, .offset = 7, .imm = 0},
      {.code = LDX | MEM | W, .dst = 2, .src = 6, .offset = data},
      {.code = LDX | MEM | W, .dst = 3, .src = 6, .offset = end},
      {.code = ALU64 | MOV | X, .dst = 4, .src = 2},
      {.code = ALU64 | ADD | K, .dst = 4, .imm = address_end},
      {.code = JMP | JGT | X, .dst = 4, .src = 3, .offset = 2},
      {.code = LDX | MEM | W, .dst = 0, .src = 0},
      {.code = STX | MEM | W, .dst = 2, .src = 0, .offset = address_at},
      {.code = ALU64 | MOV | X, .dst = 1, .src = 6},
  };
  p.instructions.insert(p.instructions.begin(), before.begin(), before.end());
  p.spans.clear();
  p.maps.push_back(address_map(count));
  return p;
}

Result<attach::Loaded> load(const ir::Program& graph, ebpf::Hook hook, std::size_t maps, std::optional<std::size_t> tables,
                            std::uint32_t count, double* milliseconds) {
  const auto start = std::chrono::steady_clock::now();
  const auto program = ebpf::emit(graph, {.hook = hook, .match = {}, .no_match = {}, .map_threshold = maps, .table_threshold = tables});
  if (!program) return std::unexpected(program.error());
  auto loaded = attach::Loaded::load(with_addresses(*program, count), {});
  if (milliseconds) *milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return loaded;
}

void print_row(ebpf::Hook hook, std::uint32_t count, const Options& o) {
  constexpr std::size_t never = 1'000'000;
  const Bytes to = packet(0, 6, 1000, 80);
  const auto nothing = attach::Loaded::load(with_addresses(empty_program(hook), count), {});
  if (!nothing) return fmt::print("{}\n", nothing.error().message);
  fmt::print("| {} |", count);
  for (const bool networks : {false, true}) {
    const auto filter = compile(list(count, networks));
    const ir::Program& graph = filter->stages().ir;
    std::array<double, 3> loading{};
    std::vector<Result<attach::Loaded>> programs;
    programs.push_back(load(graph, hook, never, {}, count, &loading[0]));
    programs.push_back(load(graph, hook, 1, {}, count, &loading[1]));
    if (!networks) programs.push_back(load(graph, hook, never, 1, count, &loading[2]));
    Timed empty({nothing->descriptor()}, to);
    std::deque<Timed> each;
    std::vector<Timed*> all{&empty};
    for (const auto& p : programs) {
      if (!p) return fmt::print(" {} |\n", p.error().message);
      all.push_back(&each.emplace_back(std::vector{p->descriptor()}, to));
    }
    measure(all, o.seconds);
    for (std::size_t i = 0; i < each.size(); ++i)
      fmt::print(" {:.1f} | {:.0f} |", quartiles(less(each[i].rounds, empty.rounds)).median, loading[i]);
  }
  fmt::print("\n");
}

}  // namespace

void measure_lists(ebpf::Hook hook, const Options& o) {
  if (const auto nothing = attach::Loaded::load(empty_program(hook), {}); !nothing)
    return fmt::print("SKIPPED: {}\n", nothing.error().message);
  fmt::print(
      "\n### eBPF in the kernel, lists, hook {}\n\nNanoseconds more than an empty program, for random addresses, half of which "
      "are in the list: hosts, asked by comparisons, of a "
      "hash map and of a table that is read in place, and networks of 24 bits, by comparisons and of an LPM trie; and "
      "milliseconds in which the program is made and loaded.\n\n"
      "| entries | comparisons | ms | hash | ms | table | ms | networks: comparisons | ms | trie | ms "
      "|\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
      to_string(hook));
  for (const std::uint32_t count : {16u, 32u, 64u, 128u, 256u, 512u, 1024u, 2048u, 4096u, 8192u, 16384u}) print_row(hook, count, o);
}

}  // namespace weir::bench
