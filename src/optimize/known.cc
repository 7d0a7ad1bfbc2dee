#include "optimize/known.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace weir::optimize {

using namespace ir;

namespace {

/// The numbers of a byte whose masked part is in a set.
Set unmasked(std::uint32_t high, std::uint32_t mask, const Set& part) {
  mask &= ByteSet::last;
  const ByteSet all(Interval{0, high});
  const Set whole(Interval{0, high});  // what is left of it has long intervals, and a set made of bytes looks at each number of those
  if (const auto k = part.only()) return (*k & ~mask) == 0 ? Set::of(all & ByteSet::of_bits(mask, *k)) : Set();
  if (mask != 0 && part.covers(Interval{1, mask})) return part.contains(0) ? whole : whole - Set::of(ByteSet::of_bits(mask, 0));
  const bool mostly = part.contains(mask);
  ByteSet others;  // those that are in the set where that one is not, and not where it is
  for (std::uint32_t x = mask; x != 0;) {
    x = (x - 1) & mask;
    if (part.contains(x) != mostly) others = others | ByteSet::of_bits(mask, x);
  }
  return mostly ? whole - Set::of(others) : Set::of(all & others);
}

/// The numbers whose upper bits, those not in `rest`, are in a set.
Set widened(const Set& upper, std::uint32_t rest) {
  const auto wide = [&](Interval i) {
    const std::uint64_t low = (std::uint64_t{i.low} + rest) & ~std::uint64_t{rest};
    return low <= (i.high & ~rest) ? std::optional(Interval{static_cast<std::uint32_t>(low), i.high | rest}) : std::nullopt;
  };
  if (const auto k = upper.only()) {  // mostly
    const auto all = wide({*k, *k});
    return all ? Set(*all) : Set();
  }
  std::vector<Interval> numbers;
  for (const Interval i : upper.intervals())
    if (const auto all = wide(i)) numbers.push_back(*all);
  return Set::join(std::move(numbers));
}

/// Whether a number of a set agrees with k in the bits of a mask; `all`: no number has others. Of many numbers one may.
bool has_alike(const Set& numbers, std::uint32_t k, std::uint32_t mask, bool all) {
  constexpr std::uint64_t many = 0x100;
  if (all) return numbers.contains(k);
  if (mask == 0 || numbers.size() > many) return true;
  for (const Interval i : numbers.intervals())
    for (std::uint64_t number = i.low; number <= i.high; ++number)
      if ((number & mask) == k) return true;
  return false;
}

/// The numbers for which a comparison with a constant holds.
Set answer(Relation op, std::uint32_t k) {
  switch (op) {
    case Relation::Equal: return Set::of(k);
    case Relation::Greater: return k == 0xffffffff ? Set() : Set({k + 1, 0xffffffff});
    case Relation::GreaterEqual: return Set({k, 0xffffffff});
    case Relation::Bits: break;
  }
  return Set({1, 0xffffffff});  // of (value & k)
}

}  // namespace

Subjects::Subjects(const Program& p) : tests_(p.value_count()) {
  for (std::uint32_t i = 0; i < p.node_count(); ++i) {
    const ValueId about = subject(p, p[NodeId{i}]);
    if (about == no_value) continue;
    Tests& tests = tests_[about];
    any_ |= tests != None;
    tests = tests == None ? One : Several;
  }
}

void Subjects::join_parts(const Program& p) {
  constexpr std::size_t most = 16;
  std::array<std::uint32_t, most> wholes;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < p.node_count() && count < most; ++i) {
    const Node& n = p[NodeId{i}];
    if (n.kind != NodeKind::Test || n.relation() != Relation::Equal) continue;
    const ValueId about = subject(p, n);
    if (about == no_value || p[about].kind != ValueKind::Load || p[about].size() == 1) continue;
    if (count == 0 || wholes[count - 1] != static_cast<std::uint32_t>(about)) wholes[count++] = static_cast<std::uint32_t>(about);
  }
  for (std::uint32_t i = 0; count != 0 && i < tests_.size(); ++i) {
    if (tests_[i] == None || p[ValueId{i}].kind != ValueKind::Load || p[ValueId{i}].size() == 4) continue;
    for (std::size_t k = 0; k < count; ++k) {
      if (!is_part(p[ValueId{i}], p[ValueId{wholes[k]}])) continue;
      tests_[i] = tests_[wholes[k]] = Several;
      any_ = true;
    }
  }
}

namespace {

/// False where there is no question. It is worked out where it is returned: it is large, and asked for again and again.
bool work_out(Question& q, const Program& p, Ranges& ranges, const Node& n) {
  q.value = n.a;
  switch (n.kind) {
    case NodeKind::Return:
    case NodeKind::Guard: return false;
    case NodeKind::NonZero: q.holds = Set({1, 0xffffffff}); break;
    case NodeKind::Member: q.holds = p.set_of(n); break;
    case NodeKind::Test: {
      const auto k = constant_of(p, n.b);
      if (!k) return false;
      q.holds = answer(n.relation(), *k);
      if (n.relation() == Relation::Bits) q.mask = *k;
    }
  }
  const Value& v = p[n.a];
  const auto mask = v.kind == ValueKind::Binary && v.arith() == Arith::And ? constant_of(p, v.b) : std::nullopt;
  if (mask) {
    q.value = v.a;
    q.mask &= *mask;
  }
  const Interval range = ranges.of(q.value);
  if (const std::uint32_t rest = ~q.mask & (range.high ? 0xffffffff >> std::countl_zero(range.high) : 0);
      q.mask != 0xffffffff && (rest & (rest + 1)) == 0) {
    q.holds = widened(q.holds, rest);
    q.mask = 0xffffffff;
  }
  if (q.mask != 0xffffffff && range.high <= 0xff) {
    q.holds = unmasked(range.high, q.mask, q.holds);
    q.mask = 0xffffffff;
  }
  q.domain = q.mask == 0xffffffff ? range : Interval{0, q.mask};
  return true;
}

}  // namespace

std::optional<Question> question(const Program& p, Ranges& ranges, const Node& n) {
  std::optional<Question> q;
  q.emplace();
  if (!work_out(*q, p, ranges, n)) q.reset();
  return q;
}

const Known::Fact* Known::find(ValueId value, std::uint32_t mask) const {
  for (const Fact& f : facts())
    if (f.value == value && f.mask == mask) return &f;
  return nullptr;
}

/// The number asked about, where more bits of its value are known to be one number.
std::optional<std::uint32_t> Known::single(const Numbers& numbers, const Question& q) const {
  for (const Fact& f : facts()) {
    if (f.value != q.value || (q.mask & ~f.mask) != 0) continue;
    if (const auto k = numbers[f.possible].only()) return *k & q.mask;
  }
  return std::nullopt;
}

std::optional<bool> Known::decides(const Numbers& numbers, const Question& q) const {
  if (!may_be_about(q.value)) return std::nullopt;
  if (const auto k = single(numbers, q)) return q.holds.contains(*k);
  const Fact* f = find(q.value, q.mask);
  if (!f) return std::nullopt;
  const Set& possible = numbers[f->possible];
  if (is_large(possible) && !is_large(q.holds)) return q.holds.meets(possible) ? std::nullopt : std::optional(false);
  if (!possible.meets(q.holds)) return false;
  return q.holds.covers(possible) ? std::optional(true) : std::nullopt;
}

bool Known::excludes(const Program& p, const Numbers& numbers, const Question& q) const {
  const auto k = q.holds.only();
  const Value& whole = p[q.value];
  if (!k || whole.kind != ValueKind::Load || whole.size() == 1) return false;
  return std::ranges::any_of(facts(), [&](const Fact& f) {
    const Value& part = p[f.value];
    if (!is_part(part, whole)) return false;
    const std::uint32_t behind = 8 * (whole.k + whole.size() - part.k - part.size()), bits = 0xffffffff >> (32 - 8 * part.size());
    const std::uint32_t known = bits & f.mask, both = known & q.mask >> behind;
    return !has_alike(numbers[f.possible], *k >> behind & both, both, both == known);
  });
}

void Known::learn(Numbers& numbers, const Question& q, bool answer) {
  const bool may_be_known = may_be_about(q.value);
  if (may_be_known && single(numbers, q)) return;  // nothing to add
  const Fact* old = may_be_known ? find(q.value, q.mask) : nullptr;
  const Set* possible = old ? &numbers[old->possible] : nullptr;
  if (possible && is_large(*possible) && (!answer || is_large(q.yes()))) return;  // large: it stays as it is
  Set now = !possible ? (answer ? q.yes() : q.no()) : answer ? *possible & q.holds : *possible - q.holds;
  if (old) drop(old);
  if (now.empty()) return;  // no packet comes this way
  if (count_ == most_facts) drop(facts_.data());
  facts_[count_++] = {q.value, q.mask, numbers.add(std::move(now))};
  about_ |= bit_of(q.value);
}

void Known::drop(const Fact* which) {
  std::copy(which + 1, facts().data() + count_, facts_.data() + (which - facts_.data()));
  --count_;
}

void Known::meet(Numbers& numbers, const Known& other) {
  std::uint32_t kept = 0;
  for (const Fact& f : facts()) {
    const Fact* o = other.find(f.value, f.mask);
    if (!o) continue;
    Fact both = f;
    if (o->possible != f.possible) {
      if (is_large(numbers[f.possible]) || is_large(numbers[o->possible])) continue;
      both.possible = numbers.add(numbers[f.possible] | numbers[o->possible]);
    }
    facts_[kept++] = both;
  }
  count_ = kept;
  about_ &= other.about_;
}

}  // namespace weir::optimize
