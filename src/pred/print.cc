#include <algorithm>

#include <fmt/format.h>

#include "pred/filter.hpp"

namespace weir::pred {
namespace {

const char* name(Meta m) {
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

class Printer {
 public:
  explicit Printer(const Filter& f) : f_(f) {}

  std::string print() {
    expr(f_.root, 0);
    out_ += fmt::format("accept {}\n", f_.accept);
    return std::move(out_);
  }

 private:
  void line(unsigned depth, std::string_view text) {
    // Alternating chains nest as deep as they are long; indenting on would square the output.
    out_.append(2 * std::min(depth, 40u), ' ');
    out_ += text;
    out_ += '\n';
  }

  void expr(ExprId id, unsigned depth) {
    std::vector<std::pair<const Expr*, unsigned>> spine;  // as in evaluate.cc: no recursion along a chain
    const Expr* e = &f_[id];
    for (; e->kind == ExprKind::And || e->kind == ExprKind::Or; e = &f_[f_.child(*e, 0)], ++depth) {
      line(depth, e->kind == ExprKind::And ? "and" : "or");
      spine.emplace_back(e, depth);
    }
    leaf(*e, depth);
    for (; !spine.empty(); spine.pop_back())
      for (std::uint32_t i = 1; i < spine.back().first->b; ++i)
        expr(f_.child(*spine.back().first, i), spine.back().second + 1);
  }

  void leaf(const Expr& e, unsigned depth) {
    if (e.kind != ExprKind::Not) return line(depth, condition(e));
    line(depth, "not");
    expr(ExprId{e.a}, depth + 1);
  }

  std::string condition(const Expr& e, unsigned depth = 0) const {
    switch (e.kind) {
      case ExprKind::True: return "true";
      case ExprKind::False: return "false";
      case ExprKind::Compare:
        return fmt::format("{} {} {}", value(ValueId{e.a}, depth), symbol(static_cast<Relation>(e.detail)),
                           value(ValueId{e.b}, depth));
      case ExprKind::Member: return fmt::format("{} in {}", value(ValueId{e.a}, depth), numbers(f_.set(e.b)));
      case ExprKind::Mark: return fmt::format("mark {}", e.a);
      case ExprKind::Passed: return fmt::format("passed {}", e.a);
      case ExprKind::Not: return fmt::format("not ({})", condition(f_[ExprId{e.a}], depth));
      case ExprKind::And:
      case ExprKind::Or: {
        std::string text;
        for (std::uint32_t i = 0; i < e.b; ++i) {
          if (i) text += e.kind == ExprKind::And ? " and " : " or ";
          text += fmt::format("({})", condition(f_[f_.child(e, i)], depth));
        }
        return text;
      }
    }
    return {};
  }

  static std::string numbers(const Set& set) {
    std::string text;
    for (const Interval i : set.intervals())
      text += i.low == i.high ? fmt::format("{}{:#x}", text.empty() ? "" : ", ", i.low)
                              : fmt::format("{}{:#x}-{:#x}", text.empty() ? "" : ", ", i.low, i.high);
    return "{" + text + "}";
  }

  std::string value(ValueId id, unsigned depth = 0) const {
    if (depth > 8) return fmt::format("v{}", static_cast<std::uint32_t>(id));  // shared values may unfold without end
    const Value& v = f_[id];
    const auto sub = [&](ValueId inner) { return value(inner, depth + 1); };
    switch (v.kind) {
      case ValueKind::Constant: return v.k < 10 ? fmt::format("{}", v.k) : fmt::format("{:#x}", v.k);
      case ValueKind::Length: return "len";
      case ValueKind::Meta: return fmt::format("meta.{}", name(static_cast<Meta>(v.detail)));
      case ValueKind::Load:
        return v.a == no_value ? fmt::format("[{}:{}]", v.k, v.detail)
                               : fmt::format("[{} + {}:{}]", sub(v.a), v.k, v.detail);
      case ValueKind::Negate: return fmt::format("-{}", sub(v.a));
      case ValueKind::Binary:
        return fmt::format("({} {} {})", sub(v.a), symbol(static_cast<Arith>(v.detail)), sub(v.b));
      case ValueKind::Choice:
        return fmt::format("choice({}, {}, {})", condition(f_[v.test], depth + 1), sub(v.a), sub(v.b));
    }
    return {};
  }

  const Filter& f_;
  std::string out_;
};

}  // namespace

std::string to_string(const Filter& f) { return Printer(f).print(); }

}  // namespace weir::pred
