// The walk of an encoder through a graph, whatever the CPU: each node when all ways to it are done, never along its edges;
// what registers and memory hold at every place; and which tests can be asked together.
//
// The graph is there twice when it has guards that can be merged. In the first copy a guard asks for what later guards
// with the same base want, too; when not so much is captured, the code goes on at the same node of the second copy, where
// guards are as written.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ir/program.hpp"

namespace weir::native {

inline constexpr std::size_t pool_size = 6;

/// What a register holds.
struct Held {
  enum class Form : std::uint8_t {
    Nothing,
    Value,    ///< of the graph: its ValueId
    Raw,      ///< a load as it lies in memory, its bytes not yet in our order: its ValueId
    Pointer,  ///< to the packet's byte whose offset is a value: its ValueId
    Number,   ///< itself
    Table,    ///< the address of a set's table: its number
  };
  Form form = Form::Nothing;
  std::uint64_t key = 0;
  bool operator==(const Held&) const = default;
};

/// What registers and memory hold at a place of the code.
struct Machine {
  /// So many bytes behind a base are captured.
  struct Fact {
    ir::ValueId base;
    std::uint64_t end;
  };
  std::array<Held, pool_size> registers{};
  std::uint64_t at_home = 0;  ///< values, by number of home, that their homes hold
  std::vector<Fact> captured;

  /// What holds on both ways to a place.
  void meet(const Machine& other);
  bool has(ir::ValueId base, std::uint64_t end) const;
  void learn(ir::ValueId base, std::uint64_t end);
};

/// Bytes at a place that have to be these; `value` as they lie in memory.
struct Piece {
  ir::ValueId base;
  std::uint32_t at, size;
  std::uint64_t value;
};

class Walk {
 protected:
  explicit Walk(const ir::Program& p) : program_(p) {}

  /// A node of a copy of the graph, as a place in the code.
  struct Place {
    std::optional<std::uint32_t> label;  ///< the encoder's, by number
    Machine machine;                     ///< what holds whichever way it was reached
    std::uint32_t pending = 0;           ///< ways to it that are not selected yet
    bool reached = false;
  };
  /// One copy of a graph, that of the filter or that of a choice.
  struct Graph {
    std::unordered_map<std::uint32_t, Place> places;
    std::vector<ir::NodeId> ready, returns;
    Graph* as_written = nullptr;  ///< the copy that goes on where a merged guard fails
    ir::ValueId choice = ir::no_value;
    Place* join = nullptr;        ///< behind a choice

    Place& operator[](ir::NodeId id) { return places[static_cast<std::uint32_t>(id)]; }
    /// The node that is selected after this one; nothing when none is left.
    std::optional<ir::NodeId> next() const;
    ir::NodeId take_next();
  };

  Graph graph_of(ir::NodeId root) const;
  /// Where an edge leads when guards are passed over that hold already.
  ir::NodeId follow(ir::NodeId to) const;
  /// One way to a place is done with. When it was the last one, the place is ready, or out of reach, and then so may be
  /// what lies behind it.
  void release(Graph& g, ir::NodeId to) const;
  void arrive(Place& place) const;
  /// A node is done whose two ways, followed, or asked further, lead there.
  void leave(Graph& g, const ir::Node& n, ir::NodeId then, ir::NodeId otherwise) const;
  /// Whether both nodes return constants, one of them 0.
  bool are_verdicts(const Graph& g, ir::NodeId t, ir::NodeId f) const;

  /// A chain of equalities of adjacent bytes with one outcome when they fail, in pieces of up to eight bytes.
  struct Wide {
    std::vector<ir::NodeId> links;
    std::vector<Piece> pieces;
    ir::NodeId then, otherwise;
  };
  std::optional<Wide> wide_from(ir::NodeId id) const;

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
};

}  // namespace weir::native
