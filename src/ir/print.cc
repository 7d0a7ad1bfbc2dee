// A program as text, as a drawing, and its parts as one-line expressions. Tested by tests/unit/ir/text_test.cc.
#include <fmt/format.h>

#include <iterator>

#include "ir/order.hpp"
#include "ir/words.hpp"

namespace weir::ir {
namespace {

using Out = std::back_insert_iterator<std::string>;

/// Small numbers as people count, large ones as addresses and masks are written.
std::string number(std::uint32_t k) { return k < 256 ? fmt::format("{}", k) : fmt::format("{:#x}", k); }

std::string numbers(const Set& s) {
  std::string text = "{";
  for (const Interval i : s.intervals()) {
    if (text.size() > 1) text += ", ";
    text += number(i.low);
    if (i.high != i.low) text += "-" + number(i.high);
  }
  return text + "}";
}


/// A value where it is used: constants by their number, the rest by name.
std::string operand(const Program& p, ValueId id) {
  const auto k = constant_of(p, id);
  return k ? number(*k) : fmt::format("v{}", index(id));
}

/// `12`, `v1` or `v1 + 12`: offsets are counted, so decimal. A constant base keeps its `+ 0`, to be told from none.
std::string address(std::string_view base, std::uint32_t k, bool bare_base) {
  if (base.empty()) return fmt::format("{}", k);
  return k == 0 && bare_base ? std::string(base) : fmt::format("{} + {}", base, k);
}

std::string address(const Program& p, ValueId base, std::uint32_t k) {
  if (base == no_value) return address({}, k, true);
  return address(operand(p, base), k, !constant_of(p, base));
}

void write_value(Out out, const Program& p, ValueId id) {
  const Value& v = p[id];
  if (v.kind == ValueKind::Constant) return;
  fmt::format_to(out, "v{} = ", index(id));
  switch (v.kind) {
    case ValueKind::Constant: break;
    case ValueKind::Load: fmt::format_to(out, "load {} [{}]", v.size(), address(p, v.a, v.k)); break;
    case ValueKind::Length: fmt::format_to(out, "length"); break;
    case ValueKind::Meta: fmt::format_to(out, "meta {}", word_of(v.meta())); break;
    case ValueKind::Negate: fmt::format_to(out, "-{}", operand(p, v.a)); break;
    case ValueKind::Binary:
      fmt::format_to(out, "{} {} {}", operand(p, v.a), symbol(v.arith()), operand(p, v.b));
      break;
    case ValueKind::Choice: fmt::format_to(out, "choice n{}", v.k); break;
  }
  *out++ = '\n';
}

void write_return(Out out, const Program& p, ValueId value) {
  const auto k = constant_of(p, value);
  if (k) fmt::format_to(out, "return {}", *k);  // a length to keep: decimal
  else fmt::format_to(out, "return {}", operand(p, value));
}

void write_node(Out out, const Program& p, NodeId id) {
  const Node& n = p[id];
  fmt::format_to(out, "n{}: ", index(id));
  switch (n.kind) {
    case NodeKind::Return: write_return(out, p, n.a); break;
    case NodeKind::Guard:
      fmt::format_to(out, "guard {} [{}] then n{}", n.size(), address(p, n.a, n.k), index(n.t));
      break;
    case NodeKind::NonZero: fmt::format_to(out, "nonzero {} then n{}", operand(p, n.a), index(n.t)); break;
    case NodeKind::Test:
      fmt::format_to(out, "if {} {} {} then n{} else n{}", operand(p, n.a), symbol(n.relation()), operand(p, n.b),
                     index(n.t), index(n.f));
      break;
    case NodeKind::Member:
      fmt::format_to(out, "if {} in {} then n{} else n{}", operand(p, n.a), numbers(p.set_of(n)), index(n.t), index(n.f));
      break;
  }
  *out++ = '\n';
}

/// Long sets are beyond reading: their first numbers, and how many there are.
std::string excerpt(const Set& s) {
  constexpr std::size_t shown = 8;
  if (s.intervals().size() <= shown) return numbers(s);
  std::vector<Interval> first(s.intervals().begin(), s.intervals().begin() + shown);
  std::string text = numbers(Set::join(std::move(first)));
  text.back() = ',';
  return fmt::format("{} … {} numbers}}", text, s.size());
}

/// Expressions this deep are beyond reading, and shared operands may make them exponentially long.
constexpr int deepest = 10;

std::string infix(const Program& p, ValueId id, int depth);

/// An operand of something else: in parentheses when it is not in one piece.
std::string piece(const Program& p, ValueId id, int depth) {
  const bool whole = p[id].kind != ValueKind::Binary || depth == deepest;
  return whole ? infix(p, id, depth) : "(" + infix(p, id, depth) + ")";
}

std::string bytes(const Program& p, ValueId base, std::uint32_t k, std::uint32_t size, int depth) {
  const std::string text = base == no_value ? "" : piece(p, base, depth);
  return fmt::format("[{}:{}]", address(text, k, true), size);
}

std::string infix(const Program& p, ValueId id, int depth) {
  const Value& v = p[id];
  if (depth == deepest && v.kind != ValueKind::Constant) return fmt::format("v{}", index(id));
  switch (v.kind) {
    case ValueKind::Constant: return number(v.k);
    case ValueKind::Load: return bytes(p, v.a, v.k, v.size(), depth + 1);
    case ValueKind::Length: return "len";
    case ValueKind::Meta: return std::string(word_of(v.meta()));
    case ValueKind::Negate: return "-" + piece(p, v.a, depth + 1);
    case ValueKind::Binary:
      return fmt::format("{} {} {}", piece(p, v.a, depth + 1), symbol(v.arith()), piece(p, v.b, depth + 1));
    case ValueKind::Choice: return fmt::format("choice n{}", v.k);
  }
  return {};
}

void draw_edge(Out out, NodeId from, NodeId to, std::string_view label) {
  fmt::format_to(out, "  n{} -> n{} [label=\"{}\"];\n", index(from), index(to), label);
}

void draw_node(Out out, const Program& p, NodeId id) {
  const Node& n = p[id];
  const bool leaf = n.kind == NodeKind::Return;
  fmt::format_to(out, "  n{} [label=\"n{}: {}\"{}];\n", index(id), index(id), expression(p, id),
                 leaf ? ", style=rounded" : "");
  switch (n.kind) {
    case NodeKind::Return: break;
    case NodeKind::Guard:
    case NodeKind::NonZero: draw_edge(out, id, n.t, "then"); break;
    case NodeKind::Test:
    case NodeKind::Member:
      draw_edge(out, id, n.t, "yes");
      draw_edge(out, id, n.f, "no");
      break;
  }
}

/// A choice stands beside the graph, with an arrow to the graph that makes it.
void draw_choice(Out out, ValueId id, NodeId root) {
  fmt::format_to(out, "  v{} [label=\"choice n{}\", shape=ellipse, style=dashed];\n", index(id), index(root));
  fmt::format_to(out, "  v{} -> n{} [label=\"choice\", style=dashed];\n", index(id), index(root));
}

}  // namespace

std::string to_string(const Program& p) {
  const Program q = compact(p);
  std::string text;
  const Out out(text);
  for (const Item item : order(q)) {
    if (item.is_node) write_node(out, q, item.node());
    else write_value(out, q, item.value());
  }
  if (q.node_count() != 0) fmt::format_to(out, "root n{}\n", index(q.root));
  return text;
}

std::string to_dot(const Program& p) {
  const Program q = compact(p);
  std::string text = "digraph filter {\n  node [shape=box, fontname=\"monospace\"];\n";
  const Out out(text);
  if (q.node_count() != 0) fmt::format_to(out, "  start [shape=point];\n  start -> n{};\n", index(q.root));
  for (const Item item : order(q)) {
    if (item.is_node) draw_node(out, q, item.node());
    else if (q[item.value()].kind == ValueKind::Choice) draw_choice(out, item.value(), q[item.value()].root());
  }
  return text + "}\n";
}

std::string expression(const Program& p, ValueId v) { return infix(p, v, 0); }

std::string expression(const Program& p, NodeId id) {
  const Node& n = p[id];
  switch (n.kind) {
    case NodeKind::Return: {
      const auto k = constant_of(p, n.a);
      return "return " + (k ? fmt::format("{}", *k) : infix(p, n.a, 0));
    }
    case NodeKind::Guard: return "guard " + bytes(p, n.a, n.k, n.size(), 0);
    case NodeKind::NonZero: return "nonzero " + piece(p, n.a, 0);
    case NodeKind::Test: return fmt::format("{} {} {}", piece(p, n.a, 0), symbol(n.relation()), piece(p, n.b, 0));
    case NodeKind::Member: return fmt::format("{} in {}", piece(p, n.a, 0), excerpt(p.set_of(n)));
  }
  return {};
}

}  // namespace weir::ir
