// Code is shared where two blocks hold the same instructions and lead to the same places (tails.hpp). Of two tests that differ
// in what they ask of their values or in where they lead, no code is shared, unless that of what they lead to is: so where all
// differ, none is, and everything that a test needs is there once for each.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/column.hpp"
#include "cbpf/emit.hpp"
#include "ir/order.hpp"
#include "ir/ranges.hpp"

namespace weir::cbpf {
namespace {

using namespace ir;

/// A value that is a load, or a load and constants: then no part of it is put aside and fetched.
bool is_plain(const ir::Program& p, ValueId id) {
  const Value& v = p[id];
  switch (v.kind) {
    case ValueKind::Constant:
    case ValueKind::Length:
    case ValueKind::Meta: return true;
    case ValueKind::Load: return v.k <= max_captured - v.size() && (v.a == no_value || is_plain(p, v.a));  // beyond, all is rejected
    case ValueKind::Binary: {
      const auto k = constant_of(p, v.b);
      return k && (*k < 32 || v.arith() < Arith::Lsh) && is_plain(p, v.a);
    }
    case ValueKind::Negate:
    case ValueKind::Choice: return false;
  }
  return false;
}

class Least {
 public:
  explicit Least(const ir::Program& p)
      : p_(p), live_(live_nodes(p)), may_be_there_(p.node_count()), may_be_masked_there_(p.node_count()), is_place_(p.value_count()),
        uses_(p.value_count()) {}

  std::size_t length() {
    for (std::uint32_t i = 0; i < p_.node_count(); ++i)
      if (live_[i] && !prepare(p_[NodeId{i}])) return 0;
    for (std::uint32_t i = 0; i < p_.node_count(); ++i)
      if (live_[i] && !count(NodeId{i})) return 0;
    return length_;
  }

 private:
  static constexpr std::size_t most_tests = 32, most_intervals = 5;  // larger sets share trees (families.hpp)

  /// A test's code, as far as it is certain.
  struct Code {
    Node node;               ///< without the value
    const Value* load = nullptr;  ///< what it certainly loads
    bool is_known = true;         ///< not for a set that may be asked for in several ways: it has a jump at least
  };

  /// Whether it is a node of those that can be counted; notes what the second look needs to know.
  bool prepare(const Node& n) {
    if (n.kind == NodeKind::Return) return p_[n.a].kind == ValueKind::Constant;
    if (++tests_ > most_tests || !n.forks() || !is_plain(p_, n.a)) return false;
    if (n.kind == NodeKind::Member ? !is_asked(n) : p_[n.b].kind != ValueKind::Constant) return false;
    for (const NodeId way : {n.t, n.f}) {
      if (p_[way].a == n.a) may_be_there_[way] = true;
      else if (is_masked(p_[way].a) && p_[p_[way].a].a == n.a) may_be_masked_there_[way] = true;
    }
    for (ValueId v = n.a; v != no_value; v = p_[v].a) ++uses_[v];
    for (ValueId v = n.a; v != no_value; v = p_[v].a)
      if (p_[v].kind == ValueKind::Load && p_[v].a != no_value && !std::exchange(is_place_[p_[v].a], true)) ++length_;
    return true;
  }

  bool count(NodeId id) {
    const Node& n = p_[id];
    ++length_;  // the last jump, or the return
    if (n.kind == NodeKind::Return) return true;
    if (!may_be_there_[id]) length_ += is_masked_here(n) && !may_be_masked_there_[id] ? 2 : 1;
    Code code{n};
    code.node.a = no_value;
    if (p_[n.a].kind == ValueKind::Load && !may_be_there_[id] && !is_place_[n.a]) code.load = &p_[n.a];
    const std::span<const Code> others(codes_.data(), count_);
    if (std::ranges::any_of(
            others, [&](const Code& other) { return may_be_same(other.node, code.node) && !load_different(other, code); }))
      return false;
    // A membership's last jump may be the only one of a test that leads to the same places, and its others but the first those of another.
    const bool is_member = n.kind == NodeKind::Member;
    code.is_known = !is_member || is_few(n);
    const auto may_have_same_end = [&](const Code& other) {
      return !(other.is_known && code.is_known && !(is_member && is_masked(n.a))) && lead_to_the_same(other.node, n);
    };
    if (std::ranges::any_of(others, may_have_same_end)) return false;
    const auto may_share = [&](const Code& other) {
      return have_same_ways(other.node, n) && (is_member || other.node.kind == NodeKind::Member);
    };
    const bool shares = (has_member_ || is_member) && std::ranges::any_of(others, may_share);
    has_member_ |= is_member;
    if (is_member && code.is_known && !shares) length_ += comparisons_of(n) - 1;
    if (!is_member && shares) --length_;
    codes_[count_++] = code;
    return true;
  }

  /// Bits of a value.
  bool is_masked(ValueId id) const { return p_[id].kind == ValueKind::Binary && p_[id].arith() == Arith::And; }
  /// Whether it is certain that a test masks what it asks about: its bits are not put aside for others.
  bool is_masked_here(const Node& n) const { return is_masked(n.a) && uses_[n.a] == 1; }

  static bool lead_to_the_same(const Node& a, const Node& b) { return have_same_ways(a, b) || (a.t == b.f && a.f == b.t); }
  static bool have_same_ways(const Node& a, const Node& b) { return a.t == b.t && a.f == b.f; }

  static bool may_be_same(const Node& a, const Node& b) {
    const bool is_member = a.kind == NodeKind::Member || b.kind == NodeKind::Member;
    return is_member ? have_same_ways(a, b) : a == b;
  }

  std::size_t comparisons_of(const Node& member) { return comparisons(p_.set_of(member).intervals(), ranges_.of(member.a)); }

  /// Whether a set takes a jump at least, and no more code than its own.
  bool is_asked(const Node& member) {
    const Set &set = p_.set_of(member), domain(ranges_.of(member.a));
    return set.count() <= most_intervals && set.meets(domain) && !set.covers(domain) && member.t != member.f;
  }

  /// Whether a set is a range, or of so few single numbers that each is compared with.
  bool is_few(const Node& member) {
    constexpr std::uint32_t byte = 0xff;
    const Set& set = p_.set_of(member);
    const Interval domain = ranges_.of(member.a);
    const std::size_t count = set.count();
    const bool is_inside = set.low() > domain.low && set.high() < domain.high;
    return domain.high > byte && is_inside && (count == 1 || (count <= 3 && set.size() == count));
  }

  static bool load_different(const Code& a, const Code& b) {
    return a.load && b.load &&
           (a.load->k != b.load->k || a.load->detail != b.load->detail || (a.load->a == no_value) != (b.load->a == no_value));
  }

  const ir::Program& p_;
  ir::Ranges ranges_{p_};
  Flags live_;
  Flags may_be_there_;          ///< by test: one before it may have left the value in the register
  Flags may_be_masked_there_;   ///< the same for what it masks
  Flags is_place_;              ///< by value: loads count from there
  Column<std::uint32_t> uses_;  ///< by value: how many tests are about it, or what is made of it
  std::array<Code, most_tests> codes_;
  std::size_t tests_ = 0, count_ = 0, length_ = 0;
  bool has_member_ = false;  ///< among the codes
};

}  // namespace

std::size_t least_length(const ir::Program& p) { return p.has_choices() ? 0 : Least(p).length(); }

}  // namespace weir::cbpf
