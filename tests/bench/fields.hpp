// What a filter asks of packets, by field: the bytes, or other value, that tests against constants are about. The numbers of a
// field fall into cells, no more than the filter's own tests tell apart. For the best tree (tree.hpp).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/packet.hpp"
#include "base/set.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::bench {

/// Some of the cells, a bit each; those of one field, or of all.
using Cells = std::uint64_t;
inline constexpr std::size_t most_cells = 64;

/// What a comparison can be done with: of a wider load, some can be done without a mask.
enum class Compares : std::uint8_t { Number, Order, Bits };

class Fields {
 public:
  struct Field {
    ir::ValueId value{};
    std::uint32_t mask = 0xffffffff;  ///< asked about are these bits
    std::vector<Set> cells;           ///< of a field without numbers: of 0 and 1
    std::uint32_t first = 0;          ///< of its cells among all
    ir::NodeId opaque{};              ///< the test that is a field of its own, as it compares two values
    bool has_numbers = true;
  };
  /// A comparison that tells some cells from the others, and its instructions without the load.
  struct Comparison {
    std::size_t cost = 1;
    Compares how = Compares::Number;
  };

  explicit Fields(const ir::Program& graph);

  /// Whether there is a bit for each cell, and no value is a choice.
  bool fit() const { return fit_; }
  std::size_t count() const { return fields_.size(); }
  const Field& operator[](std::size_t f) const { return fields_[f]; }

  /// The field of a test, and the cells for which it holds.
  struct Asked {
    std::size_t field = 0;
    Cells holds = 0;  ///< counted from the field's first
  };
  const Asked& asked(ir::NodeId test) const { return asked_.at(test); }

  /// Whether one comparison, or one of masked bits, tells `some` from `rest`, both cells of a field.
  std::optional<Comparison> comparison(std::size_t field, Cells some, Cells rest) const;
  /// Whether the numbers of some cells are those that agree in some bits.
  bool are_one_number(std::size_t field, Cells some, Cells rest) const;
  /// Whether some cells are those whose numbers have none of some bits, of which all others have one.
  bool lack_bits(std::size_t field, Cells some, Cells rest) const;
  /// What there is to load for a field, if it is a load.
  const ir::Value* load(std::size_t field) const;
  const ir::Program& graph() const { return graph_; }
  /// Which cells of `b` there can be together with each of `a`; nothing where they have no bytes in common,
  /// or lie in more than two.
  std::optional<std::vector<Cells>> together(std::size_t a, std::size_t b) const;

  /// The cell of a field that a packet lies in, from its first; nothing where the packet ends before.
  std::optional<std::uint32_t> cell(std::size_t field, const Packet& packet) const;

 private:
  void collect(ir::NodeId id, ir::Ranges& ranges, std::vector<std::vector<Set>>& questions);
  void cut(Field& field, const std::vector<Set>& questions);
  Set numbers(std::size_t field, Cells some) const;
  std::uint32_t bits(std::size_t field) const;

  ir::Program graph_;
  std::vector<Field> fields_;
  std::vector<Interval> domains_;
  std::vector<std::pair<ir::Program, ir::Program>> probes_;  ///< by field: gives the number; says whether there is one
  std::map<ir::NodeId, Asked> asked_;
  bool fit_ = true;
};

}  // namespace weir::bench
