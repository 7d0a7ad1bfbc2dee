// What is decided about a graph before a single instruction is chosen, whatever the CPU: which values are needed how
// often, what they cost, which of them get a place in memory, and how far guards can be merged.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/program.hpp"

namespace weir::native {

class Plan {
 public:
  explicit Plan(const ir::Program& p);

  /// How many nodes and values that count refer to a value.
  std::uint32_t uses(ir::ValueId v) const { return uses_[index(v)]; }
  /// About how many instructions it takes to work a value out from nothing; saturates.
  std::uint32_t cost(ir::ValueId v) const { return costs_[index(v)]; }
  /// The number of the word that keeps a value once it is computed: for what is too costly to be worked out again.
  std::optional<std::uint32_t> home(ir::ValueId v) const;
  std::uint32_t home_count() const { return home_count_; }
  bool needs_length() const { return needs_length_; }
  bool needs_metadata() const { return needs_metadata_; }
  /// Whether there is no use in code: more nodes than fit in what caches hold, more values that are worth a word than fit
  /// the state that is kept for every place in the code, or values too deep inside values. Nothing else is to be asked then.
  bool too_large() const { return too_large_; }
  /// Where a guard of bytes [base+…, base+end) may as well ask for more, which later guards of the same base want: their end.
  std::uint64_t merged_end(ir::ValueId base, std::uint64_t end) const;
  std::size_t node_count() const { return nodes_; }

 private:
  static std::size_t index(ir::ValueId v) { return static_cast<std::size_t>(v); }
  void count_uses(const ir::Program& p);
  void sum_costs(const ir::Program& p);
  void give_homes(const ir::Program& p);
  void collect_guards(const ir::Program& p);

  struct GuardEnd {
    ir::ValueId base;
    std::uint64_t end;
    auto operator<=>(const GuardEnd&) const = default;
  };

  std::vector<bool> reachable_;
  std::vector<std::uint32_t> uses_, costs_, homes_;
  std::vector<GuardEnd> guard_ends_;  ///< sorted
  std::uint32_t home_count_ = 0;
  std::size_t nodes_ = 0;
  bool needs_length_ = false, needs_metadata_ = false, too_large_ = false;
};
}  // namespace weir::native
