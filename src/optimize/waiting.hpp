// What a walk down the ids holds for nodes that it has yet to come to. They are few at a time, and their memory is used
// again.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "base/column.hpp"
#include "ir/program.hpp"

namespace weir::optimize {

template <class State>
class Waiting {
 public:
  explicit Waiting(std::size_t nodes) : places_(nodes) { states_.reserve(few); }

  /// For a node that nothing waits for yet.
  void add(ir::NodeId to, const State& state) {
    std::uint32_t& place = places_[to];
    if (free_count_ == 0) {
      place = static_cast<std::uint32_t>(states_.size());
      states_.push_back(state);
    } else {
      place = free_[--free_count_];
      states_[place] = state;
    }
  }
  /// Of a node that something waits for.
  State& operator[](ir::NodeId at) { return states_[places_[at]]; }
  void take(ir::NodeId from, State& state) {
    const std::uint32_t place = places_[from];
    state = states_[place];
    free_.grow(free_count_ + 1);
    free_[free_count_++] = place;
  }

 private:
  static constexpr std::size_t few = 4;  ///< wait at a time, mostly
  Column<std::uint32_t> places_;  ///< by node, of those that wait: in `states_`
  std::vector<State> states_;
  Column<std::uint32_t> free_;    ///< places that nothing waits at; so many of the entries
  std::size_t free_count_ = 0;
};

}  // namespace weir::optimize
