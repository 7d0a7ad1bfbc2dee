// Where ways part, meet and end.
#include <fmt/format.h>

#include "ebpf/decode.hpp"
#include "prove/ebpf_step.hpp"

namespace weir::prove {
namespace {

namespace op = ebpf::op;
using ebpf::operation;

constexpr std::uint32_t top = 0xffffffff, sign = 0x80000000;
constexpr std::uint64_t minus_one = ~std::uint64_t{0};

/// The operation with its sides exchanged.
std::uint8_t mirrored(std::uint8_t operation) {
  switch (operation) {
    case op::JGT: return op::JLT;
    case op::JLT: return op::JGT;
    case op::JGE: return op::JLE;
    case op::JLE: return op::JGE;
    default: return operation;
  }
}

}  // namespace

Ref Stepper::taken(std::size_t at, const State& s) try {
  const Instruction& i = p_.instructions[at];
  const Content a = s.registers[i.dst];
  const Content b = ebpf::takes_register(i) ? s.registers[i.src] : Content(words_.number(extended(i.imm)));
  if (!is_scalar(a) || !is_scalar(b)) {
    const auto* zero = std::get_if<ZeroWhen>(&a);
    if (ebpf::class_of(i) == op::JMP32 && !(zero && zero->is_short)) throw NotUnderstood{};  // the lower half alone
    return compare_places(operation(i), a, b);
  }
  Scalar x = std::get<Scalar>(a), y = std::get<Scalar>(b);
  if (ebpf::class_of(i) == op::JMP32) {
    x = words_.extended(x.low);
    y = words_.extended(y.low);
  }
  const bool is_signed = operation(i) == op::JSGT || operation(i) == op::JSGE || operation(i) == op::JSLT || operation(i) == op::JSLE;
  if (is_signed) {
    const Word flip = words_.constant(sign);
    for (Scalar* v : {&x, &y}) {
      Word& half = ebpf::class_of(i) == op::JMP32 ? v->low : v->high;
      half = words_.arith(Arith::Xor, half, flip);
    }
  }
  return compare(operation(i), x, y);
} catch (const NotUnderstood&) {
  throw GivenUp(fmt::format("{} is not understood here", ebpf::name(p_, at)));
}

/// A function that loads returns -1 where nothing is: whoever has asked for that has what was loaded, and no choice any more.
void Stepper::learn(std::size_t at, bool is_taken, State& s) {
  const Instruction& i = p_.instructions[at];
  const bool asks = ebpf::class_of(i) == op::JMP && !ebpf::takes_register(i) && i.imm == 0 &&
                    (operation(i) == op::JSLT || operation(i) == op::JSGE);
  const Content asked = s.registers[i.dst];
  if (!asks || !is_scalar(asked) || !std::get<Scalar>(asked).or_error) return;
  const bool is_error = is_taken == (operation(i) == op::JSLT);
  const Scalar known = is_error ? words_.number(minus_one) : words_.extended(*std::get<Scalar>(asked).or_error);
  for (Content& c : s.registers)
    if (c == asked) c = known;
}

/// Whether all of the packet is linear.
Ref Stepper::is_linear() {
  const Ref start = algebra_.constant(0);
  return algebra_.compare(Relation::Equal, algebra_.room(Bytes::Linear, start), algebra_.room(Bytes::Length, start));
}

Scalar Stepper::linear_length() {
  const Ref room = algebra_.room(Bytes::Linear, algebra_.constant(0));
  return words_.extended({algebra_.binary(Arith::Sub, room, algebra_.constant(1)), 0, {}});
}

/// a > b and the like where one is a length and the other something that is measured against it, as guards measure.
std::optional<Ref> Stepper::against_length(std::uint8_t operation, const Scalar& a, const Scalar& b) {
  const Scalar length = words_.extended({algebra_.length(), 0, {}});
  const auto there = [&](const Sum& s, std::uint64_t more) { return partials_.guard(s.base, s.k + more).there; };
  if (a.sum && b == length) {
    switch (operation) {
      case op::JGT: return algebra_.negation(there(*a.sum, 0));
      case op::JLE: return there(*a.sum, 0);
      case op::JGE: return algebra_.negation(there(*a.sum, 1));
      case op::JLT: return there(*a.sum, 1);
      default: return std::nullopt;
    }
  }
  const bool is_linear_length = a == linear_length();
  if (is_linear_length && b.low.known && b.high.known == 0u && *b.low.known < longest_packet) {
    const PacketPlace start{algebra_.constant(0), *b.low.known};
    switch (operation) {
      case op::JGE: return fits(start, 0);
      case op::JLT: return algebra_.negation(fits(start, 0));
      case op::JGT: return fits(start, 1);
      case op::JLE: return algebra_.negation(fits(start, 1));
      default: return std::nullopt;
    }
  }
  if (is_linear_length && b == length) {  // it is never greater
    switch (operation) {
      case op::JEQ:
      case op::JGE: return is_linear();
      case op::JNE:
      case op::JLT: return algebra_.negation(is_linear());
      case op::JGT: return algebra_.truth(false);
      case op::JLE: return algebra_.truth(true);
      default: return std::nullopt;
    }
  }
  return std::nullopt;
}

Ref Stepper::compare(std::uint8_t operation, const Scalar& a, const Scalar& b) {
  if (const auto known = against_length(operation, a, b)) return *known;
  if (const auto known = against_length(mirrored(operation), b, a)) return *known;
  switch (operation) {
    case op::JEQ: return words_.compare(Relation::Equal, a, b);
    case op::JNE: return algebra_.negation(words_.compare(Relation::Equal, a, b));
    case op::JSET: return words_.compare(Relation::Bits, a, b);
    case op::JGT:
    case op::JSGT: return words_.compare(Relation::Greater, a, b);
    case op::JGE:
    case op::JSGE: return words_.compare(Relation::GreaterEqual, a, b);
    case op::JLT:
    case op::JSLT: return words_.compare(Relation::Greater, b, a);
    case op::JLE:
    case op::JSLE: return words_.compare(Relation::GreaterEqual, b, a);
    default: throw NotUnderstood{};
  }
}

Ref Stepper::fits(const PacketPlace& place, std::int64_t more) {
  const std::int64_t count = place.displacement + more;
  if (count < 0 || count > longest_packet) throw NotUnderstood{};
  const Set enough(Interval{static_cast<std::uint32_t>(count) + 1, top});
  // What is linear is part of the packet, perhaps all of it: saying so here lets diagrams do without knowing it.
  const Ref there = partials_.guard(place.index, static_cast<std::uint64_t>(count)).there;
  const Ref near = algebra_.member(algebra_.room(Bytes::Linear, place.index), enough);
  return algebra_.choose(is_linear(), there, algebra_.both(near, there));
}

Ref Stepper::compare_places(std::uint8_t operation, const Content& a, const Content& b) {
  if (const auto* found = std::get_if<Found>(&a); found && is_scalar(b) && std::get<Scalar>(b) == words_.number(0)) {
    if (operation == op::JEQ) return algebra_.negation(found->present);
    if (operation == op::JNE) return found->present;
  }
  if (const auto* zero = std::get_if<ZeroWhen>(&a); zero && is_scalar(b) && std::get<Scalar>(b) == words_.number(0)) {
    if (operation == op::JEQ) return zero->truth;
    if (operation == op::JNE) return algebra_.negation(zero->truth);
  }
  const auto* place = std::get_if<PacketPlace>(&a);
  if (place && std::holds_alternative<PacketEnd>(b)) {
    switch (operation) {
      case op::JGT: return algebra_.negation(fits(*place, 0));
      case op::JLE: return fits(*place, 0);
      case op::JGE: return algebra_.negation(fits(*place, 1));
      case op::JLT: return fits(*place, 1);
      default: break;
    }
  }
  const auto* other = std::get_if<PacketPlace>(&b);
  if (other && std::holds_alternative<PacketEnd>(a)) {
    switch (operation) {
      case op::JGE: return fits(*other, 0);
      case op::JLT: return algebra_.negation(fits(*other, 0));
      case op::JGT: return fits(*other, 1);
      case op::JLE: return algebra_.negation(fits(*other, 1));
      default: break;
    }
  }
  throw NotUnderstood{};
}

// ---- where ways meet and end ------------------------------------------------------------------------------------

Content Stepper::choose(Ref truth, const Content& a, const Content& b) {
  if (a == b) return a;
  if (is_scalar(a) && is_scalar(b)) {
    const auto& x = std::get<Scalar>(a);
    const auto& y = std::get<Scalar>(b);
    return Scalar{words_.choose(truth, x.low, y.low), words_.choose(truth, x.high, y.high), {}, {}, or_error(x, y)};
  }
  const auto *p = std::get_if<PacketPlace>(&a), *q = std::get_if<PacketPlace>(&b);
  if (p && q && p->displacement == q->displacement) return PacketPlace{algebra_.choose(truth, p->index, q->index), p->displacement};
  const auto *f = std::get_if<Found>(&a), *g = std::get_if<Found>(&b);
  if (f && g) return Found{algebra_.choose(truth, f->present, g->present)};
  return std::monostate{};
}

/// What one of the two is, where the other is -1, and it is not.
std::optional<Word> Stepper::or_error(const Scalar& a, const Scalar& b) {
  const Scalar error = words_.number(minus_one);
  if (b == error && a.high.known == 0u) return a.low;
  if (a == error && b.high.known == 0u) return b.low;
  return std::nullopt;
}

State Stepper::choose(Ref truth, const State& a, const State& b) {
  State s;
  for (std::size_t r = 0; r < s.registers.size(); ++r) s.registers[r] = choose(truth, a.registers[r], b.registers[r]);
  const auto& left = a.stack.slots();
  const auto& right = b.stack.slots();
  for (auto i = left.begin(), j = right.begin(); i != left.end() && j != right.end();) {
    if (i->offset != j->offset) {
      i->offset < j->offset ? ++i : ++j;
      continue;
    }
    if (i->size == j->size && i->holds.index() == j->holds.index()) {
      Slot both = *i;
      if (auto* copied = std::get_if<Copied>(&both.holds))
        copied->address = algebra_.choose(truth, copied->address, std::get<Copied>(j->holds).address);
      else both.holds = std::get<Scalar>(choose(truth, std::get<Scalar>(i->holds), std::get<Scalar>(j->holds)));
      s.stack.slots().push_back(std::move(both));
    }
    ++i, ++j;
  }
  return s;
}

Ref Stepper::verdict(const State& s) try {
  const Word returned = scalar(s, 0).low;
  const Ref rejects = words_.compare(Relation::Equal, returned, words_.constant(static_cast<std::uint32_t>(p_.no_match)));
  const Ref accepted = is_socket(p_.hook) && p_.no_match == 0 ? words_.plain(returned) : algebra_.constant(1);
  return algebra_.choose(rejects, algebra_.constant(0), accepted);
} catch (const NotUnderstood&) {
  throw GivenUp("what the program returns is not understood");
}

}  // namespace weir::prove
