// Where an edge leads with what is known along it.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/column.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"
#include "optimize/known.hpp"
#include "optimize/leaps.hpp"
#include "optimize/onward.hpp"

namespace weir::optimize {

class Follow {
 public:
  /// What is given must outlive it.
  Follow(const ir::Program& p, ir::Ranges& ranges, const Subjects& subjects)
      : program_(p),
        ranges_(ranges),
        subjects_(subjects),
        looks_onward_(p.node_count() >= many && p.node_count() < too_many),
        asked_(p.node_count()) {}

  /// The sets that `Known` is about.
  Numbers& numbers() { return numbers_; }

  /// Past what is decided, some way: a long list has an edge like that in each of its members, and what is left is
  /// decided at the next node, with the same facts. Past a test, too, of which both outcomes are known to lead to one place, and past
  /// all that leads on to a decided test alone, which rejects.
  ir::NodeId past(ir::NodeId to, const Known& known);
  /// Whether it has gone as far as it does, and stopped before what may be decided, too.
  bool cut_short() const { return cut_short_; }

  /// What a node asks, worked out once, where others ask about the same. Valid until the next call.
  const Question* asked(ir::NodeId id) {
    if (asked_[id] == not_worked_out) work_out(id);
    return asked_[id] == no_question ? nullptr : &questions_[asked_[id] - 2];
  }

  /// Guards that whole packets pass are looked through; they are placed anew. Non-zero checks stay: they are how the
  /// graph shows that its divisions are safe, and machines make them in the division itself. `q`: what the node asks.
  std::optional<bool> decided(const ir::Node& n, const Question* q, const Known& known);

 private:
  void work_out(ir::NodeId id);
  ir::NodeId past_decided(ir::NodeId to, const Known& known);
  ir::NodeId behind(ir::NodeId test, const Known& known);
  std::optional<ir::NodeId> rejection_behind(ir::NodeId test, const Known& known);
  std::size_t tests_between(ir::NodeId from, ir::NodeId to) const;
  ir::NodeId leap(ir::NodeId from, const Known& known);
  std::optional<Leaps::Link> link_at(ir::ValueId value, ir::NodeId id);
  std::optional<std::uint32_t> number_asked(ir::ValueId value, ir::NodeId id);

  static constexpr int max_steps = 100, patience = 8;  ///< steps in all, and of so many the one at which rows are looked for, which takes longer
  static constexpr std::size_t few = 12;  ///< questions: of so many, memory is at hand (a kilobyte, malloc)
  static constexpr std::size_t many = 28, too_many = 4096;  ///< nodes that are worth a look at where they lead on; in long lists there is nothing
  static constexpr std::uint32_t not_worked_out = 0, no_question = 1;

  const ir::Program& program_;
  ir::Ranges& ranges_;
  const Subjects& subjects_;
  const bool looks_onward_;
  Numbers numbers_;
  Column<std::uint32_t> asked_;  ///< by node: above those, its place in `questions_` and 2
  std::vector<Question> questions_;
  std::optional<Onward> onward_;
  Column<std::uint32_t> ways_in_;  ///< by node, once that matters
  std::optional<ir::Flags> in_choice_;  ///< the same, where there are choices
  std::vector<Leaps> leaps_;     ///< of each value that long walks know the number of
  int steps_ = 0;  ///< on the way that is followed
  bool cut_short_ = false;
};

}  // namespace weir::optimize
