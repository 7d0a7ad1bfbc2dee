#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "ebpf/decode.hpp"
#include "mutants.hpp"

namespace weir::proofs {
namespace {

using ebpf::Instruction;
namespace op = ebpf::op;

bool has_constant(const Instruction& i) { return (ebpf::is_conditional(i) || ebpf::is_arithmetic(i)) && !ebpf::takes_register(i); }

/// A change of one instruction; nothing where it does not apply.
struct Change {
  const char* what;
  std::optional<Instruction> (*make)(Instruction, std::mt19937&);
};

constexpr Change changes[] = {
    {"another constant", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!has_constant(i) || ebpf::operation(i) == op::END) return std::nullopt;
       i.imm ^= 1 << random() % 8;
       return i;
     }},
    {"one constant off", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!has_constant(i) || !ebpf::is_conditional(i) || i.imm == INT32_MAX || i.imm == INT32_MIN) return std::nullopt;
       i.imm += random() % 2 ? 1 : -1;
       return i;
     }},
    {"another comparison", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!ebpf::is_conditional(i)) return std::nullopt;
       constexpr std::uint8_t others[] = {op::JEQ, op::JNE, op::JGT, op::JGE, op::JLT, op::JLE, op::JSET};
       i.code = static_cast<std::uint8_t>((i.code & 0x0f) | others[random() % 7]);
       return i;
     }},
    {"another jump", [](Instruction i, std::mt19937&) -> std::optional<Instruction> {
       if (!ebpf::is_conditional(i) || i.offset == 0) return std::nullopt;
       --i.offset;
       return i;
     }},
    {"another offset", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (ebpf::class_of(i) != op::LDX || i.src == 10) return std::nullopt;
       i.offset = static_cast<std::int16_t>(i.offset + (i.offset == 0 || random() % 2 ? 1 : -1));
       return i;
     }},
    {"another size", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (ebpf::class_of(i) != op::LDX) return std::nullopt;
       constexpr std::uint8_t sizes[] = {op::B, op::H, op::W};
       i.code = static_cast<std::uint8_t>((i.code & ~0x18) | sizes[random() % 3]);
       return i;
     }},
    {"no effect", [](Instruction i, std::mt19937&) -> std::optional<Instruction> {
       if (!ebpf::is_arithmetic(i) || ebpf::operation(i) == op::MOV) return std::nullopt;
       return Instruction{.code = op::ALU64 | op::MOV | op::X, .dst = i.dst, .src = i.dst};
     }},
};

/// Whether the changed instruction runs into the second half of a constant.
bool is_second_half(const ebpf::Program& p, std::size_t at) { return at != 0 && ebpf::is_wide(p.instructions[at - 1]); }

/// In a table that the program reads in place.
std::optional<EbpfMutant> with_another_number(const ebpf::Program& p, std::mt19937& random) {
  const auto table = std::ranges::find_if(p.maps, [](const ebpf::Map& m) { return m.kind == ebpf::MapKind::Array && !m.values.empty(); });
  if (table == p.maps.end()) return std::nullopt;
  const std::size_t at = random() % table->values.size();
  EbpfMutant m{fmt::format("another number in {} at {}", table->name, at), p};
  m.program.maps[static_cast<std::size_t>(table - p.maps.begin())].values[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
  return m;
}

}  // namespace

std::vector<EbpfMutant> mutants_of(const ebpf::Program& p, std::size_t of_each_kind, std::mt19937& random) {
  std::vector<EbpfMutant> all;
  for (const Change& change : changes) {
    std::size_t made = 0;
    for (int tries = 0; tries < 20 && made < of_each_kind; ++tries) {
      const std::size_t at = random() % p.instructions.size();
      if (is_second_half(p, at)) continue;
      const auto changed = change.make(p.instructions[at], random);
      if (!changed || *changed == p.instructions[at]) continue;
      EbpfMutant m{fmt::format("{} at {}", change.what, at), p};
      m.program.instructions[at] = *changed;
      if (ebpf::check(m.program)) continue;
      all.push_back(std::move(m));
      ++made;
    }
  }
  for (std::size_t made = 0; made < of_each_kind; ++made)
    if (auto m = with_another_number(p, random)) all.push_back(std::move(*m));
  return all;
}

}  // namespace weir::proofs
