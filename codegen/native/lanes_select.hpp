// How a graph becomes lanes (lanes.hpp): its nodes (lanes_select.cc), values (lanes_values.cc) and sets (lanes_sets.cc).
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "ir/captured.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"
#include "native/lanes.hpp"

namespace weir::native {

class LaneSelect {
 public:
  LaneSelect(const ir::Program& p, const Plan& plan, SetPlans& sets) : program_(p), plan_(plan), sets_(sets), ranges_(p) {}
  std::optional<Lanes> make();

 private:
  static constexpr std::uint32_t lane_size = 4, window_size = 16;
  /// Nothing is asked for ahead beyond the longest of IPv4's packets: few have so many bytes, and an instruction does not reach
  /// that far in all cases.
  static constexpr std::uint32_t farthest_ahead = 0xffff;

  /// Bytes that some packets have been looked up for: `width` of them from `at` bytes behind a base.
  struct Looked {
    ir::ValueId base;
    std::uint32_t at, width;
    LaneId bytes;
    bool operator==(const Looked&) const = default;
  };
  /// Bytes at a fixed place that all packets have: taken as four columns, or as one.
  struct Window {
    std::uint32_t at, size;
    bool has(const ir::Value& load) const { return at <= load.k && std::uint64_t{load.k} + load.size() <= std::uint64_t{at} + size; }
  };
  /// A node that packets come to: which, and what holds for them.
  struct Place {
    LaneId reached = no_lane;
    ir::Captured captured;
    std::vector<Looked> looked;
  };
  struct Answer {
    LaneId lanes = no_lane;
    bool opposite = false;  ///< it holds where no lane is set
  };
  /// Where a load's bytes are: behind so many others of one or two lanes.
  struct Field {
    LaneId low, high;
    std::uint32_t before;
    bool is_split(std::uint32_t size) const { return before + size > 4; }
  };

  // ---- lanes_select.cc ----
  void choose_windows();
  std::vector<ir::Value> loads_of_all();
  Window window_from(std::span<const ir::Value> loads) const;
  std::vector<Window>::const_iterator window_of(const ir::Value& load) const;
  void look_ahead(std::uint32_t at, std::uint32_t size);
  void node(const ir::Node& n);
  void guard(const ir::Node& n);
  void fork(const ir::Node& n, Answer answer);
  void come_to(ir::NodeId to, LaneId reached);
  Answer ask(const ir::Node& test);
  std::optional<Answer> ask_bytes(const ir::Node& test);

  // ---- lanes_values.cc ----
  LaneId value(ir::ValueId v);
  LaneId binary(const ir::Value& v);
  LaneId shifted(const ir::Value& v, LaneKind by_constant, LaneKind by_value);
  Field field(const ir::Value& load);
  Field looked_up(const ir::Value& load);
  /// A load's bytes as a number: in their order, or as they lie in memory.
  LaneId bytes(const ir::Value& load, bool in_order);
  LaneId is_captured(ir::ValueId base, std::uint64_t end);
  LaneId cannot();

  // ---- lanes_sets.cc ----
  LaneId member(const ir::Node& n);
  LaneId in_chain(std::span<const Interval> intervals, LaneId v);
  LaneId in_words(const SetPlan::Bits& bits, LaneId v);
  LaneId in_bits(const SetPlan::Bits& bits, std::uint32_t table, LaneId v);
  LaneId in_hash(const SetPlan::Hash& hash, std::uint32_t table, LaneId v);

  LaneId op(LaneKind kind, LaneId a, LaneId b) { return lanes_.add({kind, 0, 0, a, b}); }
  LaneId op(LaneKind kind, LaneId a, std::uint32_t k) { return lanes_.add({kind, 0, k, a}); }
  LaneId constant(std::uint32_t k) { return lanes_.constant(k); }

  const ir::Program& program_;
  const Plan& plan_;
  SetPlans& sets_;
  ir::Ranges ranges_;
  Lanes lanes_;
  std::uint32_t least_ = 0;  ///< so many captured bytes all packets have
  std::vector<Window> windows_;
  std::map<ir::NodeId, Place, std::greater<>> ahead_;
  Place here_;
  std::size_t work_ = 0;
  bool can_ = true;
};

}  // namespace weir::native
