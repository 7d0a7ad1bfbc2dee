#pragma once
#include <cstdint>
#include <vector>

#include "base/column.hpp"
#include "base/set.hpp"
#include "ir/program.hpp"

namespace weir::ir {

/// No packet has 2^31 bytes and more: libpcap's and the kernel's lengths are positive ints.
inline constexpr std::uint32_t max_captured = 0x7fffffff;

/// Bounds of values, whatever the packet. Works each value out once.
class Ranges {
 public:
  explicit Ranges(const Program& p) : program_(p) {}
  Interval of(ValueId v);

  /// What guards of whole packets can do: those of small offsets always pass, then only the end of what is captured
  /// stops one; the guard of an offset that no packet has never passes; others may do either.
  enum class Passage : std::uint8_t { Always, Maybe, Never };
  Passage passage(const Node& guard);

  /// Whether working a value out can reject a packet that is there as a whole: by a check inside a choice. Other checks
  /// are nodes of their own.
  bool may_reject(ValueId v) { return v != no_value && program_.has_choices() && is_computed(program_[v]) && may_reject_computed(v); }

 private:
  static bool is_computed(const Value& v) { return v.a != no_value || v.kind == ValueKind::Choice; }
  Interval computed(ValueId v);
  bool may_reject_computed(ValueId v);
  template <class Look>
  void walk(NodeId choice_root, Look look);
  Interval of_choice(NodeId root);
  bool has_check(NodeId choice_root);

  const Program& program_;
  Column<Interval> known_;  ///< by value, of those that are worked out
  Column<char> rejects_;     ///< by value: not asked, no, yes
  std::vector<NodeId> walked_;  ///< of walks that are under way
};

}  // namespace weir::ir
