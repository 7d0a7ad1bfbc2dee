#include "resolve/resolve.hpp"

#include <fmt/format.h>

#include "resolve/families.hpp"
#include "resolve/repetition.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

/// What is handed from left to right: where headers are, and the qualifiers that a bare id inherits (none at the
/// start and after anything that has none: `tcp or 80` means nothing).
struct State {
  Layers layers;
  std::optional<ast::Qualifiers> qualifiers;
  const ast::Tunnel* tunnel = nullptr;  ///< what stood directly before, for advice
};

class Walk {
 public:
  Walk(pred::Filter& f, const wire::Target& t, const names::Names& n, const Limits& l, std::vector<Part>* parts)
      : filter_(f), target_(t), names_(n), limits_(l), parts_(parts) {}

  Test expr(const ast::Expr& e, State& state) {
    const Site site{filter_, target_, names_, limits_, state.layers, e.span};
    Test test = std::visit([&](const auto& node) { return visit(node, site, state); }, e.node);
    if (test && parts_) parts_->push_back({&e, *test});
    return test;
  }

 private:
  Test visit(const ast::Everything&, const Site& s, State&) { return truth(s, true); }

  Test visit(const ast::Primitive& p, const Site& s, State& state) {
    if (p.qualifiers) state.qualifiers = p.qualifiers;
    if (!state.qualifiers)
      return fail(Code::Syntax, s.span, "syntax error: nothing says what this is",
                  state.tunnel && state.tunnel->number ? hint_about_several(s, *state.tunnel, p.id)
                                                       : "put a qualifier before it, such as host, net or port");
    if (!repetition_.is_worth_it()) return primitive(s, *state.qualifiers, p.id);
    const auto what = listed(*state.qualifiers, p.id);
    if (!what) return primitive(s, *state.qualifiers, p.id);
    if (const auto known = repetition_.repeated(filter_, *what, s.span)) return *known;
    const std::size_t first = filter_.expr_count(), new_values = filter_.value_count();
    WEIR_TRY(test, primitive(s, *state.qualifiers, p.id));
    repetition_.learn(filter_, *what, test, first, new_values);
    return test;
  }

  Test visit(const ast::QualifiedGroup& g, const Site&, State& state) {
    state.qualifiers = g.qualifiers;
    return expr(*g.ids, state);
  }

  /// What a parenthesis inherits goes on behind it, whatever stood inside.
  Test visit(const ast::Group& g, const Site&, State& state) {
    const auto outer = state.qualifiers;
    auto inner = expr(*g.inner, state);
    state.qualifiers = outer;
    return inner;
  }

  Test visit(const ast::Not& n, const Site& s, State& state) {
    WEIR_TRY(operand, expr(*n.operand, state));
    return no(s, operand);
  }

  /// Runs of one operator become one n-ary node; its first operand is all that stands to the left.
  Test visit(const ast::Chain& c, const Site& s, State& state) {
    repetition_.expect(c.operands.size());
    const std::size_t before = filter_.expr_count();
    WEIR_TRY(first, expr(c.operands.front(), state));
    // Lists are mostly of one kind: what the first operand took, the others will take.
    filter_.expect((filter_.expr_count() - before) * (c.operands.size() - 1));
    std::vector<ExprId> run;
    run.reserve(c.operands.size());
    run.push_back(first);
    for (std::size_t i = 1; i < c.operands.size(); ++i) {
      if (i > 1 && c.is_or[i - 1] != c.is_or[i - 2]) run.assign({joined(s, c.is_or[i - 2], run)});
      WEIR_TRY(next, expr(c.operands[i], state));
      run.push_back(next);
    }
    return c.operands.size() == 1 ? first : joined(s, c.is_or.back(), run);
  }
  static ExprId joined(const Site& s, bool is_or, std::span<const ExprId> run) {
    return is_or ? any(s, run) : all(s, run);
  }

  Test visit(const ast::Tunnel& t, const Site& s, State& state) {
    Layers after;
    WEIR_TRY(test, tunnel(s, t, after));
    state.layers = after;
    repetition_.forget();
    bare(state, test);
    state.tunnel = &t;
    return test;
  }

  Test visit(const ast::Abbreviation& a, const Site& s, State& state) { return bare(state, abbreviation(s, a.protocol)); }
  Test visit(const ast::Relation& r, const Site& s, State& state) { return bare(state, relation(s, r)); }
  Test visit(const ast::Broadcast& b, const Site& s, State& state) { return bare(state, broadcast(s, b.protocol)); }
  Test visit(const ast::Multicast& m, const Site& s, State& state) { return bare(state, multicast(s, m.protocol)); }
  Test visit(const ast::LengthTest& t, const Site& s, State& state) { return bare(state, length_test(s, t)); }
  Test visit(const ast::ByteTest& t, const Site& s, State& state) { return bare(state, byte_test(s, t)); }
  Test visit(const ast::Inbound& i, const Site& s, State& state) { return bare(state, inbound(s, i)); }
  Test visit(const ast::Ifindex& i, const Site& s, State& state) { return bare(state, ifindex(s, i)); }
  Test visit(const ast::WlanType& t, const Site& s, State& state) { return bare(state, wlan_type(s, t)); }
  Test visit(const ast::WlanDirection& d, const Site& s, State& state) { return bare(state, wlan_direction(s, d)); }
  Test visit(const ast::Llc& l, const Site& s, State& state) { return bare(state, llc(s, l)); }

  Test visit(const ast::Pf& p, const Site& s, State& state) { return bare(state, pf(s, p)); }
  Test visit(const ast::Mtp2& m, const Site& s, State& state) { return bare(state, mtp2(s, m)); }
  Test visit(const ast::FieldTest& t, const Site& s, State& state) {
    return bare(state, t.field <= ast::Field::Vci ? atm_field(s, t) : mtp3_field(s, t));
  }
  Test visit(const ast::Atm& a, const Site& s, State& state) {
    Layers after;
    WEIR_TRY(test, atm(s, a, after));
    state.layers = after;
    repetition_.forget();
    return bare(state, test);
  }

  /// A primitive without qualifiers leaves none to inherit.
  static Test bare(State& state, Test test) {
    state.qualifiers.reset();
    state.tunnel = nullptr;
    return test;
  }

  pred::Filter& filter_;
  const wire::Target& target_;
  const names::Names& names_;
  const Limits& limits_;
  std::vector<Part>* parts_;
  Repetition repetition_;
};

}  // namespace

namespace {

/// Expressions of a usual filter.
constexpr std::size_t few = 32;

/// Bytes 4 to 7 of a PPI header are the link type of what follows, little-endian: only 802.11 is looked into.
ExprId ppi_with_wlan(pred::Filter& f, Span span) {
  return f.compare(Relation::Equal, f.load(4, pred::no_value, 4), f.constant(__builtin_bswap32(wire::dlt_ieee802_11)), span);
}

}  // namespace

Result<pred::Filter> resolve(const ast::Expr& expr, const wire::Target& target, const names::Names& names,
                             const Limits& limits, std::vector<Part>* parts) {
  if (target.cooked && target.link_type->layout.kernel_fields.empty())
    return fail(Code::LinkType, {}, fmt::format("sockets give packets of {} with their link-layer header", target.link_type->name),
                "without one come only those that are captured as LINUX_SLL or LINUX_SLL2");
  pred::Filter filter;
  filter.accept = target.snaplen;
  filter.expect(few);
  State state{outer_layers(filter, *target.link_type, target.cooked), std::nullopt};
  WEIR_TRY(root, Walk(filter, target, names, limits, parts).expr(expr, state));
  const bool empty = std::holds_alternative<ast::Everything>(expr.node);
  const bool ppi = target.link_type->layout.prefix == wire::Prefix::Ppi && !empty;
  filter.root = ppi ? filter.all({ppi_with_wlan(filter, expr.span), root}, expr.span) : root;
  return filter;
}

}  // namespace weir::resolve
