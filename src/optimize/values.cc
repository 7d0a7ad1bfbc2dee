// Values and tests in their one form. Every rule keeps the value for every packet.
#include <bit>
#include <optional>
#include <utility>

#include "ir/ranges.hpp"
#include "optimize/passes.hpp"
#include "optimize/rewrite.hpp"

namespace weir::optimize {
namespace {

using namespace ir;

/// Makes values and nodes of a program in their one form, from values and ways out that are in theirs.
class Rules {
 public:
  explicit Rules(Program& p) : p_(p), ranges_(p) {}
  virtual ~Rules() = default;

  ValueId value(const Value& v, Span span) {
    switch (v.kind) {
      case ValueKind::Binary: return binary(v.arith(), v.a, v.b, span);
      case ValueKind::Negate: return k(v.a) ? p_.constant(0u - *k(v.a)) : add(v, span);
      case ValueKind::Load: return load(v, span);
      case ValueKind::Choice: return choice(v, span);
      default: return add(v, span);
    }
  }

  NodeId node(const Node& n, bool is_in_choice, Span span) {
    if (n.kind == NodeKind::NonZero) return nonzero(n, is_in_choice, span);
    if (n.kind == NodeKind::Guard) return guard(n, is_in_choice, span);
    if (n.kind == NodeKind::Member) return member(n.a, p_.set_of(n), n.t, n.f, span);
    return n.kind == NodeKind::Test ? test(n.relation(), n.a, n.b, n.t, n.f, span) : add(n, span);
  }

 private:
  // What comes out.
  virtual ValueId add(const Value& v, Span span) = 0;
  virtual NodeId add(const Node& n, Span span) = 0;
  NodeId add(Relation op, ValueId a, ValueId b, NodeId t, NodeId f, Span span) {
    return add(Node{NodeKind::Test, static_cast<std::uint8_t>(op), 0, a, b, t, f}, span);
  }

  std::optional<std::uint32_t> k(ValueId v) const { return constant_of(p_, v); }

  // ---- arithmetic ----------------------------------------------------------------------------------

  ValueId binary(Arith op, ValueId a, ValueId b, Span span) {
    const auto x = k(a), y = k(b);
    if (x && y)
      if (const auto folded = apply(op, *x, *y)) return p_.constant(*folded);
    if (x && !y && commutes(op)) return binary(op, b, a, span);
    if (y)
      if (const auto same = with_constant(op, a, *y, span)) return *same;
    if (op == Arith::Add && !y)
      if (const auto sum = constant_outside(a, b, span)) return *sum;
    if (a == b && op == Arith::And) return a;  // x & x == x
    if (a == b && op == Arith::Or) return a;   // x | x == x
    if (op == Arith::Or)
      for (const auto& [low, high] : {std::pair(a, b), std::pair(b, a)})
        if (const auto swapped = little_endian(low, high, span)) return *swapped;
    return add(Value{ValueKind::Binary, static_cast<std::uint8_t>(op), 0, a, b}, span);
  }

  /// (x + c) + y == x + (y + c) == (x + y) + c: the constant ends up in the load that the sum is for.
  std::optional<ValueId> constant_outside(ValueId a, ValueId b, Span span) {
    for (const auto& [sum, other] : {std::pair(a, b), std::pair(b, a)}) {
      const Value v = p_[sum];
      if (v.kind == ValueKind::Binary && v.arith() == Arith::Add && k(v.b))
        return binary(Arith::Add, binary(Arith::Add, sum == a ? v.a : other, sum == a ? other : v.a, span), v.b, span);
    }
    return std::nullopt;
  }

  /// [k:1] | [k+1:1] << 8 == [k:2] * 0x1000100 >> 16: the product of bytes a and b is b, a, b, 0.
  std::optional<ValueId> little_endian(ValueId low, ValueId high, Span span) {
    const Value shifted = p_[high];
    if (shifted.kind != ValueKind::Binary || shifted.arith() != Arith::Lsh || k(shifted.b) != 8) return std::nullopt;
    const Value first = p_[low], second = p_[shifted.a];
    const auto is_byte = [](const Value& v) { return v.kind == ValueKind::Load && v.size() == 1; };
    if (!is_byte(first) || !is_byte(second) || first.a != second.a || second.k == 0 || first.k != second.k - 1) return std::nullopt;
    const ValueId both = binary(Arith::Mul, p_.load(2, first.a, first.k, span), p_.constant(0x01000100), span);
    return binary(Arith::Rsh, both, p_.constant(16), span);
  }

  static bool commutes(Arith op) {
    return op == Arith::Add || op == Arith::Mul || op == Arith::And || op == Arith::Or || op == Arith::Xor;
  }

  std::optional<ValueId> with_constant(Arith op, ValueId a, std::uint32_t y, Span span) {
    switch (op) {
      case Arith::Add: return y == 0 ? a : reassociated(op, a, y, span);                             // x + 0 == x
      case Arith::Sub: return y == 0 ? a : binary(Arith::Add, a, p_.constant(0u - y), span);        // x - k == x + -k
      case Arith::Mul: return y == 0 ? std::optional(p_.constant(0))                                // x * 0 == 0
                              : y == 1 ? std::optional(a)                                            // x * 1 == x
                              : std::has_single_bit(y) ? std::optional(shift(Arith::Lsh, a, y, span))  // x * 2^n == x << n
                                                       : std::nullopt;
      case Arith::Div: return y == 1 ? std::optional(a)                                              // x / 1 == x
                              : std::has_single_bit(y) ? std::optional(shift(Arith::Rsh, a, y, span))  // x / 2^n == x >> n
                                                       : std::nullopt;
      case Arith::Mod: return std::has_single_bit(y) ? std::optional(binary(Arith::And, a, p_.constant(y - 1), span))
                                                     : std::nullopt;                                 // x % 2^n == x & (2^n - 1)
      case Arith::And: return masked(a, y, span);
      case Arith::Or: return y == 0 ? a : reassociated(op, a, y, span);                              // x | 0 == x
      case Arith::Xor: return y == 0 ? a : reassociated(op, a, y, span);                             // x ^ 0 == x
      case Arith::Lsh:
      case Arith::Rsh: return y == 0 ? std::optional(a) : y > 31 ? std::optional(p_.constant(0)) : std::nullopt;
    }
    return std::nullopt;
  }

  ValueId shift(Arith op, ValueId a, std::uint32_t power, Span span) {
    return binary(op, a, p_.constant(static_cast<std::uint32_t>(std::countr_zero(power))), span);
  }

  /// (x op c) op y == x op (c op y)
  std::optional<ValueId> reassociated(Arith op, ValueId a, std::uint32_t y, Span span) {
    const Value inner = p_[a];
    if (inner.kind != ValueKind::Binary || inner.arith() != op || !k(inner.b)) return std::nullopt;
    return binary(op, inner.a, p_.constant(*apply(op, *k(inner.b), y)), span);
  }

  /// x & m == 0 where m has none of the bits that x can have, and x where it has all of them; else as `reassociated`.
  std::optional<ValueId> masked(ValueId a, std::uint32_t mask, Span span) {
    const std::uint32_t high = ranges_.of(a).high;
    const std::uint32_t possible = high ? 0xffffffff >> std::countl_zero(high) : 0;
    if ((possible & mask) == 0) return p_.constant(0);
    if ((possible & ~mask) == 0) return a;
    return reassociated(Arith::And, a, mask, span);
  }

  // ---- loads and choices -----------------------------------------------------------------------------

  /// [c + d] == [c+d] and [(x + c) + d] == [x + (c+d)], where neither sum wraps. (A sum that passes 2^32 is never captured, and stays.)
  ValueId load(Value v, Span span) {
    if (v.a == no_value) return add(v, span);
    if (const auto base = k(v.a)) {
      if (*base <= 0xffffffff - v.k) return add(Value{ValueKind::Load, v.detail, *base + v.k}, span);
      return add(v, span);
    }
    const Value inner = p_[v.a];
    if (inner.kind == ValueKind::Binary && inner.arith() == Arith::Add && k(inner.b)) {
      const std::uint32_t c = *k(inner.b);
      if (ranges_.of(inner.a).high <= 0xffffffff - c && c <= 0xffffffff - v.k)
        return load({ValueKind::Load, v.detail, v.k + c, inner.a, no_value}, span);
    }
    return add(v, span);
  }

  /// A choice that has only one outcome is that.
  ValueId choice(const Value& v, Span span) {
    const Node& root = p_[v.root()];
    return root.kind == NodeKind::Return ? root.a : add(v, span);
  }

  // ---- tests ---------------------------------------------------------------------------------------

  /// Those that only the end of what is captured stops go: they are placed where they are needed in the end.
  NodeId guard(const Node& n, bool is_in_choice, Span span) {
    const Ranges::Passage passage = ranges_.passage(n);
    if (passage == Ranges::Passage::Always) return n.t;
    return passage == Ranges::Passage::Never && !is_in_choice ? add(Node{NodeKind::Return, 0, 0, p_.constant(0)}, span) : add(n, span);
  }

  /// Machines refuse a division by a constant 0 also where it is never reached: what is behind a check that nothing passes goes.
  NodeId nonzero(Node check, bool is_in_choice, Span span) {
    const Interval range = ranges_.of(check.a);
    if (range.low > 0) return check.t;
    if (range.high > 0) return add(check, span);
    const NodeId rejection = add(Node{NodeKind::Return, 0, 0, p_.constant(0)}, span);
    if (!is_in_choice) return rejection;
    check.t = rejection;
    return add(check, span);
  }

  NodeId test(Relation op, ValueId a, ValueId b, NodeId t, NodeId f, Span span) {
    if (t == f) return t;
    if (a == b && op != Relation::Bits) return op == Relation::Greater ? f : t;  // x == x, x >= x
    if (k(a) && !k(b)) return exchanged(op, a, b, t, f, span);
    if (k(b)) return against_constant(op, a, b, t, f, span);
    return add(op, a, b, t, f, span);
  }

  NodeId exchanged(Relation op, ValueId a, ValueId b, NodeId t, NodeId f, Span span) {
    switch (op) {
      case Relation::Greater: return test(Relation::GreaterEqual, b, a, f, t, span);  // k > x: not x >= k
      case Relation::GreaterEqual: return test(Relation::Greater, b, a, f, t, span);  // k >= x: not x > k
      case Relation::Equal:
      case Relation::Bits: break;
    }
    return test(op, b, a, t, f, span);
  }

  NodeId against_constant(Relation op, ValueId a, ValueId b, NodeId t, NodeId f, Span span) {
    const std::uint32_t y = *k(b);
    const Interval range = ranges_.of(a);
    if (const auto known = decided(op, range, y)) return *known ? t : f;
    if (op == Relation::GreaterEqual && y == range.high) return test(Relation::Equal, a, p_.constant(y), t, f, span);
    if (op == Relation::Greater && y == range.low) return test(Relation::Equal, a, p_.constant(y), f, t, span);
    if (op == Relation::GreaterEqual && y == range.low + 1) return test(Relation::Equal, a, p_.constant(range.low), f, t, span);
    if (op == Relation::Bits && (range.high & ~y) == 0 && y >= range.high && std::has_single_bit(range.high + 1ull))
      return test(Relation::Equal, a, p_.constant(0), f, t, span);  // any bit of x at all: not x == 0
    if (const auto better = on_masked(op, a, y, t, f, span)) return *better;
    return add(op, a, b, t, f, span);
  }

  static std::optional<bool> decided(Relation op, Interval range, std::uint32_t y) {
    switch (op) {
      case Relation::Equal:
        if (y < range.low || y > range.high) return false;
        if (range.low == range.high) return true;
        return std::nullopt;
      case Relation::Greater:
        if (range.low > y) return true;
        if (range.high <= y) return false;
        return std::nullopt;
      case Relation::GreaterEqual:
        if (range.low >= y) return true;
        if (range.high < y) return false;
        return std::nullopt;
      case Relation::Bits: {
        if (range.low == range.high) return (range.low & y) != 0;
        const std::uint32_t possible = range.high ? 0xffffffff >> std::countl_zero(range.high) : 0;
        return (possible & y) == 0 ? std::optional(false) : std::nullopt;
      }
    }
    return std::nullopt;
  }

  /// Tests on x & m: with jset, which leaves x in its register, where it says the same.
  std::optional<NodeId> on_masked(Relation op, ValueId a, std::uint32_t y, NodeId t, NodeId f, Span span) {
    const Value v = p_[a];
    if (v.kind != ValueKind::Binary || v.arith() != Arith::And || !k(v.b)) return std::nullopt;
    const std::uint32_t mask = *k(v.b);
    if (op == Relation::Bits) return test(op, v.a, p_.constant(mask & y), t, f, span);  // (x & m) has a bit of y
    if (op != Relation::Equal) return std::nullopt;
    if (y & ~mask) return f;                                                            // bits outside the mask are 0
    if (y == 0) return test(Relation::Bits, v.a, p_.constant(mask), f, t, span);       // (x & m) == 0
    if (y == mask && std::has_single_bit(mask)) return test(Relation::Bits, v.a, p_.constant(mask), t, f, span);
    if (std::popcount(mask) == 2 && !is_upper(mask, ranges_.of(v.a))) return two_bits(v.a, mask, y, t, f, span);
    return std::nullopt;
  }

  /// A set and what is left of the values that a may have say the same with the ways exchanged: the one that takes
  /// fewer comparisons stands. One interval that begins or ends where a does is a comparison.
  NodeId member(ValueId a, const Set& set, NodeId t, NodeId f, Span span) {
    const Interval range = ranges_.of(a);
    if (is_list_within(set, range) && t != f) return list(a, set, range, t, f, span);
    const Set in = set & Set(range), out = Set(range) - set;
    if (t == f || out.empty()) return t;
    if (in.empty()) return f;
    if (const auto better = comparison(a, in, range, t, f, span)) return *better;
    if (const auto better = comparison(a, out, range, f, t, span)) return *better;
    const std::size_t straight = in.comparisons(range), exchanged = out.comparisons(range);
    const bool exchange = exchanged < straight || (exchanged == straight && out.count() < in.count());
    return exchange ? add(Node{NodeKind::Member, 0, p_.add(out), a, no_value, f, t}, span)
                    : add(Node{NodeKind::Member, 0, p_.add(in), a, no_value, t, f}, span);
  }

  /// Of so many intervals that neither they nor what they leave are one comparison, or a mask of a byte.
  static bool is_list_within(const Set& set, Interval range) {
    constexpr std::size_t many = 8;
    return set.count() >= many && range.high > 0xff && range.low <= set.low() && set.high() <= range.high;
  }

  /// The same for a list, of which what it leaves is made only where that stands.
  NodeId list(ValueId a, const Set& in, Interval range, NodeId t, NodeId f, Span span) {
    const std::size_t out_count = in.count() - 1 + (in.low() > range.low) + (in.high() < range.high);
    const std::size_t straight = in.comparisons(range), exchanged = in.comparisons_of_rest(range);
    if (exchanged < straight || (exchanged == straight && out_count < in.count()))
      return add(Node{NodeKind::Member, 0, p_.add(Set(range) - in), a, no_value, f, t}, span);
    return add(Node{NodeKind::Member, 0, p_.add(in), a, no_value, t, f}, span);
  }

  std::optional<NodeId> comparison(ValueId a, const Set& in, Interval range, NodeId t, NodeId f, Span span) {
    if (in.size() == 1) return test(Relation::Equal, a, p_.constant(in.low()), t, f, span);
    if (in.count() == 1 && in.high() == range.high)
      return test(Relation::GreaterEqual, a, p_.constant(in.low()), t, f, span);
    return range.high <= 0xff && in.count() > 2 ? masked(a, in, range, t, f, span) : std::nullopt;
  }

  /// Numbers of a byte that agree in the bits of a mask, and are all that do: (x & m) == k.
  std::optional<NodeId> masked(ValueId a, const Set& in, Interval range, NodeId t, NodeId f, Span span) {
    if (range != Interval{0, 0xff} || !std::has_single_bit(in.size())) return std::nullopt;
    std::uint32_t common = 0xff;
    for (const Interval i : in.intervals())
      for (std::uint32_t x = i.low; x <= i.high; ++x) common &= ~(x ^ in.low());
    if (in.size() != 1u << (8 - std::popcount(common))) return std::nullopt;
    const ValueId part = binary(Arith::And, a, p_.constant(common), span);
    return test(Relation::Equal, part, p_.constant(in.low() & common), t, f, span);
  }

  /// The mask of all upper bits of a value: a range, which goes together with others.
  static bool is_upper(std::uint32_t mask, Interval range) {
    const std::uint32_t lower = ~mask & (range.high ? 0xffffffff >> std::countl_zero(range.high) : 0);
    return (lower & (lower + 1)) == 0;
  }

  /// (x & m) == k for two bits: x has the one and has not, or has, the other.
  NodeId two_bits(ValueId x, std::uint32_t mask, std::uint32_t y, NodeId t, NodeId f, Span span) {
    const std::uint32_t low = mask & (0u - mask), high = mask ^ low;
    const std::uint32_t first = y & low ? high : low, second = mask ^ first;  // what must be clear goes first
    const NodeId then = add(Relation::Bits, x, p_.constant(second), t, f, span);
    return y & first ? add(Relation::Bits, x, p_.constant(first), then, f, span)
                     : add(Relation::Bits, x, p_.constant(first), f, then, span);
  }

  Program& p_;
  Ranges ranges_;
};

class Values : public Rewrite, Rules {
 public:
  explicit Values(const Program& p)
      : Rewrite(p, Makes::NodesAndValues), Rules(to_), live_(live_nodes(p)), in_choice_(nodes_in_choices(p)) {}

  /// Whether `run` made something other than what was there.
  bool found() const { return found_; }

 private:
  bool wanted(NodeId old) const override { return live_[old]; }
  ValueId make(const Value& v, Span span) override {
    const ValueId id = Rules::value(v, span);
    found_ |= to_[id] != v;
    return id;
  }
  NodeId make(const Node& n, NodeId old, Span span) override {
    const NodeId id = Rules::node(n, in_choice_[old], span);
    found_ |= to_[id] != n;
    return id;
  }
  ValueId add(const Value& v, Span span) override { return to_.add(v, span); }
  NodeId add(const Node& n, Span span) override { return to_.add(n, span); }

  Flags live_;
  Flags in_choice_;  ///< by old node; there, returning 0 would be a value and not a verdict
  bool found_ = false;
};

/// Whether all is in its one form as it is: most graphs are, and need not be made again. Looks until something is not.
class Check : Rules {
 public:
  /// Adds to `p` the value that is not, if there is one.
  explicit Check(Program& p) : Rules(p), program_(p), live_(live_nodes(p)), checked_(p.value_count()) {}

  bool is_simple() {
    for (std::uint32_t i = 0; i < live_.size(); ++i)
      if (live_[i] && !is_simple(NodeId{i})) return false;
    return true;
  }

 private:
  bool is_simple(NodeId id) {
    const Node& n = program_[id];
    if (!is_simple(n.a) || !is_simple(n.b)) return false;
    node_ = &n;
    return node(n, false, {}) == as_it_is && node_;
  }

  bool is_simple(ValueId id) {
    if (id == no_value || checked_[id]) return true;
    const Value v = program_[id];
    if (!is_simple(v.a) || !is_simple(v.b)) return false;
    checked_[id] = true;
    value_ = v;
    id_ = id;
    return value(v, {}) == id;
  }

  ValueId add(const Value& v, Span) override { return v == value_ ? id_ : program_.add(v); }
  NodeId add(const Node& n, Span) override {
    if (node_ && n != *node_) node_ = nullptr;
    return as_it_is;
  }

  static constexpr NodeId as_it_is{0xffffffff};
  Program& program_;
  Flags live_;
  Flags checked_;  ///< by value
  Value value_{};                 ///< that is looked at, or was last
  ValueId id_ = no_value;
  const Node* node_ = nullptr;  ///< that is looked at, as long as nothing else was made of it
};

}  // namespace

bool simplify_values(Program& p) {
  if (Check(p).is_simple()) return false;
  Values values(p);
  p = values.run();
  return values.found();
}

}  // namespace weir::optimize
