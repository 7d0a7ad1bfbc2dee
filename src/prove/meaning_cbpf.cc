// vm/cbpf.cc with formulas. Forward once, for what registers and scratch words hold at each instruction; back once, for
// what is returned from each on.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include <fmt/format.h>

#include "cbpf/opcodes.hpp"
#include "prove/partial.hpp"

namespace weir::prove {
namespace {

using cbpf::Instruction;
using cbpf::Opcode;
using vm::Machine;

constexpr std::uint32_t network_offset = 0xfff00000, link_offset = 0xffe00000, network_header = 14, link_header = 0;
constexpr std::uint32_t most_positive = 0x7fffffff;
constexpr std::uint32_t xor_x = meta_offset + 40;

/// Registers and scratch words, as numbers of bits and places.
constexpr std::size_t A = 0, X = 1, scratch = 2, places = scratch + cbpf::scratch_words;
using Places = std::array<Ref, places>;
using Mask = std::uint32_t;
constexpr Mask bit(std::size_t place) { return Mask{1} << place; }

/// Which places an instruction reads and which it writes.
struct Use {
  Mask reads = 0;
  Mask writes = 0;
};

Use use_of(const Instruction& i) {
  namespace op = cbpf::op;
  const bool with_x = (i.code & op::X) != 0;
  const auto mode = static_cast<std::uint16_t>(i.code & 0xe0);
  switch (i.code & 0x07) {
    case op::LD: {
      if (mode == op::IND) return {bit(X), bit(A)};
      if (mode == op::MEM) return {bit(scratch + i.k), bit(A)};
      return {mode == op::ABS && i.k == xor_x ? bit(A) | bit(X) : 0, bit(A)};
    }
    case op::LDX: return {mode == op::MEM ? bit(scratch + i.k) : 0, bit(X)};
    case op::ST: return {bit(A), bit(scratch + i.k)};
    case op::STX: return {bit(X), bit(scratch + i.k)};
    case op::ALU: return {with_x ? bit(A) | bit(X) : bit(A), bit(A)};
    case op::JMP: return {(i.code & 0xf0) == op::JA ? 0 : with_x ? bit(A) | bit(X) : bit(A), 0};
    case op::RET: return {static_cast<Opcode>(i.code) == Opcode::RetA ? bit(A) : 0, 0};
    default: return static_cast<Opcode>(i.code) == Opcode::Tax ? Use{bit(A), bit(X)} : Use{bit(X), bit(A)};
  }
}

bool is_jump(const Instruction& i) { return (i.code & 0x07) == cbpf::op::JMP; }
bool is_return(const Instruction& i) { return (i.code & 0x07) == cbpf::op::RET; }

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

  Step step(std::size_t at, Places& p) {
    const Instruction& i = code_[at];
    const auto code = static_cast<Opcode>(i.code);
    Step s{.passes = partials_.sure(partials_.yes()), .condition = {}, .t = at + 1};
    const Ref k = is_return(i) || code == Opcode::Ja ? algebra_.constant(0) : algebra_.constant(i.k);
    const Ref zero = algebra_.constant(0);
    const auto load = [&](std::size_t place, const Partial& loaded) {
      s.passes = loaded;
      p[place] = loaded.value;
    };
    const auto compute = [&](Arith op, Ref with) {
      if (op == Arith::Div || op == Arith::Mod) s.passes = partials_.nonzero(with);
      if (machine_ == Machine::Kernel && (op == Arith::Lsh || op == Arith::Rsh))
        with = algebra_.binary(Arith::And, with, algebra_.constant(31));
      p[A] = algebra_.binary(op, p[A], with);
    };
    const auto jump = [&](Relation op, Ref with) {
      s.condition = algebra_.compare(op, p[A], with);
      s.t = at + 1 + i.jt;
      s.f = at + 1 + i.jf;
      if (s.t == s.f) s.condition.reset();
    };
    switch (code) {
      case Opcode::LdImm: p[A] = k; break;
      case Opcode::LdAbsW: load(A, absolute(4, i.k, p)); break;
      case Opcode::LdAbsH: load(A, absolute(2, i.k, p)); break;
      case Opcode::LdAbsB: load(A, absolute(1, i.k, p)); break;
      case Opcode::LdIndW: load(A, bytes(4, p[X], i.k)); break;
      case Opcode::LdIndH: load(A, bytes(2, p[X], i.k)); break;
      case Opcode::LdIndB: load(A, bytes(1, p[X], i.k)); break;
      case Opcode::LdxMsh: {
        load(X, bytes(1, zero, i.k));
        const Ref nibble = algebra_.binary(Arith::And, p[X], algebra_.constant(0xf));
        p[X] = algebra_.binary(Arith::Lsh, nibble, algebra_.constant(2));
        break;
      }
      case Opcode::LdMem: p[A] = p[scratch + i.k]; break;
      case Opcode::LdxMem: p[X] = p[scratch + i.k]; break;
      case Opcode::St: p[scratch + i.k] = p[A]; break;
      case Opcode::Stx: p[scratch + i.k] = p[X]; break;
      case Opcode::LdLen: p[A] = algebra_.length(); break;
      case Opcode::LdxLen: p[X] = algebra_.length(); break;
      case Opcode::LdxImm: p[X] = k; break;
      case Opcode::AddK: compute(Arith::Add, k); break;
      case Opcode::SubK: compute(Arith::Sub, k); break;
      case Opcode::MulK: compute(Arith::Mul, k); break;
      case Opcode::DivK: compute(Arith::Div, k); break;
      case Opcode::ModK: compute(Arith::Mod, k); break;
      case Opcode::AndK: compute(Arith::And, k); break;
      case Opcode::OrK: compute(Arith::Or, k); break;
      case Opcode::XorK: compute(Arith::Xor, k); break;
      case Opcode::LshK: compute(Arith::Lsh, k); break;
      case Opcode::RshK: compute(Arith::Rsh, k); break;
      case Opcode::AddX: compute(Arith::Add, p[X]); break;
      case Opcode::SubX: compute(Arith::Sub, p[X]); break;
      case Opcode::MulX: compute(Arith::Mul, p[X]); break;
      case Opcode::DivX: compute(Arith::Div, p[X]); break;
      case Opcode::ModX: compute(Arith::Mod, p[X]); break;
      case Opcode::AndX: compute(Arith::And, p[X]); break;
      case Opcode::OrX: compute(Arith::Or, p[X]); break;
      case Opcode::XorX: compute(Arith::Xor, p[X]); break;
      case Opcode::LshX: compute(Arith::Lsh, p[X]); break;
      case Opcode::RshX: compute(Arith::Rsh, p[X]); break;
      case Opcode::Neg: p[A] = algebra_.binary(Arith::Sub, zero, p[A]); break;
      case Opcode::Ja: s.t = at + 1 + i.k; break;
      case Opcode::JeqK: jump(Relation::Equal, k); break;
      case Opcode::JgtK: jump(Relation::Greater, k); break;
      case Opcode::JgeK: jump(Relation::GreaterEqual, k); break;
      case Opcode::JsetK: jump(Relation::Bits, k); break;
      case Opcode::JeqX: jump(Relation::Equal, p[X]); break;
      case Opcode::JgtX: jump(Relation::Greater, p[X]); break;
      case Opcode::JgeX: jump(Relation::GreaterEqual, p[X]); break;
      case Opcode::JsetX: jump(Relation::Bits, p[X]); break;
      case Opcode::RetK: s.returned = algebra_.constant(i.k); break;
      case Opcode::RetA: s.returned = p[A]; break;
      case Opcode::Tax: p[X] = p[A]; break;
      case Opcode::Txa: p[A] = p[X]; break;
    }
    return s;
  }

  // ---- loads -----------------------------------------------------------------------------------------

  Partial absolute(std::uint32_t size, std::uint32_t k, const Places& p) {
    if (k < meta_offset) return bytes(size, algebra_.constant(0), k);
    const auto meta = static_cast<Meta>(k - meta_offset);
    const bool is_vlan = meta == Meta::VlanTag || meta == Meta::VlanTagPresent;
    if (machine_ == Machine::Libpcap) return size == 1 && is_vlan ? partials_.sure(algebra_.meta(meta)) : partials_.rejected();
    if (k == xor_x) return partials_.sure(algebra_.binary(Arith::Xor, p[A], p[X]));
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
    const Partial wrapped = choose_by(offset, {0, most_positive}, bytes_at(size, offset, 0),
                                      choose_by(offset, {network_offset, 0xffffffff}, from_header(size, offset, network_offset, network_header),
                                                choose_by(offset, {link_offset, network_offset - 1}, from_header(size, offset, link_offset, link_header),
                                                          partials_.rejected())));
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
