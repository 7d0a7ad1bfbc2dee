#include "weir/contradiction.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "ir/program.hpp"
#include "lower/lower.hpp"
#include "optimize/optimize.hpp"
#include "resolve/resolve.hpp"

namespace weir {
namespace {

using pred::ExprId;
using pred::ExprKind;
using pred::ValueId;

/// How many parts are tried at most; fewer of a large filter, so that the whole takes about as long.
constexpr std::size_t most_trials = 300, most_tested = 300'000;

// ---- what an expression needs of the packet ----------------------------------------------------------

/// One way to match: values that must equal constants.
using Way = std::map<std::uint32_t, std::uint32_t>;
constexpr std::size_t most_ways = 64;

/// Ways of which one must hold; what is no equality asks for nothing. Empty: not known.
std::vector<Way> ways(const pred::Filter& f, ExprId id) {
  const pred::Expr& e = f[id];
  std::vector<Way> all;
  if (e.kind == ExprKind::Compare && static_cast<Relation>(e.detail) == Relation::Equal) {
    const pred::Value& right = f[ValueId{e.b}];
    return {right.kind == pred::ValueKind::Constant ? Way{{e.a, right.k}} : Way{}};
  }
  if (e.kind == ExprKind::Or) {
    for (std::uint32_t i = 0; i < e.b && all.size() <= most_ways; ++i) std::ranges::copy(ways(f, f.child(e, i)), std::back_inserter(all));
    return all.size() > most_ways ? std::vector<Way>{Way{}} : all;
  }
  if (e.kind != ExprKind::And) return {Way{}};
  all = {Way{}};
  for (std::uint32_t i = 0; i < e.b; ++i) {
    const std::vector<Way> further = ways(f, f.child(e, i));
    if (all.size() * further.size() > most_ways) return {Way{}};
    std::vector<Way> next;
    for (const Way& before : all)
      for (const Way& more : further) {
        next.push_back(before);
        next.back().insert(more.begin(), more.end());
      }
    all = std::move(next);
  }
  return all;
}

std::optional<std::uint32_t> conflict(const Way& a, const Way& b) {
  for (const auto& [value, constant] : a)
    if (const auto other = b.find(value); other != b.end() && other->second != constant) return value;
  return std::nullopt;
}

/// "byte 23", "bytes 12-13"; empty for what is no plain load.
std::string described(const pred::Filter& f, std::uint32_t id) {
  const pred::Value* v = &f[ValueId{id}];
  if (v->kind == pred::ValueKind::Binary) v = &f[v->a];  // under a mask
  if (v->kind != pred::ValueKind::Load || v->a != pred::no_value) return {};
  return v->detail == 1 ? fmt::format("byte {}", v->k) : fmt::format("bytes {}-{}", v->k, v->k + v->detail - 1);
}

/// Where two expressions need different values, whichever way they match; empty when that is not why they exclude each other.
std::string fields_in_conflict(const pred::Filter& f, ExprId a, ExprId b) {
  std::set<std::pair<std::uint32_t, std::string>> fields;
  for (const Way& one : ways(f, a))
    for (const Way& other : ways(f, b)) {
      const auto value = conflict(one, other);
      const std::string where = value ? described(f, *value) : std::string();
      if (where.empty()) return {};
      fields.insert({f[ValueId{*value}].k, where});
    }
  std::string list;
  for (const auto& field : fields)
    list += (list.empty() ? "" : list.find(" and ") == list.npos && field == *fields.rbegin() ? " and " : ", ") + field.second;
  return list;
}

// ---- which parts it is --------------------------------------------------------------------------------

struct Item {
  ExprId test;
  Span span;
  const ast::Expr* node = nullptr;  ///< null: what stands to the left, joined
};

class Explanation {
 public:
  Explanation(std::string_view text, pred::Filter& filter, const wire::Target& target, const Limits& limits,
              const std::vector<resolve::Part>& parts)
      : text_(text),
        filter_(filter),
        target_(target),
        limits_(limits),
        trials_left_(std::min(most_trials, most_tested / std::max<std::size_t>(filter.expr_count(), 1))) {
    for (const resolve::Part& p : parts) tests_[p.node] = p.test;
  }

  Diagnostic of(const ast::Expr& e) {
    if (auto found = impossible(e)) return *std::move(found);
    return generic(e.span);
  }

 private:
  using Found = std::optional<Diagnostic>;

  static Diagnostic generic(Span span) {
    return {Code::NeverMatches, span, "the filter rejects all packets: its parts contradict each other or the link type", {}};
  }
  static Diagnostic warning(Span span, const std::string& why, std::string hint = {}) {
    return {Code::NeverMatches, span, "the filter rejects all packets: " + why, std::move(hint)};
  }

  std::string quoted(Span span) const {
    constexpr std::size_t longest = 50;
    const std::string_view words = text_.substr(span.begin, span.end - span.begin);
    return words.size() > longest ? fmt::format("'{}…'", words.substr(0, longest)) : fmt::format("'{}'", words);
  }

  ExprId test(const ast::Expr& e) const { return tests_.at(&e); }

  /// What the optimizer makes of a part: 0 when it rejects everything, not 0 when it accepts everything.
  std::optional<std::uint32_t> decided(ExprId e) {
    if (trials_left_ == 0) return std::nullopt;
    --trials_left_;
    filter_.root = e;
    auto graph = lower::lower(filter_, limits_);
    if (!graph) return std::nullopt;
    const ir::Program p = optimize::optimize(std::move(*graph));
    const ir::Node& root = p[p.root];
    return root.kind == ir::NodeKind::Return ? ir::constant_of(p, root.a) : std::nullopt;
  }
  bool never(ExprId e) { return decided(e) == 0u; }
  bool always(ExprId e) { const auto d = decided(e); return d && *d != 0; }

  Found impossible(const ast::Expr& e) {
    return std::visit([&](const auto& node) { return visit(node, e); }, e.node);
  }

  template <class Node>
  Found visit(const Node&, const ast::Expr& e) {
    const bool by_link_type = filter_[test(e)].kind == ExprKind::False && !std::holds_alternative<ast::Relation>(e.node);
    if (by_link_type)
      return warning(e.span, fmt::format("{} never matches on DLT_{} ({})", quoted(e.span), target_.link_type->name,
                                         target_.link_type->description));
    return warning(e.span, fmt::format("{} never matches", quoted(e.span)));
  }
  Found visit(const ast::Group& g, const ast::Expr&) { return impossible(*g.inner); }
  Found visit(const ast::QualifiedGroup& g, const ast::Expr&) { return impossible(*g.ids); }
  Found visit(const ast::Not& n, const ast::Expr& e) {
    if (!always(test(*n.operand))) return std::nullopt;
    return warning(e.span, fmt::format("{} always matches, and 'not' turns it around", quoted(n.operand->span)));
  }
  Found visit(const ast::Chain& c, const ast::Expr& e) {
    std::vector<Item> run{item(c.operands.front())};
    for (std::size_t i = 1; i < c.operands.size(); ++i) {
      if (i > 1 && c.is_or[i - 1] != c.is_or[i - 2]) run = {joined(run, c.is_or[i - 2])};
      run.push_back(item(c.operands[i]));
    }
    return c.is_or.back() ? alternatives(run, e) : together(run);
  }

  Item item(const ast::Expr& e) const { return {test(e), e.span, &e}; }
  Item joined(const std::vector<Item>& run, bool is_or) {
    std::vector<ExprId> tests;
    for (const Item& i : run) tests.push_back(i.test);
    const Span span = join(run.front().span, run.back().span);
    return {is_or ? filter_.any(tests, span) : filter_.all(tests, span), span, nullptr};
  }

  Found alternatives(const std::vector<Item>& run, const ast::Expr& e) {
    Found first = run.front().node ? impossible(*run.front().node)
                                   : warning(run.front().span, fmt::format("{} never matches", quoted(run.front().span)));
    if (!first) return std::nullopt;
    first->hint = fmt::format("none of the alternatives in {} can match; this is the first{}{}", quoted(e.span),
                              first->hint.empty() ? "" : ": ", first->hint);
    return first;
  }

  /// One that is impossible by itself, or the fewest that exclude each other.
  Found together(const std::vector<Item>& run) {
    for (const Item& i : run)
      if (never(i.test)) return i.node ? impossible(*i.node) : warning(i.span, fmt::format("{} never matches", quoted(i.span)));
    for (std::size_t b = 1; b < run.size(); ++b)
      for (std::size_t a = 0; a < b && trials_left_ > 0; ++a)
        if (never(filter_.all({run[a].test, run[b].test}, {}))) return pair(run[a], run[b]);
    return several(run);
  }

  Diagnostic pair(const Item& a, const Item& b) const {
    const std::string fields = fields_in_conflict(filter_, a.test, b.test);
    return warning(join(a.span, b.span), fmt::format("{} and {} exclude each other", quoted(a.span), quoted(b.span)),
                   fields.empty() ? "" : fmt::format("{} cannot have two values at once; 'or' takes packets of either kind", fields));
  }

  /// Leaves out one after the other while the rest still excludes itself.
  Found several(std::vector<Item> run) {
    for (std::size_t i = 0; i < run.size() && run.size() > 2 && trials_left_ > 0;) {
      std::vector<Item> fewer = run;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (never(joined(fewer, false).test)) run = std::move(fewer);
      else ++i;
    }
    if (trials_left_ == 0) return std::nullopt;
    std::string list;
    for (const Item& i : run) list += fmt::format("{}{}", list.empty() ? "" : i.span == run.back().span ? " and " : ", ", quoted(i.span));
    return warning(join(run.front().span, run.back().span), fmt::format("{} cannot hold together", list));
  }

  std::string_view text_;
  pred::Filter& filter_;
  const wire::Target& target_;
  const Limits& limits_;
  std::map<const ast::Expr*, ExprId> tests_;
  std::size_t trials_left_;
};

}  // namespace

Diagnostic explain_rejection(std::string_view text, const ast::Expr& expr, const wire::Target& target, const names::Names& names,
                             const Limits& limits) {
  std::vector<resolve::Part> parts;
  auto filter = resolve::resolve(expr, target, names, limits, &parts);
  const Diagnostic unexplained{
      Code::NeverMatches, expr.span, "the filter rejects all packets: its parts contradict each other or the link type", {}};
  if (!filter) return unexplained;
  return Explanation(text, *filter, target, limits, parts).of(expr);
}

Diagnostic explain_acceptance(const ast::Expr& expr) {
  return {Code::AlwaysMatches, expr.span, "the filter accepts every packet", "an empty filter does the same"};
}

}  // namespace weir
