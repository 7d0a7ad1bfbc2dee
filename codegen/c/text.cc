#include "c/text.hpp"

#include <iterator>

#include <fmt/format.h>

#include "c/variables.hpp"

namespace weir::c {
namespace {

using ir::Node;
using ir::NodeKind;
using ir::Value;
using ir::ValueId;
using ir::ValueKind;


const char* field(Meta m) {
  switch (m) {
    case Meta::Protocol: return "protocol";
    case Meta::PacketType: return "packet_type";
    case Meta::InterfaceIndex: return "interface_index";
    case Meta::VlanTag: return "vlan_tag";
    case Meta::VlanTagPresent: return "vlan_tag_present";
    case Meta::VlanProtocol: return "vlan_protocol";
  }
  return "";
}

/// The relation that holds when the other does not; of Bits there is no symbol.
const char* symbol(Relation r, bool holds) {
  switch (r) {
    case Relation::Equal: return holds ? "==" : "!=";
    case Relation::Greater: return holds ? ">" : "<=";
    case Relation::GreaterEqual: return holds ? ">=" : "<";
    case Relation::Bits: break;
  }
  return "";
}

/// What bounds say of a comparison.
std::optional<bool> decided_by(Relation r, Interval a, Interval b) {
  switch (r) {
    case Relation::Equal:
      if (a.low == a.high && b.low == b.high && a.low == b.low) return true;
      return a.high < b.low || b.high < a.low ? std::optional(false) : std::nullopt;
    case Relation::Greater:
      if (a.low > b.high) return true;
      return a.high <= b.low ? std::optional(false) : std::nullopt;
    case Relation::GreaterEqual:
      if (a.low >= b.high) return true;
      return a.high < b.low ? std::optional(false) : std::nullopt;
    case Relation::Bits:
      if (a.low == a.high && b.low == b.high) return (a.low & b.low) != 0;
      return (a.low == a.high && a.low == 0) || (b.low == b.high && b.low == 0) ? std::optional(false) : std::nullopt;
  }
  return std::nullopt;
}

bool is_points(const Set& set) {
  for (const Interval i : set.intervals())
    if (i.low != i.high) return false;
  return true;
}

}  // namespace

std::string number(std::uint32_t k) { return k < 1000 || k == 1500 ? fmt::format("{}u", k) : fmt::format("{:#x}u", k); }

std::string comment_text(std::string_view words) {
  constexpr std::size_t most = 100;
  std::string text;
  for (const char c : words) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (blank && (text.empty() || text.back() == ' ')) continue;
    const bool ends_comment = (c == '/' && text.ends_with('*')) || (c == '*' && text.ends_with('/'));
    if (ends_comment || (c == '?' && text.ends_with('?'))) text += ' ';  // `??/` is a trigraph
    text += blank ? ' ' : c == '\\' ? '/' : c;
    if (text.size() >= most) return text + " ...";
  }
  return text;
}

Text::Text(const ir::Program& p, Needs& needs, const std::vector<bool>& variables)
    : p_(p), needs_(needs), variables_(variables), read_(p.value_count()), ranges_(p) {
  needs_.set_names.resize(p.set_count());
}

std::string Text::variable(ValueId v) const { return fmt::format("v{}", index(v)); }

std::string Text::operand(ValueId v) {
  if (!variables_[index(v)]) return expression(v);
  read_[index(v)] = true;
  return variable(v);
}

/// As part of something else: in parentheses when it is not in one piece.
std::string Text::piece(ValueId v) {
  const Value& value = p_[v];
  const bool whole = variables_[index(v)] || (value.kind != ValueKind::Binary && value.kind != ValueKind::Negate);
  return whole ? operand(v) : "(" + operand(v) + ")";
}

std::string Text::expression(ValueId id) {
  const Value& v = p_[id];
  switch (v.kind) {
    case ValueKind::Constant: return number(v.k);
    case ValueKind::Load: return load(v);
    case ValueKind::Length: needs_.length = true; return "length";
    case ValueKind::Meta: needs_.metadata = true; return fmt::format("metadata->{}", field(v.meta()));
    case ValueKind::Negate: return "0u - " + piece(v.a);
    case ValueKind::Binary: break;
    case ValueKind::Choice: return variable(id);  // assigned by its own statements
  }
  if (v.arith() == Arith::Lsh || v.arith() == Arith::Rsh) return shift(v);
  const bool divides = v.arith() == Arith::Div || v.arith() == Arith::Mod;
  if (divides && ir::constant_of(p_, v.b) == 0u) return "0u";  // never reached
  return fmt::format("{} {} {}", piece(v.a), weir::symbol(v.arith()), piece(v.b));
}

/// C leaves open what distances from 32 on do.
std::string Text::shift(const Value& v) {
  const bool left = v.arith() == Arith::Lsh;
  const auto fixed = ir::constant_of(p_, v.b);
  if (fixed && *fixed > 31) return "0u";
  if (fixed || ranges_.of(v.b).high < 32)
    return fmt::format("{} {} {}", piece(v.a), weir::symbol(v.arith()), fixed ? fmt::format("{}", *fixed) : piece(v.b));
  (left ? needs_.shl : needs_.shr) = true;
  return fmt::format("weir_{}({}, {})", left ? "shl" : "shr", operand(v.a), operand(v.b));
}

std::string Text::address(ValueId base, std::uint32_t k) {
  needs_.packet = true;
  std::string text = "packet";
  if (base != ir::no_value) text += " + " + piece(base);
  return k == 0 ? text : fmt::format("{} + {}", text, k);
}

std::string Text::load(const Value& v) {
  switch (v.size()) {
    case 1: needs_.u8 = true; return fmt::format("weir_u8({})", address(v.a, v.k));
    case 2: needs_.be16 = true; return fmt::format("weir_be16({})", address(v.a, v.k));
    default: needs_.be32 = true; return fmt::format("weir_be32({})", address(v.a, v.k));
  }
}

std::string Text::missing(const Node& guard) {
  needs_.captured = true;
  const std::uint64_t end = std::uint64_t{guard.k} + guard.size();
  if (guard.a == ir::no_value) return fmt::format("captured < {}", end);
  const bool fits = ranges_.of(guard.a).high + end <= 0xffffffff;
  return fits ? fmt::format("captured < {} + {}u", piece(guard.a), end)
              : fmt::format("captured < (uint64_t){} + {}u", piece(guard.a), end);
}

// ---- Conditions ----

std::optional<bool> Text::decided(const Node& n) {
  if (n.kind == NodeKind::Member) {
    const Interval of = ranges_.of(n.a);
    if (p_.set_of(n).covers(of)) return true;
    return p_.set_of(n).meets(of) ? std::nullopt : std::optional(false);
  }
  if (n.a == n.b && n.relation() != Relation::Bits) return n.relation() != Relation::Greater;
  if (const auto known = decided_by(n.relation(), ranges_.of(n.a), ranges_.of(n.b))) return known;
  if (n.relation() != Relation::Equal) return std::nullopt;
  return never_equal(n.a, n.b) || never_equal(n.b, n.a) ? std::optional(false) : std::nullopt;
}

/// (x & mask) == k and (x | mask) == k, where k has bits that cannot be, or has not those that must be.
bool Text::never_equal(ValueId masked, ValueId constant) const {
  const Value& v = p_[masked];
  const auto k = ir::constant_of(p_, constant);
  const auto mask = v.kind == ValueKind::Binary ? ir::constant_of(p_, v.b) : std::nullopt;
  if (!k || !mask) return false;
  return (v.arith() == Arith::And && (*k & ~*mask)) || (v.arith() == Arith::Or && (*mask & ~*k));
}

std::string Text::condition(const Node& n, bool holds) {
  if (n.kind == NodeKind::Test) {
    if (n.relation() == Relation::Bits) return fmt::format("({} & {}) {} 0", piece(n.a), piece(n.b), holds ? "!=" : "==");
    return fmt::format("{} {} {}", piece(n.a), symbol(n.relation(), holds), piece(n.b));
  }
  const Set& set = p_.set_of(n);
  const std::string value = operand(n.a);
  if (comparisons(set.intervals(), {}) <= most_comparisons) return comparisons_of(set, piece(n.a), holds);
  const bool points = is_points(set);
  (points ? needs_.points : needs_.ranges) = true;
  return fmt::format("{}weir_in_{}({}, {}, {})", holds ? "" : "!", points ? "points" : "ranges", table(n.k), set.intervals().size(), value);
}

/// One after the other; those that lie at an end of all numbers take one comparison.
std::string Text::comparisons_of(const Set& set, const std::string& value, bool holds) {
  std::string text;
  const bool several = set.intervals().size() > 1;
  for (const Interval i : set.intervals()) {
    if (!text.empty()) text += holds ? " || " : " && ";
    if (i.low == i.high) text += fmt::format("{} {} {}", value, holds ? "==" : "!=", number(i.low));
    else if (i.low == 0) text += fmt::format("{} {} {}", value, holds ? "<=" : ">", number(i.high));
    else if (i.high == 0xffffffff) text += fmt::format("{} {} {}", value, holds ? ">=" : "<", number(i.low));
    else if (holds)
      text += fmt::format("{2}{0} >= {1}", value, number(i.low), several ? "(" : "") +
              fmt::format(" && {} <= {}{}", value, number(i.high), several ? ")" : "");
    else
      text += fmt::format("{2}{0} < {1}", value, number(i.low), several ? "(" : "") +
              fmt::format(" || {} > {}{}", value, number(i.high), several ? ")" : "");
  }
  return text;
}

bool Text::is_switch(const Node& n) const {
  if (n.kind != NodeKind::Member) return false;
  const Set& set = p_.set_of(n);
  const std::size_t count = set.intervals().size();
  return count > most_comparisons && count <= most_cases && is_points(set);
}

std::string Text::cases(const Node& n) const {
  std::string text;
  std::size_t on_line = 0;
  for (const Interval i : p_.set_of(n).intervals()) {
    text += on_line == 0 ? "    " : " ";
    text += fmt::format("case {}:", number(i.low));
    on_line = (on_line + 1) % 8;
    if (on_line == 0) text += '\n';
  }
  if (on_line != 0) text += '\n';
  return text;
}

/// Each set is written once.
std::string Text::table(std::uint32_t id) {
  std::string& name = needs_.set_names[id];
  if (!name.empty()) return name;
  name = fmt::format("weir_set_{}", id);
  const Set& set = p_.set(id);
  const bool points = is_points(set);
  const auto out = std::back_inserter(needs_.tables);
  fmt::format_to(out, "/* {} {} */\nstatic const uint32_t {}[]{} = {{", set.intervals().size(), points ? "numbers" : "ranges",
                 name, points ? "" : "[2]");
  std::size_t at = 0;
  for (const Interval i : set.intervals()) {
    needs_.tables += at++ % 8 == 0 ? "\n    " : " ";
    if (points) fmt::format_to(out, "{},", number(i.low));
    else fmt::format_to(out, "{{{}, {}}},", number(i.low), number(i.high));
  }
  needs_.tables += "\n};\n\n";
  return name;
}

}  // namespace weir::c
