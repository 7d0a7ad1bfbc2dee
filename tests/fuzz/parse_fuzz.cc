// Any text is parsed or refused: nothing crashes, all spans lie in the text and inside each other, an error can be
// shown, and parentheses around a filter add nothing but a group.
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "ast/expr.hpp"
#include "expect.hpp"
#include "grammar/parse.hpp"

namespace weir::fuzz {
namespace {

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};

/// Walks a tree: each node lies in its parent and below the limit of depth.
class Walk {
 public:
  static void all(const ast::Expr& e, Span parent) {
    inside(e.span, parent);
    expect(e.depth <= Limits{}.depth + 1, "a tree deeper than the limit");
    std::visit(overloaded{[&](const ast::Group& g) { all(*g.inner, e.span); },
                          [&](const ast::Not& n) { all(*n.operand, e.span); },
                          [&](const ast::QualifiedGroup& g) {
                            inside(g.qualifiers.span, e.span);
                            all(*g.ids, e.span);
                          },
                          [&](const ast::Chain& c) { chain(c, e.span); },
                          [&](const ast::Primitive& p) { primitive(p, e.span); },
                          [&](const ast::Relation& r) {
                            all(r.left, e.span);
                            all(r.right, e.span);
                          },
                          [](const auto&) {}},
               e.node);
  }

 private:
  static void inside(Span inner, Span outer) {
    expect(inner.begin <= inner.end && outer.begin <= inner.begin && inner.end <= outer.end, "a span outside its parent's");
  }

  static void chain(const ast::Chain& c, Span parent) {
    expect(c.operands.size() >= 2 && c.is_or.size() + 1 == c.operands.size(), "a chain with a wrong number of operators");
    for (const ast::Expr& operand : c.operands) all(operand, parent);
  }

  static void primitive(const ast::Primitive& p, Span parent) {
    if (p.qualifiers) inside(p.qualifiers->span, parent);
    inside(p.id.span, parent);
  }

  static void all(const ast::Value& v, Span parent) {
    inside(v.span, parent);
    std::visit(overloaded{[](const ast::Number&) {}, [](const ast::Length&) {},
                          [&](const ast::Accessor& a) { all(*a.offset, v.span); },
                          [&](const ast::Negate& n) { all(*n.operand, v.span); },
                          [&](const ast::Binary& b) {
                            all(*b.left, v.span);
                            all(*b.right, v.span);
                          }},
               v.node);
  }
};

/// A dump one level further in.
std::string indented(const std::string& dump) {
  std::string out;
  for (std::size_t at = 0; at < dump.size();) {
    const std::size_t end = dump.find('\n', at) + 1;
    out += "  " + dump.substr(at, end - at);
    at = end;
  }
  return out;
}

/// `( … )`; the line ends before the parenthesis because a comment may stand last.
void check_grouping(const std::string& text, const std::string& dump) {
  const auto grouped = grammar::parse("(" + text + "\n)");
  if (!grouped && grouped.error().code == Code::TooDeep) return;
  expect(grouped.has_value(), "a filter that is refused in parentheses");
  expect(to_string(*grouped) == "group\n" + indented(dump), "a filter that means something else in parentheses");
}

void parse_one(const std::string& text) {
  const auto tree = grammar::parse(text);
  if (!tree) return expect_presentable(text, tree.error());
  Walk::all(*tree, {0, static_cast<std::uint32_t>(text.size())});
  const std::string dump = to_string(*tree);
  if (!std::holds_alternative<ast::Everything>(tree->node)) check_grouping(text, dump);
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::parse_one(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
