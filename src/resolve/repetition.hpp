// Lists say the same of many numbers: `host 10.0.0.1 or host 10.0.0.2 or …`. What the second of a kind became is copied for
// the others, with their number in the place of its own: the same expressions, at a fifth of the work.
// Tested by tests/unit/resolve/resolve_test.cc.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ast/expr.hpp"
#include "pred/filter.hpp"

namespace weir::resolve {

/// A primitive of which one number says what is special about it.
struct Listed {
  std::uint32_t number;
  std::uint32_t key;  ///< those of one key differ in nothing but the number, as long as headers stay where they are
};

/// Nothing where it is not one, or wrong in itself.
std::optional<Listed> listed(const ast::Qualifiers& q, const ast::Id& id);

class Repetition {
 public:
  /// A chain of so many operands follows: from now on it is worth it, if they are many.
  void expect(std::size_t operands) {
    if (operands >= many && patterns_.empty()) patterns_.resize(places);
  }
  bool is_worth_it() const { return !patterns_.empty(); }

  /// The headers that primitives look at have moved: what is known holds no more.
  void forget() { patterns_.assign(patterns_.size(), {}); }

  /// The test for a primitive whose kind is known; nothing when it must be resolved: then `learn` what it became.
  std::optional<pred::ExprId> repeated(pred::Filter& f, Listed what, Span span) const;

  /// `test` is what the primitive became, in expressions from `first` on and values from `new_values` on.
  void learn(pred::Filter& f, Listed what, pred::ExprId test, std::size_t first, std::size_t new_values);

 private:
  struct Pattern {
    std::uint32_t key = 0;
    std::uint32_t count = 0;  ///< of expressions; 0: seen once
    pred::ExprId first{};
    std::uint32_t test = 0;  ///< its place among them
    pred::ValueId number{};
  };
  /// Side by side for what differs in its shape alone: nets of all lengths stand in lists.
  static std::size_t place(std::uint32_t key) { return (mix(0, key / shapes, 0) + key % shapes) % places; }

  static constexpr std::size_t many = 8;
  static constexpr std::uint32_t shapes = 256;
  static constexpr std::size_t places = 128;  // few kinds alternate; of two that share a place, one is resolved each time
  std::vector<Pattern> patterns_;  ///< `places` of them, or none
};

}  // namespace weir::resolve
