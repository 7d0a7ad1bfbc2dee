// Random eBPF programs, for the tests of the rooms ebpf and vm and for those beside the kernel.
#pragma once
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

#include "ebpf/decode.hpp"
#include "ebpf/helpers.hpp"

namespace weir::test {

/// Programs that do a bit of everything, one for each hook or more; random ones are made by changing them.
struct Seed { ebpf::Hook hook; std::string_view text; };
inline constexpr Seed seed_programs[] = {
    {ebpf::Hook::Socket, "r6 = r1\nr0 = *(u16 *)skb[12]\nif r0 == 0x800 goto ip\nr0 = 0\nexit\nip: r7 = *(u8 *)skb[14]\nr0 = r7\nr0 &= 15\nr0 <<= 2\n"
                         "r0 = *(u16 *)skb[r0 + 16]\nif r0 == 80 goto yes\nr0 = 0\nexit\nyes: r0 = 262144\nexit"},
    {ebpf::Hook::Socket, "r6 = r1\nr2 = 12\nr3 = r10\nr3 += -8\nr4 = 8\ncall bpf_skb_load_bytes\nif r0 != 0 goto out\nr1 = *(u64 *)(r10 -8)\nr2 = *(u32 *)(r10 -4)\n"
                         "r1 ^= r2\nr1 = be32 r1\n*(u64 *)(r10 -16) = r1\nr0 = *(u32 *)(r10 -12)\nr0 s>>= 3\nw0 *= 7\nout: exit"},
    {ebpf::Hook::Socket, "*(u32 *)(r10 -4) = 1\nr1 = map[idx:0]\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nr6 = r0\nif r0 == 0 goto out\nr1 = 3\n"
                         "r1 = atomic64_fetch_add((u64 *)(r6 +0), r1)\nr0 = *(u32 *)(r6 +4)\nr0 += r1\nexit\nout: r0 = 0\nexit"},
    {ebpf::Hook::Xdp, "r2 = *(u32 *)(r1 +0)\nr3 = *(u32 *)(r1 +4)\nr0 = 2\nr4 = r2\nr4 += 34\nif r4 > r3 goto out\nr5 = *(u16 *)(r2 +12)\nif r5 != 8 goto out\n"
                      "r5 = *(u8 *)(r2 +14)\nr5 &= 15\nr5 <<= 2\nr2 += r5\nr4 = r2\nr4 += 18\nif r4 > r3 goto out\nr0 = *(u16 *)(r2 +16)\nr0 = be16 r0\nout: exit"},
    {ebpf::Hook::Xdp, "r6 = r1\nr7 = 0\nr8 = 0\nagain: r1 = r6\nr2 = r7\nr3 = r10\nr3 += -8\nr4 = 4\ncall bpf_xdp_load_bytes\nif r0 != 0 goto out\n"
                      "r1 = *(u32 *)(r10 -8)\nr8 += r1\nr7 += 4\nif r7 < 20 goto again\nout: r0 = r8\nexit"},
    {ebpf::Hook::TcIngress, "r6 = r1\nr7 = *(u32 *)(r1 +76)\nr8 = *(u32 *)(r1 +80)\nr1 = r7\nr1 += 20\nif r1 <= r8 goto have\nr1 = r6\nr2 = 20\ncall bpf_skb_pull_data\n"
                            "r7 = *(u32 *)(r6 +76)\nr8 = *(u32 *)(r6 +80)\nr1 = r7\nr1 += 20\nif r1 > r8 goto out\nhave: r0 = *(u64 *)(r7 +12)\n*(u8 *)(r7 +0) = 5\nexit\nout: r0 = 0\nexit"},
    {ebpf::Hook::TcEgress, "r6 = r1\nr1 = r10\nr1 += -16\nr2 = 7\ncall sum\nr7 = *(u64 *)(r10 -16)\nr0 += r7\nr1 = *(u32 *)(r6 +0)\nif r0 s> r1 goto out\nr0 = r1\nout: exit\n"
                           "sum: *(u64 *)(r10 -8) = r2\n*(u64 *)(r1 +0) = r2\nr0 = *(u64 *)(r10 -8)\nr0 *= 3\nexit"},
    {ebpf::Hook::Cgroup, "r2 = *(u32 *)(r1 +76)\nr3 = *(u32 *)(r1 +80)\nr0 = 0\nr4 = r2\nr4 += 20\nif r4 > r3 goto out\nr5 = *(u8 *)(r2 +9)\nif r5 == 6 goto yes\ngoto out\n"
                         "yes: r0 = 1\nout: exit"},
    {ebpf::Hook::Tracing, "r3 = *(u64 *)(r1 +0)\nr6 = r3\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_probe_read_kernel\nif r0 s< 0 goto out\nr0 = *(u64 *)(r10 -8)\nout: exit"},
};

/// The maps that they ask.
inline std::vector<ebpf::Map> seed_maps() {
  return {{"hash", ebpf::MapKind::Hash, 4, 8, 4, {1, 0, 0, 0}, {}}, {"array", ebpf::MapKind::Array, 4, 16, 1, {}, {}}};
}

class RandomEbpf {
 public:
  explicit RandomEbpf(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  std::int32_t number() {
    static constexpr std::int64_t edges[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 31, 32, 33, 63, 64, 0xff, 0xffff, 0x7fffffff, -0x80000000ll, -1, -2, -4, -8, -16, 1 << 20};
    switch (below(3)) {
      case 0: return static_cast<std::int32_t>(edges[below(std::size(edges))]);
      case 1: return static_cast<std::int32_t>(below(300));
      default: return static_cast<std::int32_t>(random_());
    }
  }

  /// A program of seed_programs, with some of its instructions changed.
  ebpf::Program mutant() {
    const Seed& seed = seed_programs[below(std::size(seed_programs))];
    ebpf::Program p = *ebpf::read_text(seed.text);
    p.spans.clear();
    p.hook = seed.hook;
    p.maps = seed_maps();
    for (std::uint64_t n = below(4); n > 0; --n) change(p.instructions);
    return p;
  }

  /// Any instruction there is, with small offsets.
  ebpf::Instruction instruction() {
    for (;;) {
      auto i = ebpf::make(static_cast<std::uint8_t>(random_()), static_cast<unsigned>(below(11)), static_cast<unsigned>(below(11)), static_cast<std::int16_t>(below(40)), number());
      if (below(2)) i.offset = static_cast<std::int16_t>(-8 * static_cast<std::int64_t>(below(5)));
      if (below(2)) i.offset = 0;
      if (below(2)) i.imm = 0;
      if (below(3) == 0) i.src = 0;
      if (ebpf::is_arithmetic(i) && ebpf::operation(i) == ebpf::op::END) i.imm = 16 << below(3);
      if (!ebpf::is_wide(i) && exists(i)) return i;
    }
  }

 private:
  using Code = std::vector<ebpf::Instruction>;

  void change(Code& code) {
    const std::size_t at = below(code.size());
    ebpf::Instruction& i = code[at];
    switch (below(9)) {
      case 0: i = instruction(); return;
      case 1: i.imm = number(); return;
      case 2: i.offset = static_cast<std::int16_t>(i.offset + static_cast<std::int16_t>(below(9)) - 4); return;
      case 3: i.dst = below(11) & 0xf; return;
      case 4: i.src = below(11) & 0xf; return;
      case 5: i.code = static_cast<std::uint8_t>(i.code ^ (1u << below(8))); return;
      case 6: insert(code, at, instruction()); return;
      case 7: i = code[below(code.size())]; return;
      default: std::swap(i, code[below(code.size())]); return;
    }
  }

  /// Jumps over the place go one farther.
  static void insert(Code& code, std::size_t at, ebpf::Instruction added) {
    for (std::size_t n = 0; n < code.size(); ++n) {
      ebpf::Instruction& i = code[n];
      if (!ebpf::is_conditional(i) && i.code != (ebpf::op::JMP | ebpf::op::JA)) continue;
      const auto target = static_cast<std::int64_t>(n) + 1 + i.offset, place = static_cast<std::int64_t>(at);
      if (static_cast<std::int64_t>(n) < place && target > place) ++i.offset;
      if (static_cast<std::int64_t>(n) >= place && target <= place) --i.offset;
    }
    code.insert(code.begin() + static_cast<std::ptrdiff_t>(at), added);
  }

  std::mt19937_64 random_;
};

}  // namespace weir::test
