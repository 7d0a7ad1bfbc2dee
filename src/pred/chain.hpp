// A chain of `or` taken apart: `A1 or A2 or …`, each of the form C and (v1 in S1 or v2 in S2 or …), as a tree. At its
// forks stand the conditions C, at its leaves one set for each value.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "pred/filter.hpp"
#include "pred/loads.hpp"
#include "pred/subject.hpp"

namespace weir::pred {

/// Numbers that go to one value.
struct Leaf {
  std::vector<Interval> parts;
  Literal written;  ///< the first comparison that was put there
  Span span;
  std::uint32_t count = 0;  ///< of comparisons
};

struct Item {
  enum class Kind : std::uint8_t { Leaf, Fork, Cases, Other } kind;
  std::uint32_t index = 0;  ///< of the chain's leaf, fork or cases
  Literal other;
};

/// Condition and (items…); the condition of the first, which stands for the chain, is true.
struct Fork {
  std::uint32_t path = 0;  ///< the same for forks under the same conditions
  std::uint32_t parent = 0;
  Literal condition;
  std::vector<Item> items;
  End had = 0;    ///< captured whenever an item is asked
  End needs = 0;  ///< captured, nothing in it fails
  End shows = 0;  ///< captured when it holds
};

/// What is asked for different numbers of one value: at most one number can be it, and halving finds that.
struct Cases {
  struct Alike {
    std::uint32_t leaf;
    std::vector<Interval> numbers;  ///< for which it is asked
  };
  ValueId value;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> forks;  ///< number and fork, ascending
  std::vector<Alike> alike;                                    ///< of none of these numbers there is anything else
};

struct Chain {
  ExprId id{};
  bool negated = false;  ///< a chain of `and`: all signs are turned
  std::vector<Fork> forks;
  std::vector<Leaf> leaves;
  std::vector<Cases> cases;
};

/// Brings forks of the same condition, and of numbers of the same value, together, where nothing is lost by it: what
/// moves forward needs no more bytes than what it passes shows. Forks of many numbers become cases.
void arrange(Chain& chain, const Filter& f, const Loads& loads);

}  // namespace weir::pred
