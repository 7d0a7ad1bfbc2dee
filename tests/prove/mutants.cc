#include "mutants.hpp"

#include <functional>
#include <optional>

#include <fmt/format.h>

#include "cbpf/opcodes.hpp"

namespace weir::proofs {
namespace {

using cbpf::Instruction;
namespace op = cbpf::op;

std::uint16_t kind(const Instruction& i) { return i.code & 0x07; }
bool tests(const Instruction& i) { return kind(i) == op::JMP && (i.code & 0xf0) != op::JA; }
bool loads(const Instruction& i) {
  const auto mode = static_cast<std::uint16_t>(i.code & 0xe0);
  return kind(i) == op::LD && (mode == op::ABS || mode == op::IND) && i.k < meta_offset;
}

/// A change of one instruction; nothing where it does not apply.
struct Change {
  const char* what;
  std::optional<Instruction> (*make)(Instruction, std::mt19937&);
};

constexpr Change changes[] = {
    {"another constant", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!tests(i) && kind(i) != op::ALU) return std::nullopt;
       if ((i.code & op::X) != 0) return std::nullopt;
       i.k ^= std::uint32_t{1} << random() % 8;
       return i;
     }},
    {"ways out exchanged", [](Instruction i, std::mt19937&) -> std::optional<Instruction> {
       if (!tests(i) || i.jt == i.jf) return std::nullopt;
       std::swap(i.jt, i.jf);
       return i;
     }},
    {"test without effect", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!tests(i) || i.jt == i.jf) return std::nullopt;
       (random() % 2 ? i.jt : i.jf) = random() % 2 ? i.jt : i.jf;
       return i.jt == i.jf ? std::optional(i) : std::nullopt;
     }},
    {"one constant off", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!tests(i) || (i.code & op::X) != 0) return std::nullopt;
       i.k += random() % 2 ? 1u : 0xffffffffu;
       return i;
     }},
    {"arithmetic without effect", [](Instruction i, std::mt19937&) -> std::optional<Instruction> {
       if (kind(i) != op::ALU) return std::nullopt;
       return Instruction{op::JMP | op::JA, 0, 0, 0};
     }},
    {"another offset", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!loads(i)) return std::nullopt;
       i.k = i.k == 0 || random() % 2 ? i.k + 1 : i.k - 1;
       return i;
     }},
    {"another size", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!loads(i)) return std::nullopt;
       constexpr std::uint16_t sizes[] = {op::B, op::H, op::W};
       const auto code = static_cast<std::uint16_t>((i.code & ~0x18) | sizes[random() % 3]);
       if (code == i.code) return std::nullopt;
       i.code = code;
       return i;
     }},
    {"another jump", [](Instruction i, std::mt19937&) -> std::optional<Instruction> {
       if (!tests(i) || i.jt == 0) return std::nullopt;
       --i.jt;
       return i;
     }},
    {"another comparison", [](Instruction i, std::mt19937& random) -> std::optional<Instruction> {
       if (!tests(i)) return std::nullopt;
       constexpr std::uint16_t ops[] = {op::JEQ, op::JGT, op::JGE, op::JSET};
       const auto code = static_cast<std::uint16_t>((i.code & 0x0f) | ops[random() % 4]);
       if (code == i.code) return std::nullopt;
       i.code = code;
       return i;
     }},
};

}  // namespace

std::vector<Mutant> mutants_of(const cbpf::Program& p, std::size_t of_each_kind, std::mt19937& random) {
  std::vector<Mutant> all;
  for (const Change& change : changes) {
    std::size_t made = 0;
    for (int tries = 0; tries < 20 && made < of_each_kind; ++tries) {
      const std::size_t at = random() % p.instructions.size();
      const auto changed = change.make(p.instructions[at], random);
      if (!changed || *changed == p.instructions[at]) continue;
      Mutant m{fmt::format("{} at {}", change.what, at), p};
      m.program.instructions[at] = *changed;
      if (cbpf::check(m.program)) continue;
      all.push_back(std::move(m));
      ++made;
    }
  }
  return all;
}

}  // namespace weir::proofs
