#include "optimize/profile.hpp"

#include <algorithm>

#include "optimize/known.hpp"

namespace weir::optimize {

using namespace ir;

namespace {

using Shares = std::array<double, Profile::networks>;

/// By network; nothing where no row is about the question.
std::optional<Shares> shares_of(const Profile& profile, const Program& p, const Question& q) {
  const Value& v = p[q.value];
  if (v.kind != ValueKind::Load) return std::nullopt;
  const bool is_behind = v.a != no_value;
  std::array<std::uint32_t, Profile::networks> total{};
  bool known = false;
  const std::uint32_t size = v.size(), mask = q.mask == 0xffffffff ? 0 : q.mask;
  for (std::size_t i = 0; i < profile.rows.size(); ++i) {
    const Profile::Row& row = profile.rows[i];
    if (row.size != size || row.mask != mask || row.is_behind != is_behind) {
      if (known) break;
      i += row.alike;
      continue;
    }
    // A test that most of the named numbers fail is known, too.
    known = true;
    if (!q.holds.contains(row.mask ? row.mask : row.k)) continue;
    for (std::size_t network = 0; network < Profile::networks; ++network) total[network] += row.share[network];
  }
  if (!known) return std::nullopt;
  Shares shares;
  for (std::size_t network = 0; network < Profile::networks; ++network) shares[network] = total[network] / 10000.0;
  return shares;
}

/// So many single numbers are as likely, where that can be said: a narrow range counts for two.
std::optional<std::uint64_t> as_single(const Set& numbers, std::uint64_t narrow) {
  const std::uint64_t size = numbers.size(), intervals = numbers.count();
  if (size == intervals) return size;
  return size <= narrow ? std::optional(std::min(size, 2 * intervals)) : std::nullopt;
}

/// Whether two bytes may hold any number, as those far behind do, ports; what is near the beginning are lengths and types.
bool is_even(const Value& v) {
  constexpr std::uint32_t far = 40;
  return v.kind == ValueKind::Load && v.size() == 2 && (v.a != no_value || v.k >= far);
}

/// So many numbers are still as seldom as two: of ports, and of bytes at a fixed place those that are large.
std::uint64_t narrow(const Value& v, const Set& numbers) {
  if (is_even(v)) return 0x800;
  return v.kind == ValueKind::Load && v.size() == 1 && v.a == no_value && !numbers.empty() && numbers.low() >= 0x80 ? 0x10 : 0;
}

/// Whether these are the numbers of four bytes that begin alike, in seven bits or more, as the addresses of a network do.
bool is_net(const Value& v, const Set& numbers) {
  if (v.kind != ValueKind::Load || v.size() != 4 || numbers.count() != 1) return false;
  const std::uint32_t rest = numbers.intervals().front().low ^ numbers.intervals().front().high;
  return (rest & (rest + 1)) == 0 && rest >> 25 == 0;
}

double expected_of(const Program& p, const std::optional<Question>& q) {
  constexpr double nothing_known = Profile::nothing_known, of_net = 0.2;
  const std::uint64_t all = q ? q->domain.size() : 0;
  if (all <= 2) return nothing_known;
  const bool rather_not = q->holds.size() > all / 2;
  const Set seldom = rather_not ? q->no() : q->yes();
  const auto few = as_single(seldom, narrow(p[q->value], seldom));
  if (!few) return is_net(p[q->value], seldom) ? (rather_not ? 1 - of_net : of_net) : nothing_known;
  const double even = 1.0 / static_cast<double>(all);
  const double one = std::max(even, q->domain.high > 0xffff ? 0.02 : q->domain.high > 0xff ? 0.05 : 0.1);
  const bool is_behind = p[q->value].kind == ValueKind::Load && p[q->value].a != no_value;
  const double zero = is_behind && seldom.contains(0) ? 0.25 : 0;  // fields that are not in use
  const double most = q->domain.high > 0xffff ? of_net : nothing_known;  // of many addresses, as of a net
  const double share = std::min(most, one * static_cast<double>(*few) + zero);
  return rather_not ? 1 - share : share;
}

}  // namespace

std::optional<double> Profile::share(const Program& p, Ranges& ranges, const Node& test) const {
  const ValueId about = rows.empty() ? no_value : subject(p, test);
  if (about == no_value || p[about].kind != ValueKind::Load) return std::nullopt;
  const auto q = question(p, ranges, test);
  return q ? share(p, *q) : std::nullopt;
}

std::optional<double> Profile::share(const Program& p, const Question& question) const {
  const auto shares = shares_of(*this, p, question);
  return shares ? std::optional((*shares)[0]) : std::nullopt;
}

Profile::Likelihoods Profile::likelihoods(const Program& p, const std::optional<Question>& q) const {
  const auto shares = q ? shares_of(*this, p, *q) : std::nullopt;
  Likelihoods all{.known = {}, .unknown = expected_of(p, q)};
  for (std::size_t network = 0; network < networks; ++network) {
    const double known = shares ? (*shares)[network] : 0;
    all.known[network] = known > 0 && known < 1 ? known : all.unknown;
  }
  return all;
}

double Profile::likelihood(const Program& p, Ranges& ranges, const Node& test, std::size_t network) const {
  return likelihoods(p, question(p, ranges, test)).known[network];
}

}  // namespace weir::optimize
