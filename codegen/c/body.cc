// Statements in an order in which all ways lead forward, each graph of a choice where its value is needed.
#include "c/body.hpp"

#include <array>
#include <iterator>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "c/dominators.hpp"
#include "c/text.hpp"
#include "c/variables.hpp"

namespace weir::c {
namespace {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;
using ir::Value;
using ir::ValueId;
using ir::ValueKind;
using Place = Dominators::Id;

constexpr std::size_t most_text = std::size_t{64} << 20;


class Body {
 public:
  Body(const ir::Program& p, std::string_view filter, Needs& needs)
      : p_(p), filter_(filter), needs_(needs), variables_(variables(p)), text_(p, needs, variables_), assigned_(p.value_count()) {}

  /// The statements of the function; nothing when there are too many.
  std::optional<std::string> run() {
    graph(p_.root, Dominators::none, ir::no_value);
    if (too_long()) return std::nullopt;
    return std::move(body_);
  }

  std::string declarations() const {
    std::string text;
    std::size_t on_line = 0;
    for (const std::uint32_t v : declared_) {
      text += on_line == 0 ? "    uint32_t " : ", ";
      text += text_.variable(ValueId{v});
      on_line = (on_line + 1) % 12;
      if (on_line == 0) text += ";\n";
    }
    if (on_line != 0) text += ";\n";
    for (const std::uint32_t v : declared_)
      if (!text_.is_read(ValueId{v})) text += fmt::format("    (void){};\n", text_.variable(ValueId{v}));
    return text;
  }

 private:
  // ---- graphs ----------------------------------------------------------------------------------------

  /// A node of a graph that is being written.
  struct Spot {
    std::uint32_t ways_in = 0;   ///< that are not written yet
    Place above = Dominators::none;
    std::uint32_t label = 0;     ///< 0: nobody has jumped here
  };

  /// Where a node goes on, as far as it is open.
  struct Ways {
    std::optional<NodeId> t, f;  ///< only t: there is one way; none: a return
  };

  /// One graph: the filter's, or a choice's, whose leaves assign to `result`.
  struct Graph {
    std::unordered_map<std::uint32_t, Spot> spots;
    std::vector<NodeId> ready;
    ValueId result = ir::no_value;
    std::uint32_t done = 0;      ///< label behind the graph of a choice; 0: nobody has jumped there
    std::size_t left = 0;        ///< nodes that are not written yet
    Spot& operator[](NodeId n) { return spots[static_cast<std::uint32_t>(n)]; }
  };

  /// `above`: the place at which it is written.
  void graph(NodeId root, Place above, ValueId result) {
    Graph g;
    g.result = result;
    find_nodes(g, root);
    g[root].above = above;
    std::optional<NodeId> next = root;
    while (g.left > 0 && !too_long()) {
      if (!next) {
        next = g.ready.back();
        g.ready.pop_back();
      }
      next = write(g, *next);
    }
    if (g.done) label('c', g.done);
  }

  /// Nodes that are written as such: a return of a constant from the filter is where its ways in are.
  bool is_inline(const Graph& g, NodeId n) const {
    return g.result == ir::no_value && p_[n].kind == NodeKind::Return && ir::constant_of(p_, p_[n].a);
  }

  void find_nodes(Graph& g, NodeId root) {
    std::vector<NodeId> open{root};
    ++g[root].ways_in;
    while (!open.empty()) {
      const NodeId n = open.back();
      open.pop_back();
      ++g.left;
      const Ways w = ways(n);
      for (const auto& way : {w.t, w.f}) {
        if (!way || is_inline(g, *way)) continue;
        if (g[*way].ways_in++ == 0) open.push_back(*way);
      }
    }
    g[root].ways_in = 0;
  }

  Ways ways(NodeId id) {
    const Node& n = p_[id];
    switch (n.kind) {
      case NodeKind::Return: return {};
      case NodeKind::Guard: return text_.ranges().passage(n) == ir::Ranges::Passage::Never ? Ways{} : Ways{n.t, {}};
      case NodeKind::NonZero: return ir::constant_of(p_, n.a) == 0u ? Ways{} : Ways{n.t, {}};
      case NodeKind::Test:
      case NodeKind::Member: break;
    }
    const auto decided = text_.decided(n);
    if (n.t == n.f) return {n.t, {}};
    return decided ? Ways{*decided ? n.t : n.f, {}} : Ways{n.t, n.f};
  }

  /// Writes a node; gives the one that its text runs into.
  std::optional<NodeId> write(Graph& g, NodeId id) {
    --g.left;
    const Spot spot = g[id];
    const Node& n = p_[id];
    const Place place = tree_.add(spot.above);
    if (spot.label) label('l', spot.label);
    say_words(id, spot.label != 0);
    const Ways w = ways(id);
    if (w.t && !w.f && n.forks()) return one_way(g, *w.t, place);
    need(n.a, place);
    need(n.b, place);
    switch (n.kind) {
      case NodeKind::Return: leaf(g, n); return std::nullopt;
      case NodeKind::Guard:
        if (!w.t) return line("return 0;"), std::nullopt;
        line("if ({})", text_.missing(n));
        line("    return 0;");
        return one_way(g, *w.t, place);
      case NodeKind::NonZero:
        if (!w.t) return line("return 0;"), std::nullopt;
        if (text_.ranges().of(n.a).low == 0) {
          line("if ({})", text_.is_zero(n.a));
          line("    return 0;");
        }
        return one_way(g, *w.t, place);
      case NodeKind::Test:
      case NodeKind::Member: return fork(g, n, place);
    }
    return std::nullopt;
  }

  void leaf(Graph& g, const Node& n) {
    if (g.result == ir::no_value) return line("return {};", text_.operand(n.a));
    line("{} = {};", text_.variable(g.result), text_.operand(n.a));
    if (g.left == 0) return;  // the last one runs into what follows
    if (!g.done) g.done = ++labels_;
    line("goto c{};", g.done);
  }

  std::optional<NodeId> one_way(Graph& g, NodeId to, Place place) {
    if (is_inline(g, to)) return line("{}", jump(g, to)), std::nullopt;
    if (arrive(g, to, place)) return to;
    line("{}", jump(g, to));
    return std::nullopt;
  }

  /// One way in less; true when the node can be written.
  bool arrive(Graph& g, NodeId to, Place place) {
    Spot& spot = g[to];
    spot.above = tree_.common(spot.above, place);
    return --spot.ways_in == 0;
  }

  std::optional<NodeId> fork(Graph& g, const Node& n, Place place) {
    const bool inline_t = is_inline(g, n.t), inline_f = is_inline(g, n.f);
    const bool ready_t = !inline_t && arrive(g, n.t, place), ready_f = !inline_f && arrive(g, n.f, place);
    std::optional<NodeId> next;
    if (ready_f && (!ready_t || inline_t)) next = n.f;
    if (ready_t) next = n.t;
    if (ready_t && ready_f) g.ready.push_back(n.f);
    if (text_.is_switch(n)) {
      by_switch(g, n, next);
    } else if (next == n.t) {
      conditionally(text_.condition(n, false), jump(g, n.f));
    } else {
      if (inline_t && inline_f) return both(n), std::nullopt;
      conditionally(text_.condition(n, true), jump(g, n.t));
      if (next != n.f) line("{}", jump(g, n.f));
    }
    return next;
  }

  void conditionally(const std::string& condition, const std::string& action) {
    line("if ({})", condition);
    line("    {}", action);
  }

  void both(const Node& n) {
    const std::string condition = text_.condition(n, true);
    const bool whole = condition.find(" || ") == condition.npos && condition.find(" && ") == condition.npos;
    line("return {} ? {} : {};", whole ? condition : "(" + condition + ")", kept(n.t), kept(n.f));
  }

  /// What a return of a constant says: bytes are counted.
  std::string kept(NodeId leaf) const {
    const std::uint32_t k = *ir::constant_of(p_, p_[leaf].a);
    return k == 0 ? "0" : fmt::format("{}u", k);
  }

  void by_switch(Graph& g, const Node& n, std::optional<NodeId> next) {
    const auto action = [&](NodeId to) { return next == to ? "break;" : jump(g, to); };
    line("switch ({}) {{", text_.operand(n.a));
    body_ += text_.cases(n);
    line("    {}", action(n.t));
    line("default:");
    line("    {}", action(n.f));
    line("}}");
  }

  std::string jump(Graph& g, NodeId to) {
    if (is_inline(g, to)) return fmt::format("return {};", kept(to));
    Spot& spot = g[to];
    if (!spot.label) spot.label = ++labels_;
    return fmt::format("goto l{};", spot.label);
  }

  // ---- values ----------------------------------------------------------------------------------------

  /// Assigns the variables that a value's text has, as far as they are not on all ways to the place.
  void need(ValueId v, Place place) {
    if (v == ir::no_value) return;
    const bool has_variable = variables_[index(v)];
    if (has_variable && is_assigned(v, place)) return;
    const Value& value = p_[v];
    if (value.kind == ValueKind::Choice) {
      graph(value.root(), place, v);
    } else {
      need(value.a, place);
      need(value.b, place);
      if (!has_variable) return;
      line("{} = {};", text_.variable(v), text_.expression(v));
    }
    assigned_[index(v)].push_back(place);
    declared_.insert(index(v));
  }

  /// Looks at the last few places only: to assign once more is right, too.
  bool is_assigned(ValueId v, Place place) const {
    constexpr std::size_t most = 4;
    const auto& places = assigned_[index(v)];
    for (std::size_t n = places.size(); n-- > 0 && n + most >= places.size();)
      if (tree_.above(places[n], place)) return true;
    return false;
  }

  // ---- lines -----------------------------------------------------------------------------------------

  void label(char kind, std::uint32_t number) { fmt::format_to(std::back_inserter(body_), "{}{}:\n", kind, number); }

  template <class... Values>
  void line(fmt::format_string<Values...> format, Values&&... values) {
    body_ += "    ";
    fmt::format_to(std::back_inserter(body_), format, std::forward<Values>(values)...);
    body_ += '\n';
  }

  /// The words of the filter that the node comes from, where they are others than those above.
  void say_words(NodeId id, bool after_label) {
    const Span span = p_.span(id);
    if (p_[id].kind == NodeKind::Return || span.empty() || span.end > filter_.size()) return;
    if (span == said_ && !after_label) return;
    said_ = span;
    line("/* {} */", comment_text(filter_.substr(span.begin, span.end - span.begin)));
  }

  bool too_long() const { return body_.size() + needs_.tables.size() > most_text; }

  const ir::Program& p_;
  std::string_view filter_;
  Needs& needs_;
  const std::vector<bool> variables_;
  Text text_;
  Dominators tree_;
  std::vector<std::vector<Place>> assigned_;  ///< by value: where its variable was
  std::set<std::uint32_t> declared_;
  std::uint32_t labels_ = 0;
  Span said_;
  std::string body_;
};

}  // namespace

std::optional<FunctionBody> body_of(const ir::Program& p, std::string_view filter, Needs& needs) {
  Body body(p, filter, needs);
  auto statements = body.run();
  if (!statements) return std::nullopt;
  return FunctionBody{body.declarations(), std::move(*statements)};
}

}  // namespace weir::c
