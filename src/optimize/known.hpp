// What is known of values at a place of the graph: for the bits of a value under a mask, an interval and a few
// excluded numbers.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::optimize {

class Known {
 public:
  /// Whether the outcome of a test (against a constant) or non-zero check is decided.
  std::optional<bool> decides(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test) const;
  /// Adds the outcome of a test.
  void learn(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test, bool outcome);
  /// Keeps what holds on both ways into a place.
  void meet(const Known& other);

 private:
  /// The number asked about: (value & mask), mask all ones for the whole value.
  struct Subject {
    ir::ValueId value;
    std::uint32_t mask;
    bool operator==(const Subject&) const = default;
  };
  struct Fact {
    Subject subject;
    ir::Interval range;
    std::vector<std::uint32_t> excluded;

    bool possible(std::uint32_t k) const;
    void exclude(std::uint32_t k);
  };
  /// A test in terms of a subject: Bits asks whether it is not 0.
  struct Question {
    Subject subject;
    ir::Interval range;  // without any facts
    Relation op;
    std::uint32_t k;
  };
  static std::optional<Question> question(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test);
  static Fact join(const Fact& a, const Fact& b);
  const Fact* find(Subject s) const;
  std::optional<Fact> derive(const Question& q) const;

  // Forgetting is safe; these bounds keep the walk linear however long the filter is.
  static constexpr std::size_t most_facts = 16, most_excluded = 8;
  std::vector<Fact> facts_;
};

}  // namespace weir::optimize
