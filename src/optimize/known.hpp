// What is known of values at a place of the graph: for the bits of a value under a mask, the numbers they may be.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/column.hpp"
#include "base/intern.hpp"
#include "base/set.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::optimize {

/// The value that a test against constants asks about, whatever bits of it; no_value for others.
inline ir::ValueId subject(const ir::Program& p, const ir::Node& test) {
  switch (test.kind) {
    case ir::NodeKind::Return:
    case ir::NodeKind::Guard: return ir::no_value;
    case ir::NodeKind::NonZero:
    case ir::NodeKind::Member: break;
    case ir::NodeKind::Test:
      if (p[test.b].kind != ir::ValueKind::Constant) return ir::no_value;
  }
  const ir::Value& v = p[test.a];
  return v.kind == ir::ValueKind::Binary && v.arith() == Arith::And && p[v.b].kind == ir::ValueKind::Constant ? v.a : test.a;
}

/// The values that several tests ask about. A test of a value that no other asks about is decided by nothing, decides
/// nothing and goes together with nothing, so there is no need to look into it.
class Subjects {
 public:
  explicit Subjects(const ir::Program& p);
  bool has_several(ir::ValueId subject) const {
    const auto i = static_cast<std::uint32_t>(subject);
    return i < tests_.size() && tests_[i] == Several;
  }
  /// Whether there is such a value at all.
  bool any() const { return any_; }
  /// Takes for such values also loads that are asked for a number, and what is asked of a part of their bytes.
  void join_parts(const ir::Program& p);

 private:
  enum Tests : std::uint8_t { None, One, Several };
  Column<Tests> tests_;  ///< by value
  bool any_ = false;
};

/// A test of one value against constants: the numbers of the subject for which it holds.
struct Question {
  ir::ValueId value{};
  std::uint32_t mask = 0xffffffff;  ///< the number asked about is (value & mask)
  Interval domain{};                ///< what it can be at all
  Set holds{};                      ///< of that, and of other numbers

  Set yes() const { return holds & Set(domain); }
  Set no() const { return Set(domain) - holds; }
};
/// Nothing for tests between two values. Of a value of 8 bits the whole is asked about, whatever the mask.
std::optional<Question> question(const ir::Program& p, ir::Ranges& ranges, const ir::Node& test);

/// Whether the bytes of a load are some of those of another one.
inline bool is_part(const ir::Value& part, const ir::Value& whole) {
  return part.kind == ir::ValueKind::Load && whole.kind == ir::ValueKind::Load && part.a == whole.a && part.k >= whole.k &&
         part.size() < whole.size() && std::uint64_t{part.k} + part.size() <= std::uint64_t{whole.k} + whole.size();
}

/// The sets that facts are made of, each once, so that facts are small and equal ones look equal.
class Numbers {
 public:
  using Id = std::uint32_t;
  Id add(Set s) {
    if (all_.empty()) all_.reserve(few);
    return index_.intern(all_, std::move(s), [](const Set& set) { return hash(set); });
  }
  const Set& operator[](Id id) const { return all_[id]; }

 private:
  static constexpr std::size_t few = 8;
  std::vector<Set> all_;
  InternIndex index_;
};

class Known {
 public:
  Known() = default;
  Known(const Known& other) { *this = other; }
  Known& operator=(const Known& other) {
    std::copy_n(other.facts_.begin(), other.count_, facts_.begin());
    count_ = other.count_;
    about_ = other.about_;
    return *this;
  }
  bool empty() const { return count_ == 0; }
  /// The next to learn makes it forget another.
  bool full() const { return count_ == most_facts; }
  /// Whether the answer is known.
  std::optional<bool> decides(const Numbers& numbers, const Question& q) const;
  /// Whether a load, or its bits under a mask, cannot be the one number that is asked for, by what is known of bytes that are part of it.
  bool excludes(const ir::Program& p, const Numbers& numbers, const Question& q) const;
  /// Calls `use` with each value that is known to be one number, and that number.
  template <class Use>
  void each_number(const Numbers& numbers, const Use& use) const {
    for (const Fact& f : facts())
      if (const auto k = f.mask == 0xffffffff ? numbers[f.possible].only() : std::nullopt) use(f.value, *k);
  }
  /// Adds the answer.
  void learn(Numbers& numbers, const Question& q, bool answer);
  /// Keeps what holds on both ways into a place.
  void meet(Numbers& numbers, const Known& other);

 private:
  struct Fact {
    ir::ValueId value{};
    std::uint32_t mask = 0;
    Numbers::Id possible = 0;
  };
  std::span<const Fact> facts() const { return {facts_.data(), count_}; }
  static std::uint64_t bit_of(ir::ValueId value) { return std::uint64_t{1} << ir::index(value) % 64; }
  bool may_be_about(ir::ValueId value) const { return (about_ & bit_of(value)) != 0; }
  void drop(const Fact* which);
  const Fact* find(ir::ValueId value, std::uint32_t mask) const;
  std::optional<std::uint32_t> single(const Numbers& numbers, const Question& q) const;

  // Forgetting is safe; these bounds keep the walk near-linear however long the filter is.
  static constexpr std::size_t most_facts = 16;
  static constexpr std::size_t most_intervals = 64;  ///< of sets that are made anew at every step
  static bool is_large(const Set& s) { return s.count() > most_intervals; }
  std::array<Fact, most_facts> facts_;  ///< in place: every fork of the graph copies them
  std::uint32_t count_ = 0;
  std::uint64_t about_ = 0;  ///< has the bit of each value that there are facts about, and may have others: most questions are about none
};

}  // namespace weir::optimize
