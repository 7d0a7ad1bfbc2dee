// The decision graph between meaning and machine. Values and nodes are hash-consed: what is equal exists once.
// A node's ways out lead to nodes with smaller ids, so descending ids are a topological order of the graph from
// its root; passes, printers and back ends walk that order and never recurse along it.
//
// Bounds are visible. `Guard` asks whether bytes [base+displacement, …+size) are captured (summed without wrap) and
// `NonZero` whether a divisor is not 0 (where its range does not say so); when not, the filter ends with "reject", also inside a
// choice. `verify` demands one above every load and every division.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arith.hpp"
#include "base/intern.hpp"
#include "base/packet.hpp"
#include "base/result.hpp"
#include "base/set.hpp"
#include "base/span.hpp"

namespace weir::ir {

enum class ValueId : std::uint32_t {};
enum class NodeId : std::uint32_t {};
constexpr std::uint32_t index(ValueId id) { return static_cast<std::uint32_t>(id); }
constexpr std::uint32_t index(NodeId id) { return static_cast<std::uint32_t>(id); }
inline constexpr ValueId no_value{0xffffffff};

enum class ValueKind : std::uint8_t {
  Constant,  ///< k
  Load,      ///< `size` bytes in network order at a (no_value: 0) + k
  Length,    ///< length on the wire
  Meta,      ///< something the kernel knows: Meta(detail)
  Negate,    ///< -a
  Binary,    ///< a Arith(detail) b
  Choice,    ///< what the graph at NodeId(k) returns; its Return leaves hold the values to choose from
};

struct Value {
  ValueKind kind = ValueKind::Constant;
  std::uint8_t detail = 0;  ///< Load: size in bytes; Meta: weir::Meta; Binary: weir::Arith
  std::uint32_t k = 0;
  ValueId a = no_value;
  ValueId b = no_value;

  bool operator==(const Value&) const = default;
  std::uint32_t size() const { return detail; }
  Arith arith() const { return static_cast<Arith>(detail); }
  Meta meta() const { return static_cast<Meta>(detail); }
  NodeId root() const { return static_cast<NodeId>(k); }
};

enum class NodeKind : std::uint8_t {
  Return,   ///< ends with the value a: 0 rejects, otherwise how many bytes to keep
  Guard,    ///< bytes [a+k, a+k+size) are captured, then t; otherwise reject
  NonZero,  ///< a is not 0, then t; otherwise reject
  Test,     ///< a Relation(detail) b, then t, otherwise f
  Member,   ///< a lies in set number k of the program's sets, then t, otherwise f
};

struct Node {
  NodeKind kind = NodeKind::Return;
  std::uint8_t detail = 0;  ///< Guard: size in bytes; Test: weir::Relation
  std::uint32_t k = 0;
  ValueId a = no_value;
  ValueId b = no_value;
  NodeId t{};
  NodeId f{};

  bool operator==(const Node&) const = default;
  std::uint32_t size() const { return detail; }
  Relation relation() const { return static_cast<Relation>(detail); }
  /// Whether there are two ways on.
  bool forks() const { return kind == NodeKind::Test || kind == NodeKind::Member; }
};

/// A graph and the pool of its values. Grows only; ids stay valid.
class Program {
 public:
  // Values. Equal ones get the same id. `span`: the words it came from (the first to ask is kept).
  ValueId constant(std::uint32_t k);
  ValueId load(std::uint32_t size, ValueId base, std::uint32_t displacement, Span span = {});
  ValueId length();
  ValueId meta(Meta m);
  ValueId negate(ValueId a);
  ValueId binary(Arith op, ValueId a, ValueId b);
  ValueId choice(NodeId root, Span span = {});
  ValueId add(const Value& v, Span span = {});

  // Nodes. Ways out must exist already.
  NodeId ret(ValueId value);
  NodeId ret(std::uint32_t k) { return ret(constant(k)); }
  NodeId guard(std::uint32_t size, ValueId base, std::uint32_t displacement, NodeId next, Span span = {});
  NodeId nonzero(ValueId value, NodeId next, Span span = {});
  NodeId test(Relation op, ValueId a, ValueId b, NodeId t, NodeId f, Span span = {});
  NodeId member(ValueId a, Set set, NodeId t, NodeId f, Span span = {});
  NodeId add(const Node& n, Span span = {});

  /// The number of a set for `Member` nodes; equal ones get the same.
  std::uint32_t add(Set set);
  const Set& set(std::uint32_t number) const { return pool_->sets[number]; }
  const Set& set_of(const Node& member) const { return pool_->sets[member.k]; }
  std::size_t set_count() const { return pool_->sets.size(); }

  const Value& operator[](ValueId id) const { return pool_->values[static_cast<std::uint32_t>(id)].item; }
  const Node& operator[](NodeId id) const { return nodes_[static_cast<std::uint32_t>(id)].item; }
  Span span(NodeId id) const { return nodes_[static_cast<std::uint32_t>(id)].span; }
  Span span(ValueId id) const { return pool_->values[static_cast<std::uint32_t>(id)].span; }
  std::size_t value_count() const { return pool_->values.size(); }
  std::size_t node_count() const { return nodes_.size(); }
  /// Whether some value is a choice, or was one in a program that this one goes on with.
  bool has_choices() const { return pool_->has_choices; }

  Program() : pool_(std::make_shared<Pool>()) {}
  Program(const Program& other);
  Program& operator=(const Program& other) { return *this = Program(other); }
  Program(Program&&) = default;  ///< the other may only be assigned to
  Program& operator=(Program&&) = default;

  /// A program without nodes, or with the same, that goes on with the values and sets of another: what one adds, both have.
  /// Not for two threads.
  static Program with_values_of(const Program& other) { return Program(other.pool_); }
  static Program beside(const Program& other);
  /// So many values and nodes are to come: memory for them in one piece.
  void reserve(std::size_t values, std::size_t nodes);
  /// Gives back memory that only building needs; nothing may be added afterwards.
  void trim();

  NodeId root{};  ///< where evaluation starts

 private:
  /// What is equal exists once, whatever words it came from.
  template <class Item>
  struct Entry {
    Item item;
    Span span{};
    bool operator==(const Item& other) const { return item == other; }
    operator const Item&() const { return item; }
  };
  struct Pool {
    std::vector<Entry<Value>> values;
    std::vector<Set> sets;
    InternIndex value_index, set_index;
    bool has_choices = false;
  };
  explicit Program(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  std::shared_ptr<Pool> pool_;
  std::vector<Entry<Node>> nodes_;
  InternIndex node_index_;
};

/// The part that can be reached from the root, numbered in the order in which `to_string` prints it. That order
/// depends on the graph alone, not on how it was built: graphs that are equal come out with equal ids.
Program compact(const Program& p);

/// The value as a number when it is a constant.
inline std::optional<std::uint32_t> constant_of(const Program& p, ValueId v) {
  if (v == no_value || p[v].kind != ValueKind::Constant) return std::nullopt;
  return p[v].k;
}

/// Whether a node of the filter's own graph, not a choice's, ends it with "reject".
inline bool rejects(const Program& p, NodeId n) { return p[n].kind == NodeKind::Return && constant_of(p, p[n].a) == 0u; }

/// Runs the graph on a packet: the returned value, 0 where a guard or division rejects, also inside a choice.
/// A load past the captured bytes and a division by zero reject by themselves where no guard does.
std::uint32_t evaluate(const Program& p, const Packet& packet);

/// Which nodes can be reached from the root, choices included: one flag a node.
std::vector<bool> reachable(const Program& p);

/// Text of the reachable part, one value or node a line, each above its first use; `read` takes it back. Constants
/// stand where they are used. Ids are those of `compact(p)`, so equal graphs have equal text:
///   n0: return 262144
///   n1: return 0
///   v2 = load 2 [12]
///   n2: if v2 == 0x800 then n0 else n1
///   n3: guard 2 [12] then n2
///   root n3
/// Values: `load SIZE [BASE + K]`, `length`, `meta NAME`, `-A`, `A OP B`, `choice N`; nodes: `return A`,
/// `guard SIZE [BASE + K] then N`, `nonzero A then N`, `if A RELATION B then N else N`,
/// `if A in {K, K-K, …} then N else N`.
std::string to_string(const Program& p);
/// Graphviz text of the reachable part, with the ids of to_string and readable expressions.
std::string to_dot(const Program& p);
/// A value, or what a node asks, on one line as a filter would write it: `[12:2] == 0x800`. What is nested too deep
/// to read is named by its id (`v7`).
std::string expression(const Program& p, ValueId v);
std::string expression(const Program& p, NodeId n);
/// Reads what to_string writes, in any order that defines before use; empty lines and what follows a `#` count for
/// nothing. Ids may be renumbered. The span of an error is its line.
Result<Program> read(std::string_view text);

/// What is wrong with the graph: nothing when every load and division is guarded on every path, ids point downward,
/// unused fields are empty, and roots exist. For tests and debug builds, between passes: near-linear.
/// A guard vouches for every load from the same base that ends no later than it does, for captured bytes are the first
/// of the packet; and for loads from the start of the packet, too.
std::optional<std::string> verify(const Program& p);

}  // namespace weir::ir
