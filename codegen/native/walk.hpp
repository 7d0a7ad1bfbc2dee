// The order in which an encoder goes through a graph, whatever the CPU: each node when all ways to it are done, never along
// its edges; and which tests can be asked together.
//
// The graph is there twice when it has guards that can be merged. In the first copy a guard asks for what later guards
// with the same base want, too; when not so much is captured, the code goes on at the same node of the second copy, where
// guards are as written.
#pragma once
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ir/adjacent.hpp"
#include "ir/program.hpp"
#include "native/machine.hpp"

namespace weir::native {

/// A place in the code that is jumped to, by the encoder's number for it.
enum class Label : std::uint32_t {};

class Walk {
 protected:
  explicit Walk(const ir::Program& p) : program_(p) {}

  /// A node of a copy of the graph, as a place in the code.
  struct Place {
    std::optional<Label> label;
    Machine machine;            ///< what holds whichever way it was reached
    std::uint32_t pending = 0;  ///< ways to it that are not selected yet
    bool reached = false;
  };
  /// One copy of a graph, that of the filter or that of a choice.
  struct Graph {
    explicit Graph(std::pmr::memory_resource* memory) : places(memory), ready(memory), returns(memory) {}

    std::pmr::unordered_map<std::uint32_t, Place> places;
    std::pmr::vector<ir::NodeId> ready, returns;
    Graph* as_written = nullptr;  ///< the copy that goes on where a merged guard fails
    ir::ValueId choice = ir::no_value;
    Place* join = nullptr;        ///< behind a choice

    Place& operator[](ir::NodeId id) { return places[static_cast<std::uint32_t>(id)]; }
    /// The node that is selected after this one; nothing when none is left.
    std::optional<ir::NodeId> next() const;
    ir::NodeId take_next();
  };

  Graph graph_of(ir::NodeId root);
  /// Where an edge leads when guards are passed over that hold already.
  ir::NodeId follow(ir::NodeId to) const;
  /// One way to a place is done with. When it was the last one, the place is ready, or out of reach, and then so may be
  /// what lies behind it.
  void release(Graph& g, ir::NodeId to) const;
  void arrive(Place& place) const;
  /// A node is done whose two ways, followed, or asked further, lead there.
  void leave(Graph& g, const ir::Node& n, ir::NodeId then, ir::NodeId otherwise) const;
  /// The constant that a node returns as the filter's verdict.
  std::optional<std::uint32_t> verdict(const Graph& g, ir::NodeId id) const;

  std::optional<ir::Adjacent> adjacent_from(ir::NodeId id) const;

  /// Two and more cheap tests of which one alone leads to the same place: `port 80`, `host a`, `ip and tcp`.
  struct Either {
    struct Link {
      ir::NodeId node;
      bool when;  ///< the answer that leads there
    };
    std::vector<Link> links;
    ir::NodeId there, rest;
  };
  std::optional<Either> either_from(ir::NodeId id, const std::function<bool(const ir::Node&)>& is_cheap) const;

  const ir::Program& program_;
  Machine machine_;

 private:
  std::pmr::monotonic_buffer_resource memory_{16 << 10};  ///< of graphs: there are few, and all are gone with the walk
};

}  // namespace weir::native
