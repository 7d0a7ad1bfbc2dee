#include "prove/smt.hpp"

#include <fmt/format.h>

#include <string>

namespace weir::prove {
namespace {

constexpr std::uint32_t top = 0xffffffff;

/// What a packet that is found should be like, the best first.
struct Preference {
  std::uint32_t most;  ///< bytes, captured and on the wire
  bool all_near;       ///< also loads that this packet never gets to are within them
};
constexpr Preference preferences[] = {{1500, true}, {1500, false}, {1u << 16, false}, {1u << 24, false}};

std::optional<std::uint32_t> number_of(const z3::expr& e) {
  std::uint64_t n = 0;
  if (!e.is_numeral_u64(n)) return std::nullopt;
  return static_cast<std::uint32_t>(n);
}

}  // namespace

Smt::Smt()
    : packet_(context_.constant("packet", context_.array_sort(context_.bv_sort(32), context_.bv_sort(8)))),
      captured_(context_.bv_const("captured", 32)), length_(context_.bv_const("length", 32)),
      linear_(context_.bv_const("linear", 32)) {}

Ref Smt::keep(const z3::expr& e) {
  const auto [entry, is_new] = known_.emplace(e.id(), Ref{static_cast<std::uint32_t>(exprs_.size())});
  if (is_new) exprs_.push_back(e);
  return entry->second;
}

// ---- values -------------------------------------------------------------------------------------------

Ref Smt::constant(std::uint32_t k) { return keep(number(k)); }
Ref Smt::length() { return keep(length_); }

Ref Smt::meta(Meta m) {
  const auto known = metas_.find(m);
  if (known != metas_.end()) return keep(known->second);
  const std::string name = fmt::format("meta{}", static_cast<int>(m));
  return keep(metas_.emplace(m, context_.bv_const(name.c_str(), 32)).first->second);
}

/// Bytes at constant offsets are variables of their own: a solver without arrays is quicker.
z3::expr Smt::byte_at(const z3::expr& address) {
  const auto k = number_of(address);
  if (!k) return z3::select(packet_, address);
  const auto known = bytes_.find(*k);
  if (known != bytes_.end()) return known->second;
  return bytes_.emplace(*k, context_.bv_const(fmt::format("byte{}", *k).c_str(), 8)).first->second;
}

Ref Smt::load(std::uint32_t size, Ref address) {
  const z3::expr from = at(address).simplify();
  if (!number_of(from)) addresses_.push_back(from);
  z3::expr_vector parts(context_);
  for (std::uint32_t n = 0; n < size; ++n) parts.push_back(byte_at((from + number(n)).simplify()));
  const z3::expr all = size == 1 ? parts[0] : z3::concat(parts);
  return keep(size == 4 ? all : z3::zext(all, 32 - 8 * size));
}

Ref Smt::binary(Arith op, Ref x, Ref y) {
  const z3::expr a = at(x), b = at(y);
  switch (op) {
    case Arith::Add: return keep(a + b);
    case Arith::Sub: return keep(a - b);
    case Arith::Mul: return keep(a * b);
    case Arith::Div: return keep(z3::udiv(a, b));
    case Arith::Mod: return keep(z3::urem(a, b));
    case Arith::And: return keep(a & b);
    case Arith::Or: return keep(a | b);
    case Arith::Xor: return keep(a ^ b);
    case Arith::Lsh: return keep(z3::shl(a, b));
    case Arith::Rsh: return keep(z3::lshr(a, b));
  }
  return constant(0);
}

Ref Smt::room(Bytes of, Ref offset) {
  const z3::expr from = at(offset), all = of == Bytes::Captured ? captured_ : of == Bytes::Length ? length_ : linear_;
  return keep(z3::ite(z3::ule(from, all), all - from + number(1), number(0)));
}

// ---- truths -------------------------------------------------------------------------------------------

Ref Smt::truth(bool t) { return keep(context_.bool_val(t)); }

Ref Smt::compare(Relation op, Ref x, Ref y) {
  const z3::expr a = at(x), b = at(y);
  switch (op) {
    case Relation::Equal: return keep(a == b);
    case Relation::Greater: return keep(z3::ugt(a, b));
    case Relation::GreaterEqual: return keep(z3::uge(a, b));
    case Relation::Bits: return keep((a & b) != number(0));
  }
  return truth(false);
}

z3::expr Smt::between(const z3::expr& value, Interval i) {
  if (i.low == i.high) return value == number(i.low);
  if (i.low == 0) return z3::ule(value, number(i.high));
  if (i.high == top) return z3::uge(value, number(i.low));
  return z3::uge(value, number(i.low)) && z3::ule(value, number(i.high));
}

/// Large sets are trees, so that what a solver learns of an upper level serves all below it.
z3::expr Smt::in(const z3::expr& value, std::span<const Interval> intervals) {
  if (intervals.size() <= 4) {
    z3::expr_vector any(context_);
    for (const Interval i : intervals) any.push_back(between(value, i));
    return any.size() == 1 ? any[0] : z3::mk_or(any);
  }
  const std::size_t half = intervals.size() / 2;
  return z3::ite(z3::uge(value, number(intervals[half].low)), in(value, intervals.subspan(half)), in(value, intervals.first(half)));
}

Ref Smt::member(Ref value, const Set& set) {
  if (set.empty()) return truth(false);
  if (set.is_everything()) return truth(true);
  return keep(in(at(value), set.intervals()));
}

Ref Smt::choose(Ref c, Ref a, Ref b) {
  if (a == b) return a;
  const z3::expr when = at(c);
  if (when.is_true()) return a;
  if (when.is_false()) return b;
  const z3::expr x = at(a), y = at(b);
  if (!x.is_bool()) return keep(z3::ite(when, x, y));
  if (x.is_true()) return y.is_false() ? c : keep(when || y);
  if (x.is_false()) return keep(y.is_true() ? !when : !when && y);
  if (y.is_false()) return keep(when && x);
  if (y.is_true()) return keep(!when || x);
  return keep(z3::ite(when, x, y));
}

// ---- packets ------------------------------------------------------------------------------------------

void Smt::assert_packet(z3::solver& solver) {
  solver.add(z3::ule(captured_, number(longest_packet)) && z3::ule(linear_, length_));
  if (addresses_.empty()) return;
  for (const auto& [offset, byte] : bytes_) solver.add(z3::select(packet_, number(offset)) == byte);
}

Smt::Verdict Smt::solve(Ref truth, bool real_lengths, double seconds) try {
  z3::solver solver(context_, addresses_.empty() ? "QF_BV" : "QF_ABV");
  z3::params limits(context_);
  limits.set("timeout", static_cast<unsigned>(std::max(seconds, 0.001) * 1000));
  solver.set(limits);
  assert_packet(solver);
  if (real_lengths) solver.add(z3::ule(captured_, length_));
  solver.add(at(truth));
  switch (solver.check()) {
    case z3::unsat: return {Found::Never, {}};
    case z3::unknown: return {Found::Unknown, {}};
    case z3::sat: break;
  }
  Verdict found{Found::Sometimes, model_of(solver.get_model())};
  for (const Preference& p : preferences) {
    solver.push();
    solver.add(z3::ule(captured_, number(p.most)) && z3::ule(length_, number(p.most)));
    if (p.all_near)
      for (const z3::expr& address : addresses_) solver.add(z3::ule(address, number(p.most)));
    if (solver.check() == z3::sat) {
      found.model = model_of(solver.get_model());
      break;
    }
    solver.pop();
  }
  return found;
} catch (const z3::exception& error) {
  throw GivenUp(fmt::format("Z3: {}", error.msg()));
}

Model Smt::model_of(const z3::model& m) {
  const auto value = [&](const z3::expr& e) { return number_of(m.eval(e, true)).value_or(0); };
  Model found;
  found.captured = value(captured_);
  found.length = value(length_);
  found.linear = value(linear_);
  for (const auto& [offset, byte] : bytes_)
    if (const auto b = value(byte)) found.bytes[offset] = static_cast<std::uint8_t>(b);
  for (const z3::expr& address : addresses_)
    for (std::uint32_t n = 0; n < 4; ++n)
      if (const auto b = value(z3::select(packet_, address + number(n))))
        found.bytes[value(address + number(n))] = static_cast<std::uint8_t>(b);
  const std::pair<Meta, std::uint32_t*> fields[] = {
      {Meta::Protocol, &found.meta.protocol}, {Meta::PacketType, &found.meta.packet_type},
      {Meta::InterfaceIndex, &found.meta.interface_index}, {Meta::VlanTag, &found.meta.vlan_tag},
      {Meta::VlanTagPresent, &found.meta.vlan_tag_present}, {Meta::VlanProtocol, &found.meta.vlan_protocol}};
  for (const auto& [meta, field] : fields)
    if (const auto known = metas_.find(meta); known != metas_.end()) *field = value(known->second);
  return found;
}

}  // namespace weir::prove
