// Membership in a set: a balanced tree of comparisons, halving by `jge`, whose leaves ask for up to four intervals one
// by one. n scattered numbers take n + n/4 instructions, and two for the ends, and at most log2(n) + 3 of them are executed.
#include <algorithm>
#include <bit>

#include "cbpf/select.hpp"

namespace weir::cbpf {

using namespace ir;

/// The intervals of a set inside a domain that the comparisons so far leave.
struct Select::Part {
  Domain domain;
  std::span<const Interval> intervals;
  std::optional<Interval> all = {};  ///< of a long list: what its value can be at all
};

void Select::member(const Node& n, Entry& t, Entry& f) {
  to_a(n.a);
  const Domain domain = domain_of(n.a);
  if (with_product(program_.set_of(n), domain, t, f)) return;
  membership(program_.set_of(n), domain, t, f);
}

/// Scattered numbers of a byte: two instructions.
bool Select::with_product(const Set& set, Interval domain, Entry& t, Entry& f) {
  if (domain.high > 0xff) return false;
  const auto product = products_.of(set);
  if (!product) return false;
  put(op::ALU | op::MUL, product->factor);
  machine_.a = no_value;
  jump(op::JMP | op::JSET, product->bits, f, t);
  return true;
}

/// Addresses and ports may be any number. What two bytes hold that lie before all ports, behind the 40 bytes of an IPv6 header at the
/// earliest, is mostly a small one, a length or a type.
Select::Domain Select::domain_of(ValueId v) {
  constexpr std::uint32_t first_port = 40;
  const Value& value = program_[v];
  const bool is_small = value.size() < 4 && value.a == no_value && (value.size() == 1 || value.k < first_port);
  return {ranges_.of(v), value.kind == ValueKind::Load && !is_small};
}

/// A row of a family: its first value into A and the place of the others into X, then on to the trees of all rows, which
/// stand behind the last one.
void Select::row(Families::Place place, Entries& entries) {
  const Family& family = families_[place.family];
  const Series& row = family.rows[place.row];
  const Value& head = program_[program_[row.nodes[0]].a];
  to_a(program_[row.nodes[0]].a);
  if (row.nodes.size() > 1) {
    if (head.a == no_value) put(op::LDX | op::IMM, family.shift[place.row]);
    else to_x(head.a);
    machine_.x = no_value;
  }
  const auto [at, is_new] = shared_.try_emplace(place.family);
  Entry& shared = at->second;
  if (is_new) shared.block = blocks_.add();
  go_to(shared);
  if (place.row + 1 != family.rows.size()) return;
  begin(shared);
  Entry& t = way(entries, row.t);
  for (std::size_t i = 0; i < row.nodes.size(); ++i) {
    const Node& n = program_[row.nodes[i]];
    if (i != 0) put(static_cast<std::uint16_t>(op::LD | op::IND | size_code(program_[n.a].size())), family.offsets[i]);
    machine_.a = no_value;
    if (i + 1 == row.nodes.size()) return membership(program_.set_of(n), domain_of(n.a), t, way(entries, row.f));
    Entry next{blocks_.add(), {}, false};
    membership(program_.set_of(n), domain_of(n.a), t, next);
    begin(next);
  }
}

/// Whether A is in the set.
void Select::membership(const Set& numbers, Domain domain, Entry& t, Entry& f) {
  const Set set = numbers & Set(domain);
  if (with_mask(set, domain, t, f)) return;
  if (const std::uint32_t low_bits = common_blocks(set)) return blocks(set, low_bits, domain, t, f);
  constexpr std::size_t few = 2;
  if (const Set rest = set.count() <= few + 1 ? Set(domain) - set : Set(); !rest.empty() && rest.count() <= few)
    if (const std::uint32_t low_bits = common_blocks(rest); low_bits && comparisons(set.intervals(), domain) > few)
      return blocks(rest, low_bits, domain, f, t);
  tree(whole(domain, set.intervals()), t, f);
}

/// Nets of one length are numbers once their low bits are cleared: those bits, where that saves comparisons.
std::uint32_t Select::common_blocks(const Set& set) {
  std::uint32_t bounds = 0;
  for (const Interval i : set.intervals()) bounds |= i.low | (i.high + 1);
  const std::uint32_t low_bits = bounds ? (bounds & (0u - bounds)) - 1 : 0;
  const auto is_block = [&](const Interval& i) { return i.high - i.low == low_bits; };
  return low_bits && std::ranges::count_if(set.intervals(), is_block) > 1 ? low_bits : 0;
}

void Select::blocks(const Set& set, std::uint32_t low_bits, Domain domain, Entry& t, Entry& f) {
  std::vector<Interval> upper;
  for (const Interval i : set.intervals()) upper.push_back({i.low, i.high & ~low_bits});
  if (upper.size() == 2 && upper.front().high == 0) {  // can be told before the low bits are gone
    upper.erase(upper.begin());
    Entry others{blocks_.add(), {}, false};
    jump(op::JMP | op::JSET, 0xffffffff >> std::countl_zero(domain.high) & ~low_bits, others, t);
    begin(others);
  }
  put(op::ALU | op::AND, ~low_bits);
  machine_.a = no_value;
  tree(whole({{domain.low & ~low_bits, domain.high & ~low_bits}, domain.is_even}, upper), t, f);
}

/// Numbers that agree in the bits of a mask and are all that do: two instructions.
bool Select::with_mask(const Set& set, Interval domain, Entry& t, Entry& f) {
  if (set.intervals().size() < 3 || domain.low != 0 || !std::has_single_bit(std::uint64_t{domain.high} + 1)) return false;
  std::uint32_t varying = 0;
  for (const Interval i : set.intervals()) {
    const std::uint32_t inside = i.low ^ i.high;
    varying |= (i.low ^ set.low()) | (inside ? 0xffffffff >> std::countl_zero(inside) : 0);
  }
  if (set.size() != std::uint64_t{1} << std::popcount(varying)) return false;
  put(op::ALU | op::AND, domain.high & ~varying);
  machine_.a = no_value;
  jump(op::JMP | op::JEQ, set.low() & ~varying, t, f);
  return true;
}

/// The numbers that agree with k in a mask's bits, where those are the upper ones: most others are told by one comparison, where
/// masking and comparing take two.
bool Select::with_upper_bits(const Node& n, std::uint32_t k, Entry& t, Entry& f) {
  const Value& masked = program_[n.a];
  if (n.relation() != Relation::Equal || masked.kind != ValueKind::Binary || masked.arith() != Arith::And || machine_.a == n.a)
    return false;
  const auto mask = constant_of(program_, masked.b);
  if (!mask || program_[masked.a].kind != ValueKind::Load) return false;
  for (const NodeId next : {n.t, n.f})
    if (program_[skip_free(next)].a == n.a) return false;  // asks for the masked bits again
  const Domain domain = domain_of(masked.a);
  const std::uint32_t rest = domain.high & ~*mask;
  if ((rest & (rest + 1)) != 0 || (k & ~*mask) != 0 || k > domain.high) return false;
  to_a(masked.a);
  interval({k, k | rest}, domain, t, f);
  return true;
}

/// All of a set.
Select::Part Select::whole(Domain domain, std::span<const Interval> intervals) {
  constexpr std::size_t many = 12;  // with fewer, two comparisons more would be too many beside libpcap's
  return {domain, intervals, intervals.size() >= many ? std::optional<Interval>(domain) : std::nullopt};
}

void Select::tree(Part part, Entry& t, Entry& f) {
  constexpr std::size_t most_in_leaf = 4;
  if (comparisons(part.intervals, part.domain) <= most_in_leaf || part.intervals.size() == 1) return leaf(part, t, f);
  const std::size_t middle = std::min((part.intervals.size() / 2 + 3) / most_in_leaf * most_in_leaf, part.intervals.size() - 1);
  const std::uint32_t from = part.intervals[middle].low;
  Entry upper{blocks_.add(), {}, false}, lower{blocks_.add(), {}, false};
  jump(op::JMP | op::JGE, from, upper, lower);
  begin(lower);
  tree({{{part.domain.low, from - 1}, part.domain.is_even}, part.intervals.first(middle), part.all}, t, f);
  begin(upper);
  tree({{{from, part.domain.high}, part.domain.is_even}, part.intervals.subspan(middle), part.all}, t, f);
}

void Select::leaf(Part part, Entry& t, Entry& f) {
  if (part.intervals.empty()) return go_to(f);
  leave_out_beyond(part, f);
  const Interval* const most = most_of(part);
  std::size_t left = part.intervals.size();
  const auto ask = [&](const Interval& i) {
    if (--left == 0) return interval(i, part.domain, t, f);
    Entry next{blocks_.add(), {}, false};
    interval(i, part.domain, t, next);
    begin(next);
  };
  if (most) ask(*most);
  for (const Interval& i : part.intervals)
    if (&i != most) ask(i);
}

/// What is above all numbers of a long list, or below them, is told first in its last leaf, or its first, where that is nearly all that
/// is left there.
void Select::leave_out_beyond(Part& part, Entry& f) {
  constexpr std::size_t few = 2;
  if (!part.all || !part.domain.is_even || part.intervals.size() <= few) return;
  const std::uint32_t low = part.intervals.front().low, high = part.intervals.back().high;
  const std::uint32_t most = (part.domain.high - part.domain.low) / 8 * 7;
  const bool above = part.domain.high == part.all->high && part.domain.high - high > most;
  const bool below = part.domain.low == part.all->low && low - part.domain.low > most;
  if (!above && !below) return;
  Entry inside{blocks_.add(), {}, false};
  if (above) {
    jump(op::JMP | op::JGT, high, f, inside);
    part.domain.high = high;
  } else {
    jump(op::JMP | op::JGE, low, inside, f);
    part.domain.low = low;
  }
  begin(inside);
}

/// The interval that has most of the numbers, where any is as likely as another: asked first, it tells most.
const Interval* Select::most_of(Part part) {
  const auto has_most = [&](const Interval& i) { return i.high - i.low > (part.domain.high - part.domain.low) / 2; };
  const auto most = std::ranges::find_if(part.intervals, has_most);
  return part.domain.is_even && most != part.intervals.end() ? &*most : nullptr;
}

void Select::interval(Interval i, Domain domain, Entry& t, Entry& f) {
  const bool at_low = i.low <= domain.low, at_high = i.high >= domain.high;
  if (at_low && at_high) return go_to(t);
  if (i.low == i.high) return jump(op::JMP | op::JEQ, i.low, t, f);
  if (at_high) return jump(op::JMP | op::JGE, i.low, t, f);
  if (at_low) return jump(op::JMP | op::JGT, i.high, f, t);
  Entry inside{blocks_.add(), {}, false};
  const bool is_wide = domain.is_even && domain.high > 0xff;  // likely none of both, and likely on one side of them
  if (i.high == i.low + 1 && !is_wide) {  // as long as a range, and may share its tail
    jump(op::JMP | op::JEQ, i.low, t, inside);
    begin(inside);
    return jump(op::JMP | op::JEQ, i.high, t, f);
  }
  if (domain.is_even && domain.high - i.high > i.low - domain.low) {  // more numbers are above than below: those are told first
    jump(op::JMP | op::JGT, i.high, f, inside);
    begin(inside);
    return jump(op::JMP | op::JGE, i.low, t, f);
  }
  jump(op::JMP | op::JGE, i.low, inside, f);
  begin(inside);
  jump(op::JMP | op::JGT, i.high, f, t);
}

}  // namespace weir::cbpf
