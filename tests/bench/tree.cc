#include "tree.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace weir::bench {

using namespace ir;

Tree::Tree(const ir::Program& graph) : fields_(graph) {
  constexpr std::size_t most_fields = 40;
  if (!fields_.fit() || fields_.count() > most_fields) return;
  diagram_ = std::make_unique<Diagram>(fields_.graph(), fields_);
  if (!diagram_->fits()) {
    diagram_.reset();
    return;
  }
  for (std::size_t f = 0; f < fields_.count(); ++f) {
    std::size_t same = 0;
    while (fields_[same].value != fields_[f].value) ++same;
    raw_.push_back(static_cast<std::uint8_t>(same));
    if (const Value* v = fields_.load(f); v && v->a != no_value && std::ranges::find(bases_, v->a) == bases_.end()) bases_.push_back(v->a);
  }
  find_windows();
}

void Tree::add(const Packet& packet, std::size_t mix) {
  if (!diagram_) return;
  Lies lies;
  for (std::size_t f = 0; f < fields_.count(); ++f) {
    const auto cell = fields_.cell(f, packet);
    lies.push_back(cell ? static_cast<std::uint8_t>(*cell) : nothing);
  }
  ++packets_[lies][mix];
  ++counts_[mix];
}

void Tree::find_windows() {
  for (std::size_t low = 0; low < fields_.count(); ++low)
    for (std::size_t high = 0; high < fields_.count(); ++high) {
      const Value *v = fields_.load(low), *w = fields_.load(high);
      if (!v || !w || v->a != w->a || v->k + v->size() > w->k || w->k + w->size() - v->k > 4) continue;
      const std::uint32_t size = w->k + w->size() - v->k;
      windows_.push_back({low, high, v->k + v->size() == w->k && std::has_single_bit(size)});
    }
}

// ---- what can be asked -----------------------------------------------------------------------------------

const Tree::Moves& Tree::moves(Diagram::Id left) {
  const auto [at, is_new] = moves_.try_emplace(left);
  Moves& moves = at->second;
  if (!is_new) return moves;
  const auto open = diagram_->open(left);
  for (const auto& field : open) add_moves(moves, field);
  for (std::size_t w = 0; w < windows_.size(); ++w) add_joints(moves, w, open);
  moves.keeps_a.resize(2 * fields_.count() + windows_.size());
  moves.keeps_x.resize(bases_.size());
  for (const auto& field : open)
    for (const Cells cells : field.classes)
      if (Diagram::is_verdict(diagram_->known(left, field.field, cells))) moves.deciding.emplace_back(field.field, cells);
  const auto is_open = [&](std::size_t f) { return std::ranges::find(moves.fields, f) != moves.fields.end(); };
  const bool any_shared = std::ranges::any_of(windows_, [&](const Window& w) { return is_open(w.low) && is_open(w.high); }) ||
                          std::ranges::any_of(moves.fields, [&](std::size_t f) { return raw_[f] != f && is_open(raw_[f]); });
  moves.second = std::ranges::any_of(moves.joint, [](const Joint& j) { return !j.needs_mask; }) ? 0 : any_shared ? 1 : 2;
  for (const auto& o : open) {
    moves.fields.push_back(o.field);
    moves.keeps_a[raw_[o.field]] = moves.keeps_a[fields_.count() + o.field] = true;
    for (std::size_t w = 0; w < windows_.size(); ++w)
      if (windows_[w].low == o.field || windows_[w].high == o.field) moves.keeps_a[2 * fields_.count() + w] = true;
    if (const std::uint8_t x = base_of(o.field); x != nothing) moves.keeps_x[x] = true;
  }
  return moves;
}

/// All ways to part the cells of a field by one comparison that tells something. Cells in a row that decide alike stay together.
void Tree::add_moves(Moves& moves, const Diagram::Open& open) {
  std::vector<Cells> rows, some;
  const auto class_of = [&](std::size_t cell) {
    return std::ranges::find_if(open.classes, [&](Cells all) { return (all >> cell & 1) != 0; });
  };
  for (std::size_t c = 0, before = most_cells; c < fields_[open.field].cells.size(); ++c) {
    if ((open.possible >> c & 1) == 0) continue;
    if (before == most_cells || class_of(c) != class_of(before)) rows.push_back(0);
    rows.back() |= Cells{1} << c;
    before = c;
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (Cells all = 0, j = i; j < rows.size(); ++j) some.push_back(all |= rows[j]);
  constexpr std::size_t most_classes = 6;
  const std::size_t classes = std::min(open.classes.size(), most_classes);
  for (std::size_t which = 1; which < std::size_t{1} << classes; ++which) {
    Cells all = 0;
    for (std::size_t k = 0; k < classes; ++k)
      if ((which >> k & 1) != 0) all |= open.classes[k];
    some.push_back(all);
  }
  std::set<Cells> seen;
  std::vector<Move> found;
  for (const Cells one : some) {
    const Cells rest = open.possible & ~one;
    if (rest == 0 || !seen.insert(std::min(one, rest)).second) continue;
    if (const auto comparison = fields_.comparison(open.field, one, rest)) found.push_back({open.field, one, rest, *comparison});
  }
  // A part of a class need not be set apart where all of it can be, for no more.
  const auto is_class = [&](Cells cells) { return std::ranges::find(open.classes, cells) != open.classes.end(); };
  const auto told_at_once = [&](Cells all) {
    return std::ranges::any_of(found, [&](const Move& m) { return (m.some == all || m.rest == all) && m.comparison.cost == 1; });
  };
  const auto is_part_for_nothing = [&](Cells cells) {
    const auto whole = std::ranges::find_if(open.classes, [&](Cells all) { return (cells & ~all) == 0; });
    return whole != open.classes.end() && *whole != cells && told_at_once(*whole);
  };
  const auto is_range = [&](Cells cells) { return std::ranges::find(some.begin(), some.end(), cells) != some.end() && !is_class(cells); };
  for (const Move& m : found)
    if (!is_part_for_nothing(m.some) && !is_part_for_nothing(m.rest) && (m.comparison.cost == 1 || !is_range(m.some)))
      moves.single.push_back(m);
}

/// Both fields of a window at once, for equality: where the one holds, and the other.
void Tree::add_joints(Moves& moves, std::size_t window, const std::vector<Diagram::Open>& open) {
  const Window& w = windows_[window];
  const auto is_open = [&](std::size_t f) { return std::ranges::any_of(open, [&](const auto& o) { return o.field == f; }); };
  if (!is_open(w.low) || !is_open(w.high)) return;
  std::array<std::vector<std::pair<Cells, Cells>>, 2> sides;
  for (const Move& m : moves.single)
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}}) {
      const std::size_t field = k == 0 ? w.low : w.high;
      if (m.field != field) continue;
      for (const auto& [some, rest] : {std::pair(m.some, m.rest), std::pair(m.rest, m.some)})
        if (fields_.are_one_number(field, some, rest)) sides[k].emplace_back(some, rest);
    }
  const auto is_number = [&](std::size_t f, Cells some) {
    return std::has_single_bit(some) && fields_[f].mask == 0xffffffff &&
           fields_[f].cells[static_cast<std::size_t>(std::countr_zero(some))].only();
  };
  for (const auto& [a, not_a] : sides[0])
    for (const auto& [b, not_b] : sides[1]) {
      const bool whole = w.is_tiled && is_number(w.low, a) && is_number(w.high, b);
      const bool lack = fields_.lack_bits(w.low, a, not_a) && fields_.lack_bits(w.high, b, not_b);
      moves.joint.push_back({window, {w.low, w.high}, {a, b}, {not_a, not_b}, !whole && !lack});
    }
}

// ---- what it costs ----------------------------------------------------------------------------------------

std::uint8_t Tree::base_of(std::size_t field) const {
  const Value* v = fields_.load(field);
  if (!v || v->a == no_value) return nothing;
  return static_cast<std::uint8_t>(std::ranges::find(bases_, v->a) - bases_.begin());
}

/// Instructions for a value, each part of it once; those of what A and X hold are there.
std::size_t Tree::cost_of(ValueId v, const State& s, std::set<ValueId>& done) const {
  const Program& p = fields_.graph();
  if (v == no_value || p[v].kind == ValueKind::Constant || !done.insert(v).second) return 0;
  if (s.x != nothing && bases_[s.x] == v) return 0;
  if (s.a < fields_.count() && fields_[s.a].has_numbers && fields_[s.a].value == v) return 0;
  const Value& value = p[v];
  const auto is = [&](const Value& op, Arith arith, std::uint32_t k) {
    return op.kind == ValueKind::Binary && op.arith() == arith && constant_of(p, op.b) == k;
  };
  if (is(value, Arith::Lsh, 2) && is(p[value.a], Arith::And, 0xf)) return 1;  // ldxb 4*([k]&0xf)
  return 1 + cost_of(value.a, s, done) + (value.kind == ValueKind::Binary ? cost_of(value.b, s, done) : 0);
}

/// The value of a field into A, or of a window that it is in.
Tree::Load Tree::load(const State& s, std::size_t field, std::uint8_t into) const {
  if (s.a == into) return {0, s.a, s.x};
  const Fields::Field& f = fields_[field];
  std::set<ValueId> done;
  State without = s;
  if (into >= 2 * fields_.count()) without.a = nothing;  // a field of the window is no load of it
  std::size_t cost = cost_of(f.value, without, done);
  if (!f.has_numbers) cost += cost_of(fields_.graph()[f.opaque].b, s, done);
  const bool is_masked = f.has_numbers && into >= fields_.count() && into < 2 * fields_.count();
  const std::uint8_t base = base_of(field);
  return {cost + (is_masked ? 1 : 0), into, base == nothing ? s.x : base};
}

/// How the field of a comparison may come into A: by itself, or with what lies beside it.
std::vector<Tree::Load> Tree::loads(const State& s, const Move& move) const {
  const std::size_t f = move.field;
  const std::uint8_t raw = raw_[f], masked = static_cast<std::uint8_t>(fields_.count() + f);
  std::vector<Load> all;
  const bool is_masked = fields_[f].mask != 0xffffffff;
  if (s.a == masked || !fields_[f].has_numbers || (is_masked && move.comparison.how != Compares::Bits)) all.push_back(load(s, f, masked));
  else all.push_back(load(s, f, raw));
  for (std::size_t w = 0; w < windows_.size(); ++w) {
    const bool is_there = move.comparison.how == Compares::Bits ? windows_[w].low == f || windows_[w].high == f
                                                                : move.comparison.how == Compares::Order && windows_[w].low == f;
    if (is_there) all.push_back(load(s, f, static_cast<std::uint8_t>(2 * fields_.count() + w)));
  }
  return all;
}

// ---- the search -------------------------------------------------------------------------------------------

std::uint32_t Tree::crowd(Crowd some) {
  const auto [at, is_new] = crowd_ids_.try_emplace(std::move(some), static_cast<std::uint32_t>(crowds_.size()));
  if (is_new) {
    crowds_.push_back(&at->first);
    double sum = 0;
    for (const std::uint32_t g : at->first) sum += weights_[g];
    crowd_weights_.push_back(sum);
  }
  return at->second;
}

double Tree::weight(std::uint32_t crowd) const { return crowd_weights_[crowd]; }

/// What no question to come has a use for is forgotten.
Tree::State Tree::normal(State s) {
  if (Diagram::is_verdict(s.left)) return {s.left, s.crowd, nothing, nothing};
  const Moves& m = moves(s.left);
  if (s.a != nothing && !m.keeps_a[s.a]) s.a = nothing;
  if (s.x != nothing && !m.keeps_x[s.x]) s.x = nothing;
  return s;
}

/// At least a return; where the verdict is open, a comparison, and a load where nothing is there; and once more of packets that no
/// single field decides about.
double Tree::bound(const State& s) {
  const double all = weight(s.crowd);
  if (Diagram::is_verdict(s.left) || all == 0) return all;
  const auto [at, is_new] = bounds_.try_emplace(std::uint64_t{s.left} << 32 | s.crowd, 0);
  if (is_new) {
    const Moves& m = moves(s.left);
    const auto decides = [&](const auto& d, std::uint32_t g) { return (d.second >> groups_[g][d.first] & 1) != 0; };
    const auto least_of = [&](std::uint32_t g) -> double {
      if (std::ranges::any_of(m.fields, [&](std::size_t f) { return groups_[g][f] == nothing; })) return 1;  // a load that fails
      return std::ranges::any_of(m.deciding, [&](const auto& d) { return decides(d, g); }) ? 3 : 3 + m.second;
    };
    for (const std::uint32_t g : *crowds_[s.crowd]) at->second += weights_[g] * least_of(g);
  }
  return at->second - (s.a == nothing ? 0 : all);
}

/// What a question leads to, each with the packets that go there.
void Tree::lead(Plan& plan, Diagram::Id left, Crowd some, const Load& load) {
  plan.next.push_back(normal({left, crowd(std::move(some)), load.a, load.x}));
  plan.cost += bound(plan.next.back());
}

Tree::Plan Tree::plan(const State& s, const Move& move, const Load& load) {
  std::array<Crowd, 2> parts;
  double ended = 0;
  for (const std::uint32_t g : *crowds_[s.crowd]) {
    const std::uint8_t cell = groups_[g][move.field];
    if (cell == nothing) ended += weights_[g];
    else parts[(move.some >> cell & 1) != 0 ? 0 : 1].push_back(g);
  }
  const double all = weight(s.crowd);
  Plan plan{static_cast<double>(load.cost) * all + static_cast<double>(move.comparison.cost) * (all - ended), {}};
  lead(plan, diagram_->known(s.left, move.field, move.some), std::move(parts[0]), load);
  lead(plan, diagram_->known(s.left, move.field, move.rest), std::move(parts[1]), load);
  return plan;
}

/// Where the first of both does not hold, nothing is known of the second; that the program is told which is more than it gets.
Tree::Plan Tree::plan(const State& s, const Joint& joint) {
  const std::uint8_t window = static_cast<std::uint8_t>(2 * fields_.count() + joint.window);
  Load got = load(s, joint.field[0], window);
  if (joint.needs_mask) got.a = nothing;
  std::array<Crowd, 3> parts;
  double ended = 0;
  for (const std::uint32_t g : *crowds_[s.crowd]) {
    const std::uint8_t a = groups_[g][joint.field[0]], b = groups_[g][joint.field[1]];
    if (a == nothing || b == nothing) ended += weights_[g];
    else parts[(joint.some[0] >> a & 1) == 0 ? 2 : (joint.some[1] >> b & 1) == 0 ? 1 : 0].push_back(g);
  }
  const double all = weight(s.crowd);
  Plan plan{static_cast<double>(got.cost) * all + (joint.needs_mask ? 2 : 1) * (all - ended), {}};
  const Diagram::Id first = diagram_->known(s.left, joint.field[0], joint.some[0]);
  lead(plan, diagram_->known(first, joint.field[1], joint.some[1]), std::move(parts[0]), got);
  lead(plan, diagram_->known(first, joint.field[1], joint.rest[1]), std::move(parts[1]), got);
  lead(plan, diagram_->known(s.left, joint.field[0], joint.rest[0]), std::move(parts[2]), got);
  return plan;
}

/// The least from here on, where that is below a limit; otherwise no less than the limit.
double Tree::best_from(const State& s, double limit) {
  if (Diagram::is_verdict(s.left) || weight(s.crowd) == 0) return weight(s.crowd);
  const auto [known, is_new] = known_.try_emplace(s, Known{0, false});
  Known& done = known->second;  // stays where it is
  if (done.is_exact || done.least >= limit) return done.least;
  if (known_.size() >= most_states || !diagram_->fits()) too_many_ = true;
  if (too_many_) return bound(s);
  std::vector<Plan> plans;
  const Moves& all = moves(s.left);
  for (const Move& move : all.single)
    for (const Load& load : loads(s, move)) plans.push_back(plan(s, move, load));
  for (const Joint& joint : all.joint) plans.push_back(plan(s, joint));
  std::ranges::sort(plans, {}, &Plan::cost);
  double best = limit;
  for (const Plan& p : plans) {
    double cost = p.cost;
    for (std::size_t k = 0; k < p.next.size() && cost < best; ++k) {
      const double counted = bound(p.next[k]);
      cost += best_from(p.next[k], best - cost + counted) - counted;
    }
    best = std::min(best, cost);
  }
  done = {best, best < limit};
  return best;
}

std::optional<double> Tree::least(const Weights& weights, double at_most) {
  if (!diagram_) return std::nullopt;
  groups_.clear();
  weights_.clear();
  known_.clear();
  bounds_.clear();
  crowd_ids_.clear();
  crowds_.clear();
  crowd_weights_.clear();
  too_many_ = false;
  for (const auto& [lies, count] : packets_) {
    double sum = 0;
    for (std::size_t m = 0; m < mixes; ++m)
      sum += counts_[m] == 0 ? 0 : weights[m] * static_cast<double>(count[m]) / static_cast<double>(counts_[m]);
    groups_.push_back(lies);
    weights_.push_back(sum);
  }
  Crowd all(groups_.size());
  std::iota(all.begin(), all.end(), 0u);
  const double found = best_from(normal({diagram_->whole(), crowd(std::move(all)), nothing, nothing}), at_most);
  return too_many_ ? std::nullopt : std::optional(found);
}

}  // namespace weir::bench
