// Rows of tests of a value: a walk which knows it to be one number gets at once to where that number is asked for, however
// long the row is. Each node is looked at once.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/column.hpp"
#include "ir/program.hpp"

namespace weir::optimize {

class Leaps {
 public:
  /// A place that only packets for which the value is one number leave on another way than to `next`.
  struct Link {
    std::uint32_t number;
    ir::NodeId next;
  };
  Leaps(ir::ValueId value, std::size_t nodes) : value_(value), row_of_(nodes, unseen), places_(nodes) {}
  ir::ValueId value() const { return value_; }

  /// From a node on the first link for a number, or what stands behind the row. `link_at` gives a node's link, if it is one.
  template <class LinkAt>
  ir::NodeId past(ir::NodeId from, std::uint32_t number, const LinkAt& link_at) {
    if (row_of_[from] == unseen) find_row(from, link_at);
    if (row_of_[from] == no_link) return from;
    const Row& row = rows_[row_of_[from]];
    const auto first = std::ranges::lower_bound(row.asked, Asked{number, places_[from]});
    return first != row.asked.end() && first->first == number ? row.nodes[first->second] : row.end;
  }

 private:
  using Asked = std::pair<std::uint32_t, std::uint32_t>;  ///< a number, and the place of its link
  struct Row {
    std::vector<ir::NodeId> nodes;
    std::vector<Asked> asked;  ///< ascending
    ir::NodeId end{};          ///< no link, or one of another row
  };

  template <class LinkAt>
  void find_row(ir::NodeId from, const LinkAt& link_at) {
    Row row;
    for (row.end = from; row_of_[row.end] == unseen;) {
      const auto link = link_at(row.end);
      row_of_[row.end] = link ? static_cast<std::uint32_t>(rows_.size()) : no_link;
      if (!link) break;
      places_[row.end] = static_cast<std::uint32_t>(row.nodes.size());
      row.asked.emplace_back(link->number, places_[row.end]);
      row.nodes.push_back(row.end);
      row.end = link->next;
    }
    std::ranges::sort(row.asked);
    if (!row.nodes.empty()) rows_.push_back(std::move(row));
  }

  static constexpr std::uint32_t unseen = 0xffffffff, no_link = 0xfffffffe;
  ir::ValueId value_;
  Column<std::uint32_t> row_of_, places_;  ///< by node
  std::vector<Row> rows_;
};

}  // namespace weir::optimize
