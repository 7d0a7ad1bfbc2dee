// Lists that are asked of several places of a packet with the same outcome, such as the addresses of IP and of ARP:
// one tree can serve them all, with the place in X.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::cbpf {

/// `v1 in S1 or v2 in S2 or …`: memberships in a row, each a load, all with the same outcome when they hold.
struct Series {
  std::vector<ir::NodeId> nodes;  ///< the head first
  ir::NodeId t{}, f{};
};

/// Rows that ask the same sets. Behind the head, the i-th load of a row is at X + offsets[i], X as `shift` says.
struct Family {
  std::vector<Series> rows;                ///< heads by descending id, so that the last one comes last in the code
  std::vector<std::uint32_t> offsets;   ///< by place in a row; the first is not used
  std::vector<std::uint32_t> shift;     ///< by row: X where the loads have no base; with a base, X is that base
};

/// The families of a program whose sets are worth sharing, by the head of each row.
class Families {
 public:
  Families(const ir::Program& p, ir::Ranges& ranges);

  struct Place {
    std::uint32_t family = 0, row = 0;
  };
  const Place* find(ir::NodeId head) const {
    const auto at = heads_.find(static_cast<std::uint32_t>(head));
    return at == heads_.end() ? nullptr : &at->second;
  }
  const Family& operator[](std::uint32_t family) const { return families_[family]; }

 private:
  std::vector<Family> families_;
  std::unordered_map<std::uint32_t, Place> heads_;
};

}  // namespace weir::cbpf
