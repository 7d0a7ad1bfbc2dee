// vm/cbpf.cc with formulas. Forward once, for what registers and scratch words hold at each instruction; back once, for
// what is returned from each on.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include <fmt/format.h>

#include "cbpf/decode.hpp"
#include "cbpf/opcodes.hpp"
#include "prove/partial.hpp"

namespace weir::prove {
namespace {

using cbpf::Instruction;
using cbpf::Opcode;
using cbpf::arith_of;
using cbpf::relation_of;
using cbpf::size_of;
using vm::Machine;

constexpr std::uint32_t network_offset = 0xfff00000, link_offset = 0xffe00000, network_header = 14, link_header = 0;
constexpr std::uint32_t most_positive = 0x7fffffff;

/// Registers and scratch words, as numbers of bits and places.
constexpr std::size_t A = 0, X = 1, scratch = 2, places = scratch + cbpf::scratch_words;
using Places = std::array<Ref, places>;
using Mask = std::uint32_t;
constexpr Mask bit(std::size_t place) { return Mask{1} << place; }

// Parts of an instruction's code, as the names in cbpf::op.
namespace op = cbpf::op;
constexpr int class_of(std::uint16_t code) { return code & 0x07; }
constexpr int mode_of(std::uint16_t code) { return code & 0xe0; }
constexpr int operation_of(std::uint16_t code) { return code & 0xf0; }
constexpr bool with_x(std::uint16_t code) { return (code & op::X) != 0; }
/// Whether Evaluation::step knows what to do. It is run on instructions that exist only: rows of opcodes.def.
constexpr bool is_known(Opcode instruction) {
  const auto code = static_cast<std::uint16_t>(instruction);
  switch (class_of(code)) {
    case op::LD:
    case op::LDX: return mode_of(code) <= op::MSH;
    case op::ST:
    case op::STX: return true;
    case op::ALU: return arith_of(code) || instruction == Opcode::Neg;
    case op::JMP: return relation_of(code) || instruction == Opcode::Ja;
    case op::RET: return instruction == Opcode::RetK || instruction == Opcode::RetA;
    case op::MISC: return instruction == Opcode::Tax || instruction == Opcode::Txa;
  }
  return false;
}
static_assert(std::ranges::all_of(cbpf::instruction_rows, is_known, &cbpf::Row::code));

/// Which places an instruction reads and which it writes.
struct Use {
  Mask reads = 0;
  Mask writes = 0;
};

Use use_of(const Instruction& i) {
  const Mask operands = with_x(i.code) ? bit(A) | bit(X) : bit(A);
  switch (class_of(i.code)) {
    case op::LD: {
      if (mode_of(i.code) == op::IND) return {bit(X), bit(A)};
      if (mode_of(i.code) == op::MEM) return {bit(scratch + i.k), bit(A)};
      return {mode_of(i.code) == op::ABS && i.k == cbpf::xor_x ? bit(A) | bit(X) : 0, bit(A)};
    }
    case op::LDX: return {mode_of(i.code) == op::MEM ? bit(scratch + i.k) : 0, bit(X)};
    case op::ST: return {bit(A), bit(scratch + i.k)};
    case op::STX: return {bit(X), bit(scratch + i.k)};
    case op::ALU: return {operands, bit(A)};
    case op::JMP: return {operation_of(i.code) == op::JA ? 0 : operands, 0};
    case op::RET: return {static_cast<Opcode>(i.code) == Opcode::RetA ? bit(A) : 0, 0};
    default: return static_cast<Opcode>(i.code) == Opcode::Tax ? Use{bit(A), bit(X)} : Use{bit(X), bit(A)};
  }
}

bool is_jump(const Instruction& i) { return class_of(i.code) == op::JMP; }
bool is_return(const Instruction& i) { return class_of(i.code) == op::RET; }

/// What an instruction does to the way on.
struct Step {
  Partial passes;                ///< whether its load or division lets it go on
  std::optional<Ref> condition;  ///< of a jump with two ways: to `t` when it holds
  std::size_t t = 0, f = 0;      ///< where it goes on; of an instruction that is no jump, t
  Ref returned{};                ///< of a return
};

class Evaluation {
 public:
  Evaluation(const cbpf::Program& p, Algebra& algebra, Extent extent, Machine machine)
      : code_(p.instructions), algebra_(algebra), partials_(algebra, extent), machine_(machine) {}

  Meaning run() {
    validate();
    find_live();
    const std::size_t count = code_.size();
    into_.resize(count);
    held_.resize(count);
    steps_.resize(count);
    above_.resize(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
      if (i != 0 && into_[i].empty()) continue;
      Places places_now = i == 0 ? start() : arrive(i);
      steps_[i] = step(i, places_now);
      held_[i] = places_now;
      if (is_return(code_[i])) continue;
      if (steps_[i]->condition) into_[steps_[i]->f].push_back(i);
      into_[steps_[i]->t].push_back(i);
    }
    return results();
  }

 private:
  // ---- programs that can be run ----------------------------------------------------------------------

  void validate() const {
    if (code_.empty()) throw GivenUp("the program has no instructions");
    for (std::size_t i = 0; i < code_.size(); ++i) {
      const Instruction& n = code_[i];
      const cbpf::Row* row = cbpf::row(n.code);
      if (!row) throw GivenUp(fmt::format("instruction {} does not exist", i));
      if (row->demand == cbpf::Demand::Scratch && n.k >= cbpf::scratch_words)
        throw GivenUp(fmt::format("instruction {} names a scratch word that does not exist", i));
      if (static_cast<Opcode>(n.code) == Opcode::Ja && n.k >= 0x80000000) throw GivenUp("the program has a loop");
      const std::uint64_t farthest = static_cast<Opcode>(n.code) == Opcode::Ja ? n.k : is_jump(n) ? std::max(n.jt, n.jf) : 0;
      if (!is_return(n) && i + 1 + farthest >= code_.size())
        throw GivenUp(fmt::format("from instruction {} the program runs past its end", i));
    }
  }

  /// Which places are read, at an instruction or behind it, before they are written.
  void find_live() {
    live_.resize(code_.size());
    for (std::size_t i = code_.size(); i-- > 0;) {
      const Instruction& n = code_[i];
      Mask behind = 0;
      if (static_cast<Opcode>(n.code) == Opcode::Ja) behind = live_[i + 1 + n.k];
      else if (is_jump(n)) behind = live_[i + 1 + n.jt] | live_[i + 1 + n.jf];
      else if (!is_return(n)) behind = live_[i + 1];
      const Use use = use_of(n);
      live_[i] = (behind & ~use.writes) | use.reads;
    }
  }

  // ---- what places hold ------------------------------------------------------------------------------

  Places start() {
    Places zero;
    zero.fill(algebra_.constant(0));
    return zero;
  }

  /// What places hold where ways meet. Those that nobody reads any more do not count.
  Places arrive(std::size_t at) {
    const auto& ways = into_[at];
    above_[at] = ways[0];
    for (const std::size_t way : ways) above_[at] = common(above_[at], way);
    Places merged = held_[ways[0]];
    for (std::size_t place = 0; place < places; ++place) {
      if (!(live_[at] & bit(place))) continue;
      const auto differs = [&](std::size_t way) { return held_[way][place] != merged[place]; };
      if (std::ranges::any_of(ways, differs)) merged[place] = merge(at, place);
    }
    return merged;
  }

  /// The last instruction that all ways to both come by.
  std::size_t common(std::size_t a, std::size_t b) const {
    while (a != b) (a > b ? a : b) = above_[a > b ? a : b];
    return a;
  }

  /// The value that a place has on arrival, chosen by the tests since the last instruction that all ways come by. What
  /// does not lead here chooses nothing.
  Ref merge(std::size_t at, std::size_t place) {
    const std::size_t first = above_[at];
    std::vector<std::optional<Ref>> value(at - first);
    const auto coming = [&](std::size_t from, std::size_t to) -> std::optional<Ref> {
      if (to == at) return held_[from][place];
      return to < at ? value[to - first] : std::nullopt;
    };
    for (std::size_t i = at; i-- > first;) {
      if (!steps_[i] || is_return(code_[i])) continue;
      const Step& s = *steps_[i];
      const auto t = coming(i, s.t), f = s.condition ? coming(i, s.f) : t;
      value[i - first] = t && f ? algebra_.choose(s.condition.value_or(partials_.yes()), *t, *f) : t ? t : f;
    }
    return *value[0];
  }

  // ---- instructions ----------------------------------------------------------------------------------

  /// As validate() has seen, the instruction exists.
  Step step(std::size_t at, Places& p) {
    const Instruction& i = code_[at];
    Step s{.passes = partials_.sure(partials_.yes()), .condition = {}, .t = at + 1};
    const auto put = [&](std::size_t place, const Partial& result) {
      s.passes = result;
      p[place] = result.value;
    };
    switch (class_of(i.code)) {
      case op::LD: put(A, loaded(i, p)); break;
      case op::LDX: put(X, loaded(i, p)); break;
      case op::ST: p[scratch + i.k] = p[A]; break;
      case op::STX: p[scratch + i.k] = p[X]; break;
      case op::ALU: put(A, computed(i, p)); break;
      case op::JMP: jump(i, p, s); break;
      case op::RET: s.returned = static_cast<Opcode>(i.code) == Opcode::RetA ? p[A] : algebra_.constant(i.k); break;
      case op::MISC: move(static_cast<Opcode>(i.code), p); break;
    }
    return s;
  }

  static void move(Opcode between, Places& p) {
    if (between == Opcode::Tax) p[X] = p[A];
    else p[A] = p[X];
  }

  Ref operand(const Instruction& i, const Places& p) { return with_x(i.code) ? p[X] : algebra_.constant(i.k); }

  Partial computed(const Instruction& i, const Places& p) {
    if (operation_of(i.code) == op::NEG) return partials_.sure(algebra_.binary(Arith::Sub, algebra_.constant(0), p[A]));
    const Arith arith = *arith_of(i.code);
    Ref with = operand(i, p);
    Partial result = arith == Arith::Div || arith == Arith::Mod ? partials_.nonzero(with) : partials_.sure(with);
    if (machine_ == Machine::Kernel && (arith == Arith::Lsh || arith == Arith::Rsh))
      with = algebra_.binary(Arith::And, with, algebra_.constant(31));
    result.value = algebra_.binary(arith, p[A], with);
    return result;
  }

  /// `s` goes on at the next instruction, from which distances count.
  void jump(const Instruction& i, const Places& p, Step& s) {
    const auto relation = relation_of(i.code);
    s.f = s.t + i.jf;
    s.t += relation ? i.jt : i.k;
    if (relation && s.t != s.f) s.condition = algebra_.compare(*relation, p[A], operand(i, p));
  }

  // ---- loads -----------------------------------------------------------------------------------------

  /// What a load puts into its register.
  Partial loaded(const Instruction& i, const Places& p) {
    switch (mode_of(i.code)) {
      case op::IMM: return partials_.sure(algebra_.constant(i.k));
      case op::ABS: return absolute(size_of(i.code), i.k, p);
      case op::IND: return bytes(size_of(i.code), p[X], i.k);
      case op::MEM: return partials_.sure(p[scratch + i.k]);
      case op::LEN: return partials_.sure(algebra_.length());
      default: return four_times_low_nibble(bytes(1, algebra_.constant(0), i.k));
    }
  }

  Partial four_times_low_nibble(Partial byte) {
    const Ref nibble = algebra_.binary(Arith::And, byte.value, algebra_.constant(0xf));
    byte.value = algebra_.binary(Arith::Lsh, nibble, algebra_.constant(2));
    return byte;
  }

  Partial absolute(std::uint32_t size, std::uint32_t k, const Places& p) {
    if (k < meta_offset) return bytes(size, algebra_.constant(0), k);
    const auto meta = static_cast<Meta>(k - meta_offset);
    const bool is_vlan = meta == Meta::VlanTag || meta == Meta::VlanTagPresent;
    if (machine_ == Machine::Libpcap) return size == 1 && is_vlan ? partials_.sure(algebra_.meta(meta)) : partials_.rejected();
    if (k == cbpf::xor_x) return partials_.sure(algebra_.binary(Arith::Xor, p[A], p[X]));
    if (!cbpf::metadata(k)) return partials_.rejected();
    switch (meta) {
      case Meta::Protocol:
      case Meta::PacketType:
      case Meta::InterfaceIndex:
      case Meta::VlanTag:
      case Meta::VlanTagPresent:
      case Meta::VlanProtocol: return partials_.sure(algebra_.meta(meta));
    }
    throw GivenUp(fmt::format("it depends on {}, of which nothing is known", cbpf::metadata(k)->word));
  }

  Partial bytes(std::uint32_t size, Ref index, std::uint32_t k) {
    if (machine_ == Machine::Libpcap) return bytes_at(size, index, k);
    const Ref positive = k <= most_positive ? algebra_.member(index, Set(Interval{0, most_positive - k})) : algebra_.truth(false);
    if (positive == partials_.yes()) return bytes_at(size, index, k);
    const Ref offset = algebra_.binary(Arith::Add, index, algebra_.constant(k));
    const Partial wrapped =
        choose_by(offset, {0, most_positive}, bytes_at(size, offset, 0),
                  choose_by(offset, {network_offset, 0xffffffff}, from_header(size, offset, network_offset, network_header),
                            choose_by(offset, {link_offset, network_offset - 1},
                                      from_header(size, offset, link_offset, link_header), partials_.rejected())));
    return k <= most_positive ? partials_.choose(positive, bytes_at(size, index, k), wrapped) : wrapped;
  }

  Partial choose_by(Ref value, Interval in, const Partial& a, const Partial& b) {
    return partials_.choose(algebra_.member(value, Set(in)), a, b);
  }

  Partial from_header(std::uint32_t size, Ref offset, std::uint32_t base, std::uint32_t header) {
    return bytes_at(size, algebra_.binary(Arith::Add, offset, algebra_.constant(header - base)), 0);
  }

  Partial bytes_at(std::uint32_t size, Ref index, std::uint32_t k) {
    const Ref address = algebra_.binary(Arith::Add, index, algebra_.constant(k));
    return partials_.then(partials_.guard(index, std::uint64_t{k} + size), partials_.sure(algebra_.load(size, address)));
  }

  // ---- results ---------------------------------------------------------------------------------------

  Meaning results() {
    std::vector<std::optional<Partial>> from(code_.size());
    for (std::size_t i = code_.size(); i-- > 0;) {
      if (!steps_[i]) continue;
      const Step& s = *steps_[i];
      if (is_return(code_[i])) {
        from[i] = partials_.sure(s.returned);
        continue;
      }
      const Partial next = s.condition ? partials_.choose(*s.condition, *from[s.t], *from[s.f]) : *from[s.t];
      from[i] = partials_.returned(partials_.then(s.passes, next));
    }
    return {from[0]->value, from[0]->within};
  }

  const std::vector<Instruction>& code_;
  Algebra& algebra_;
  Partials partials_;
  Machine machine_;
  std::vector<Mask> live_;
  std::vector<std::vector<std::size_t>> into_;   ///< the instructions from which there is a way to this one
  std::vector<Places> held_;                 ///< behind each instruction
  std::vector<std::optional<Step>> steps_;   ///< nothing: never reached
  std::vector<std::size_t> above_;           ///< the last instruction that all ways to this one come by
};

}  // namespace

Meaning meaning_of(const cbpf::Program& p, Algebra& algebra, Extent extent, Machine machine) {
  return Evaluation(p, algebra, extent, machine).run();
}

}  // namespace weir::prove
