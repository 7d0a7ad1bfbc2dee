// What is decided about a graph before an instruction is chosen: which values are kept once they are known, and how far
// guards can be merged without changing a verdict.
#pragma once
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::ebpf {

/// How a copy of the graph gets at bytes.
enum class Reach : std::uint8_t {
  Pointers,  ///< through pointers into the linear part, with checks that the verifier learns from
  Calls,     ///< through a helper, a load at a time
  Absolute,  ///< by loads of the socket buffer, as classic BPF has them: values come in the host's order
};

class Plan {
 public:
  /// `is_rare`: of a copy that few packets come to, which need not be the fastest.
  Plan(const ir::Program& p, Reach reach, bool is_rare);

  std::uint32_t uses(ir::ValueId v) const { return uses_[index(v)]; }
  std::uint32_t cost(ir::ValueId v) const { return costs_[index(v)]; }
  /// Whether all that want it want it as an offset into the packet.
  bool is_only_base(ir::ValueId v) const { return base_uses_[index(v)] == uses_[index(v)]; }
  /// Whether a value is kept on the stack once it is known, for it is too costly to be worked out again.
  bool is_kept(ir::ValueId v) const;
  /// Whether working it out may call a helper, which leaves nothing in r0 to r5.
  bool may_call(ir::ValueId v) const { return calls_[index(v)]; }
  bool too_deep() const { return too_deep_; }

 private:
  static std::size_t index(ir::ValueId v) { return static_cast<std::size_t>(v); }
  void count_uses(const ir::Program& p);
  void sum_costs(const ir::Program& p, Reach reach);

  std::vector<std::uint32_t> uses_, base_uses_, costs_;
  std::vector<bool> calls_, choices_;
  bool too_deep_ = false;
  std::uint32_t worth_a_slot_;
};

/// The bytes behind a base that all ways from a node to an accepting leaf ask for: when they are not captured, every way
/// rejects. A guard may ask for them at once.
class Needs {
 public:
  /// Of the filter's own graph, where a leaf 0 rejects.
  Needs(const ir::Program& p, ir::Ranges& ranges);
  /// The end of the bytes that a guard which ends at `end` may ask for as well.
  std::uint64_t end(ir::NodeId guard, ir::ValueId base, std::uint64_t end) const;

 private:
  using Ends = std::unordered_map<std::uint32_t, std::uint64_t>;  ///< by node; without those that need nothing
  std::map<ir::ValueId, Ends> ends_;
};

/// The nodes that can be reached from one, in ascending order: ways out before the nodes that have them.
std::vector<ir::NodeId> nodes_below(const ir::Program& p, ir::NodeId root);

}  // namespace weir::ebpf
