// A filter's verdict as a decision diagram over its fields, each asked once on a way, in one order: what is left of it once
// something is known of the fields has one number, whatever way it became known. For the best tree (tree.hpp).
#pragma once
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "fields.hpp"

namespace weir::bench {

class Diagram {
 public:
  using Id = std::uint32_t;
  static constexpr Id reject = 0, accept = 1, impossible = 2;  ///< impossible: no packet has all those numbers
  static bool is_verdict(Id id) { return id <= impossible; }

  Diagram(const ir::Program& graph, const Fields& fields);

  /// Nothing is known yet.
  Id whole() const { return whole_; }
  /// The verdicts are all constants, and the diagram is of a size to work with.
  bool fits() const { return fits_; }

  /// What is left where a field is known to lie in some cells (from its first).
  Id known(Id id, std::size_t field, Cells some);

  /// A field that may still decide: cells that it may lie in, and those of them that decide alike.
  struct Open {
    std::size_t field = 0;
    Cells possible = 0;
    std::vector<Cells> classes;
  };
  std::vector<Open> open(Id id) const;

 private:
  static constexpr Id nowhere = 0xffffffff;  ///< behind a cell that the field does not lie in
  static constexpr std::size_t most_nodes = 200'000;
  struct Node {
    std::uint32_t field = 0;
    std::vector<Id> ways;  ///< by cell
    auto operator<=>(const Node&) const = default;
  };

  Id add(Node node);
  Id either(std::size_t field, Cells holds, Id t, Id f);
  std::uint32_t field_of(Id id) const { return is_verdict(id) ? nowhere : nodes_[id].field; }

  const Fields& fields_;
  std::vector<Node> nodes_;
  std::map<Node, Id> ids_;
  std::map<std::tuple<std::size_t, Cells, Id, Id>, Id> eithers_;
  std::map<std::tuple<Id, std::size_t, Cells>, Id> knowns_;
  Id whole_ = reject;
  bool fits_ = true;
};

}  // namespace weir::bench
