#include "weir/expected.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace weir {
namespace {

namespace op = cbpf::op;
using optimize::Profile;

/// What A holds at a place.
struct Held {
  std::uint8_t size = 0;    ///< bytes of the load; 0: nothing is known
  bool is_behind = false;   ///< of a place that depends on the packet
  std::uint32_t mask = 0;   ///< of which it is a part; 0: all
  std::uint32_t low = 0, high = 0;  ///< the numbers that comparisons have left

  bool is_like(const Held& other) const { return size == other.size && is_behind == other.is_behind && mask == other.mask; }
};

struct Arrival {
  Executed reached{};
  Held a;
  Executed left{1, 1};  ///< the share of numbers that tests on the way have not told
  bool is_reached = false;
};

class Walk {
 public:
  Walk(const cbpf::Program& p, const Profile& profile) : p_(p), profile_(profile), places_(p.instructions.size() + 1) {}

  Executed run() {
    places_[0].reached.fill(1);
    places_[0].is_reached = true;
    Executed sum{};
    for (std::size_t i = 0; i < p_.instructions.size(); ++i) {  // jumps lead forward
      for (std::size_t network = 0; network < sum.size(); ++network) sum[network] += places_[i].reached[network];
      step(i, p_.instructions[i], places_[i]);
    }
    return sum;
  }

 private:
  void step(std::size_t i, const cbpf::Instruction& in, Arrival here) {
    switch (in.code & 0x07) {
      case op::RET: return;
      case op::JMP: return in.code == (op::JMP | op::JA) ? lead(i + 1 + in.k, here) : branch(i, in, here);
      case op::LD:
        here.a = loaded(in.code);
        here.left.fill(1);
        break;
      case op::ALU: here.a = computed(in, here.a); break;
      case op::MISC:
        if (in.code == (op::MISC | op::TXA)) here.a = {};
        break;
    }
    lead(i + 1, here);
  }

  static Held loaded(std::uint16_t code) {
    const std::uint16_t mode = code & 0xe0, size = code & 0x18;
    if (mode != op::ABS && mode != op::IND) return {};
    if (size == op::B) return {1, mode == op::IND, 0, 0, 0xff};
    if (size == op::H) return {2, mode == op::IND, 0, 0, 0xffff};
    return {4, mode == op::IND, 0, 0, 0xffffffff};
  }

  static Held computed(const cbpf::Instruction& in, Held a) {
    if (in.code != (op::ALU | op::AND | op::K) || a.mask != 0) return {};
    a.mask = in.k;
    return a;
  }

  void branch(std::size_t i, const cbpf::Instruction& in, const Arrival& here) {
    Arrival t = here, f = here;
    const Executed holds = likelihood(in, here.a, t, f);
    for (std::size_t network = 0; network < holds.size(); ++network) {
      t.reached[network] = here.reached[network] * holds[network];
      f.reached[network] = here.reached[network] * (1 - holds[network]);
    }
    lead(i + 1 + in.jt, t);
    lead(i + 1 + in.jf, f);
  }

  /// How often a test holds; leaves on both ways what it has told.
  Executed likelihood(const cbpf::Instruction& in, Held a, Arrival& t, Arrival& f) const {
    constexpr std::uint32_t byte = 0xff;
    if (a.size == 0 || (in.code & op::X)) return nothing_known();
    if (a.size == 4 && (a.mask & byte) == byte && in.k <= byte) a = {1, a.is_behind, 0, 0, byte};  // a protocol and no fragment
    switch (in.code & 0xf0) {
      case op::JEQ: return one_of_left(share(a, 0, in.k), f);
      case op::JSET: return share(a, in.k, in.k).value_or(nothing_known());
      case op::JGT: return at_least(std::uint64_t{in.k} + 1, a, t, f);
      case op::JGE: return at_least(in.k, a, t, f);
    }
    return nothing_known();
  }

  static Executed nothing_known() { return {Profile::nothing_known, Profile::nothing_known}; }

  /// As the profile has it; of other numbers each is as likely.
  std::optional<Executed> share(const Held& a, std::uint32_t mask, std::uint32_t k) const {
    for (const Profile::Row& row : profile_.rows)
      if (row.size == a.size && row.is_behind == a.is_behind && row.mask == mask && (mask != 0 || row.k == k))
        return Executed{row.share[0] / 10000.0, row.share[1] / 10000.0};
    if (mask != 0) return std::nullopt;
    const double one = a.size == 1 ? 0.1 : a.size == 2 ? 0.05 : 0.02;
    return Executed{one, one};
  }

  /// Of packets of which tests before have told some.
  static Executed one_of_left(std::optional<Executed> share, Arrival& f) {
    constexpr double least = 0.001;
    for (std::size_t network = 0; network < share->size(); ++network) {
      const double before = f.left[network];
      f.left[network] = std::max(before - (*share)[network], least);
      (*share)[network] = std::min((*share)[network] / before, 1.0);
    }
    return *share;
  }

  /// All numbers that are left are as likely.
  static Executed at_least(std::uint64_t k, const Held& a, Arrival& t, Arrival& f) {
    if (a.mask != 0 || k <= a.low || k > a.high) return nothing_known();
    const double share = static_cast<double>(a.high - k + 1) / (static_cast<double>(a.high - a.low) + 1);
    t.a.low = static_cast<std::uint32_t>(k);
    f.a.high = static_cast<std::uint32_t>(k - 1);
    return {share, share};
  }

  void lead(std::size_t to, const Arrival& from) {
    Arrival& there = places_[to];
    if (!there.is_reached) {
      there = from;
      there.is_reached = true;
      return;
    }
    for (std::size_t network = 0; network < there.reached.size(); ++network) {
      there.left[network] = std::max(there.left[network], from.left[network]);
      there.reached[network] += from.reached[network];
    }
    if (!there.a.is_like(from.a)) there.a = {};
    there.a.low = std::min(there.a.low, from.a.low);
    there.a.high = std::max(there.a.high, from.a.high);
  }

  const cbpf::Program& p_;
  const Profile& profile_;
  std::vector<Arrival> places_;
};

}  // namespace

Executed expected(const cbpf::Program& program, const Profile& profile) { return Walk(program, profile).run(); }

}  // namespace weir
