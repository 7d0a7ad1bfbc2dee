#include "fields.hpp"

#include <algorithm>
#include <bit>

#include "ir/order.hpp"
#include "optimize/known.hpp"

namespace weir::bench {
namespace {

using namespace ir;

/// How many pieces of a field are cells of their own, so that comparisons by order can tell them apart.
constexpr std::size_t most_pieces = 16;

std::uint32_t all_bits(std::uint32_t size) { return 0xffffffff >> (32 - 8 * size); }

/// The least number from `low` on that has none of some bits.
std::uint64_t next_without(std::uint64_t low, std::uint32_t bits) {
  while ((low & bits) != 0) {
    const std::uint64_t highest = std::bit_floor(low & bits);
    low = (low | (highest - 1)) + 1;  // carries past the highest bit that may not be there
  }
  return low;
}

/// Whether some number has none of the bits.
bool some_without(const Set& numbers, std::uint32_t bits) {
  return std::ranges::any_of(numbers.intervals(), [&](Interval i) { return next_without(i.low, bits) <= i.high; });
}

/// Whether some number is `k` in the bits of a mask: with those of `k` turned it has none of the mask.
bool some_equal(const Set& numbers, std::uint32_t mask, std::uint32_t k) {
  for (const Interval i : numbers.intervals()) {
    // In steps of what is below the mask: the numbers that agree lie in blocks.
    std::uint64_t at = i.low;
    while (at <= i.high) {
      const std::uint32_t wrong = (static_cast<std::uint32_t>(at) ^ k) & mask;
      if (wrong == 0) return true;
      const std::uint32_t highest = std::bit_floor(wrong);
      if ((k & highest) != 0) at = (at & ~std::uint64_t{highest - 1}) | highest;
      else at = (at | (highest - 1)) + 1;
    }
  }
  return false;
}

std::uint32_t varying(const Set& numbers) {
  std::uint32_t bits = 0;
  for (const Interval i : numbers.intervals()) {
    const std::uint32_t inside = i.low ^ i.high;
    bits |= (i.low ^ numbers.low()) | (inside ? 0xffffffff >> std::countl_zero(inside) : 0);
  }
  return bits;
}

std::uint32_t any_of(const Set& numbers) { return numbers.low() | varying(numbers); }

}  // namespace

Fields::Fields(const ir::Program& graph) : graph_(graph) {
  Ranges ranges(graph_);
  std::vector<std::vector<Set>> questions;
  const Flags live = live_nodes(graph_);
  fit_ = !graph_.has_choices();
  for (auto i = static_cast<std::uint32_t>(graph_.node_count()); i-- > 0 && fit_;)
    if (const Node& n = graph_[NodeId{i}]; live[i] && (n.forks() || n.kind == NodeKind::NonZero)) collect(NodeId{i}, ranges, questions);
  std::uint32_t first = 0;
  for (std::size_t f = 0; f < fields_.size() && fit_; ++f) {
    cut(fields_[f], questions[f]);
    fields_[f].first = first;
    first += static_cast<std::uint32_t>(fields_[f].cells.size());
    fit_ = first <= most_cells;
  }
  for (auto& [id, asked] : asked_) {
    if (!fit_) return;
    const Field& field = fields_[asked.field];
    const auto q = field.has_numbers ? optimize::question(graph_, ranges, graph_[id]) : std::nullopt;
    for (std::size_t c = 0; c < field.cells.size(); ++c)
      if (q ? q->holds.contains(field.cells[c].low()) : c == 1) asked.holds |= Cells{1} << c;
  }
}

/// The field of a test, which may be new.
void Fields::collect(NodeId id, Ranges& ranges, std::vector<std::vector<Set>>& questions) {
  const Node& n = graph_[id];
  const auto q = optimize::question(graph_, ranges, n);
  const auto same = [&](const Field& f) { return q && f.has_numbers && f.value == q->value && f.mask == q->mask; };
  auto at = std::ranges::find_if(fields_, same);
  if (at == fields_.end()) {
    Field field{.value = q ? q->value : n.a, .mask = q ? q->mask : 0xffffffff, .cells = {}, .opaque = id, .has_numbers = q.has_value()};
    ir::Program number = ir::Program::beside(graph_), is_there = ir::Program::beside(graph_);
    if (q) {
      const ValueId masked = q->mask == 0xffffffff ? q->value : number.binary(Arith::And, q->value, number.constant(q->mask));
      number.root = number.ret(masked);
      is_there.root = is_there.test(Relation::GreaterEqual, q->value, is_there.constant(0), is_there.ret(1), is_there.ret(2));
    } else {
      Node alone = n;
      alone.t = number.ret(1);
      alone.f = number.ret(0);
      number.root = number.add(alone);
      alone.t = is_there.ret(1);
      alone.f = is_there.ret(2);
      is_there.root = is_there.add(alone);
    }
    fields_.push_back(std::move(field));
    domains_.push_back(q ? q->domain : Interval{0, 1});
    probes_.emplace_back(std::move(number), std::move(is_there));
    questions.emplace_back();
    at = fields_.end() - 1;
  }
  const auto f = static_cast<std::size_t>(at - fields_.begin());
  if (q) questions[f].push_back(q->holds);
  asked_[id] = {f, 0};
}

/// Pieces between the bounds of the questions, where they are few; otherwise what all questions answer alike is one cell.
void Fields::cut(Field& field, const std::vector<Set>& questions) {
  const Interval domain = domains_[static_cast<std::size_t>(&field - fields_.data())];
  if (!field.has_numbers) return void(field.cells = {Set::of(0), Set::of(1)});
  std::vector<Set> alike{Set(domain)};
  for (const Set& holds : questions) {
    std::vector<Set> finer;
    for (const Set& cell : alike)
      for (Set part : {cell & holds, cell - holds})
        if (!part.empty()) finer.push_back(std::move(part));
    alike = std::move(finer);
  }
  std::vector<Set> pieces;
  for (const Set& cell : alike)
    for (const Interval i : cell.intervals()) pieces.emplace_back(i);
  field.cells = pieces.size() <= most_pieces ? std::move(pieces) : std::move(alike);
  std::ranges::sort(field.cells, {}, &Set::low);
}

Set Fields::numbers(std::size_t field, Cells some) const {
  Set all;
  for (std::size_t c = 0; c < fields_[field].cells.size(); ++c)
    if (some >> c & 1) all = all | fields_[field].cells[c];
  return all;
}

std::uint32_t Fields::bits(std::size_t field) const {
  const Value& v = graph_[fields_[field].value];
  return fields_[field].mask & (v.kind == ValueKind::Load ? all_bits(v.size()) : 0xffffffff);
}

bool Fields::are_one_number(std::size_t field, Cells some, Cells rest) const {
  const Set yes = numbers(field, some);
  return !some_equal(numbers(field, rest), bits(field) & ~varying(yes), yes.low());
}

bool Fields::lack_bits(std::size_t field, Cells some, Cells rest) const {
  return !some_without(numbers(field, rest), bits(field) & ~any_of(numbers(field, some)));
}

const Value* Fields::load(std::size_t field) const {
  const Value& v = graph_[fields_[field].value];
  return fields_[field].has_numbers && v.kind == ValueKind::Load ? &v : nullptr;
}

std::optional<Fields::Comparison> Fields::comparison(std::size_t field, Cells some, Cells rest) const {
  const Set yes = numbers(field, some), no = numbers(field, rest);
  const std::uint32_t all = bits(field);
  if (lack_bits(field, some, rest) || lack_bits(field, rest, some)) return Comparison{1, Compares::Bits};
  if (yes.high() < no.low() || no.high() < yes.low()) return Comparison{1, Compares::Order};
  std::optional<Comparison> with_mask;
  for (const bool straight : {true, false}) {
    const Set &one = straight ? yes : no, &others = straight ? no : yes;
    if (one.only()) return Comparison{1, Compares::Number};
    const std::uint32_t agree = all & ~varying(one);
    if (some_equal(others, agree, one.low())) continue;
    // A load of some of the bytes needs no mask.
    for (const std::uint32_t bytes : {0xffu, 0xff00u, 0xff0000u, 0xff000000u, 0xffffu, 0xffff00u, 0xffff0000u})
      if ((bytes & ~agree) == 0 && !some_equal(others, bytes, one.low())) return Comparison{1, Compares::Number};
    with_mask = {2, Compares::Number};
  }
  return with_mask;
}

std::optional<std::vector<Cells>> Fields::together(std::size_t a, std::size_t b) const {
  const Field &x = fields_[a], &y = fields_[b];
  const Value &v = graph_[x.value], &w = graph_[y.value];
  if (!x.has_numbers || !y.has_numbers || v.kind != ValueKind::Load || w.kind != ValueKind::Load || v.a != w.a) return std::nullopt;
  const std::uint64_t begin = std::min(v.k, w.k), end = std::max(std::uint64_t{v.k} + v.size(), std::uint64_t{w.k} + w.size());
  const std::uint64_t wide = end - begin;
  constexpr std::uint64_t few = 2;  // more would be too many numbers to look at
  if (wide >= v.size() + w.size() || wide > few) return std::nullopt;
  const auto of = [&](const Field& f, const Value& load, std::uint64_t all) {
    const auto number = static_cast<std::uint32_t>(all >> (8 * (end - load.k - load.size()))) & all_bits(load.size()) & f.mask;
    const auto at = std::ranges::find_if(f.cells, [&](const Set& cell) { return cell.contains(number); });
    return at == f.cells.end() ? std::size_t{most_cells} : static_cast<std::size_t>(at - f.cells.begin());
  };
  std::vector<Cells> with(x.cells.size());
  const auto take = [&](std::uint64_t all) {
    if (const std::size_t c = of(x, v, all), d = of(y, w, all); c < x.cells.size() && d < y.cells.size()) with[c] |= Cells{1} << d;
  };
  for (std::uint64_t all = 0; all < std::uint64_t{1} << (8 * wide); ++all) take(all);
  return with;
}

std::optional<std::uint32_t> Fields::cell(std::size_t field, const Packet& packet) const {
  if (evaluate(probes_[field].second, packet) == 0) return std::nullopt;
  const std::uint32_t number = evaluate(probes_[field].first, packet);
  const auto& cells = fields_[field].cells;
  const auto at = std::ranges::find_if(cells, [&](const Set& cell) { return cell.contains(number); });
  return at == cells.end() ? std::nullopt : std::optional(static_cast<std::uint32_t>(at - cells.begin()));
}

}  // namespace weir::bench
