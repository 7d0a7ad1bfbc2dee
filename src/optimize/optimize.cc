#include "optimize/optimize.hpp"

#include <cassert>
#include <utility>

#include "optimize/passes.hpp"

namespace weir::optimize {
namespace {

template <bool (*pass)(ir::Program&)>
bool without_profile(ir::Program& p, const Profile&) { return pass(p); }

constexpr Pass table[] = {
    {"values", without_profile<simplify_values>, "first: facts are about values in their one form"},
    {"facts", without_profile<apply_facts>, "behind it: finds what is decided"},
    {"sets", without_profile<gather_sets>, "behind both: what is decided no longer stands between tests of one value"},
    {"overlaps", without_profile<drop_overlapped>, "behind them: of tests of one load little is left to find"},
    {"halve", without_profile<halve_rows>,
     "behind them: what has one outcome is a set by now, and what is decided is gone from between"},
    {"turn", without_profile<turn_rows>,
     "behind it: rows about two values are left; ahead of what puts sets in front of rows, which it does itself", false, true},
    {"screen", without_profile<screen_rows>, "behind it: rows that could not be halved are left", false, true},
    {"order", order_tests, "when sets are whole, for their shares add up", true},
    {"conjuncts", order_conjuncts, "behind them: what it moves tears rows of tests apart", true},
    {"narrow", narrow_loads, "when nothing else asks about more of a load", true},
    {"join", join_loads, "last: the order decides which tests stand side by side", true},
};

/// Each pass lowers its measure or changes nothing, so rounds end by themselves; this many have always been enough.
constexpr int max_rounds = 4;

/// Once its guards are placed.
[[maybe_unused]] bool verifies(ir::Program p) {
  place_guards(p);
  return !ir::verify(p);
}

/// A round begins with values. Where nothing but facts has asked for it, all passes have seen the graph as it is, unless that changes it.
template <class Wanted>
ir::Program run_passes(ir::Program p, const Wanted& wanted, bool& is_lengthened) {
  constexpr const Pass *values = table, *facts = table + 1;
  const Pass* last = nullptr;  // to find something for those before it
  for (int round = 0; (last || round == 0) && round < max_rounds; ++round) {
    const Pass* const asked = std::exchange(last, nullptr);
    for (const Pass& pass : table) {
      const bool found = wanted(pass) && pass.apply(p, {});
      assert(verifies(p));
      is_lengthened = is_lengthened || (found && pass.lengthens);
      if (&pass == values && asked == facts && !found) break;
      if (&pass != values && found) last = &pass;
    }
  }
  return p;
}

}  // namespace

bool Pass::run(ir::Program& p, const Profile& profile) const {
  const bool found = apply(p, profile);
  place_guards(p);
  return found;
}

std::span<const Pass> passes() { return table; }

ir::Program optimize(ir::Program p) {
  bool is_lengthened = false;
  return optimize(std::move(p), is_lengthened);
}

ir::Program optimize(ir::Program p, bool& is_lengthened) {
  return run_passes(std::move(p), [](const Pass& pass) { return !pass.reorders; }, is_lengthened);
}

ir::Program shorten(ir::Program p) {
  bool is_lengthened = false;
  return run_passes(std::move(p), [](const Pass& pass) { return !pass.reorders && !pass.lengthens; }, is_lengthened);
}

}  // namespace weir::optimize
