// Instruction selection for x86-64: the graph's nodes (x86_64_nodes.cc, x86_64_joined.cc), its values (x86_64_values.cc) and
// its sets (x86_64_sets.cc) as instructions of Xbyak, while keeping track of what the registers hold. One walk in the
// graph's order, each node when all that lead to it are done; never along its edges.
//
// The graph is there twice when it has guards that can be merged. In the first copy a guard asks for what later guards
// with the same base want, too; when not so much is captured, the code goes on at the same node of the second copy, where
// guards are as written.
//
// Registers: rdi packet, rsi captured bytes; rax, rcx, rdx within one step; r8 to r11 hold values of the graph. Words of the
// stack: costly values, the packet's length, what does not fit the registers. No calls, so the red zone does for most.
//
// The code is a function of one packet, or a loop over many (x86_64_batch.cc), which has further registers for itself.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

// Xbyak's own warnings are not ours.
#include <xbyak/xbyak.h>

#include "ir/program.hpp"
#include "ir/ranges.hpp"
#include "native/batch.hpp"
#include "native/bytes.hpp"
#include "native/code.hpp"
#include "native/plan.hpp"
#include "native/set_plan.hpp"

namespace weir::native::x86_64 {

inline constexpr std::size_t pool_size = 4;

/// What registers and memory hold at a place of the code, in values of the graph.
struct Machine {
  struct Held {
    ir::ValueId value = ir::no_value;
    bool raw = false;  ///< a load as it lies in memory, its bytes not yet in our order
    bool operator==(const Held&) const = default;
  };
  /// So many bytes behind a base are captured.
  struct Fact {
    ir::ValueId base;
    std::uint64_t end;
  };
  std::array<Held, pool_size> registers{};
  std::uint64_t at_home = 0;  ///< values, by number of home, that memory holds
  std::vector<Fact> captured;

  /// What holds on both ways to a place.
  void meet(const Machine& other);
  bool has(ir::ValueId base, std::uint64_t end) const;
  void learn(ir::ValueId base, std::uint64_t end);
};

/// What the code is: a native::Function, or a native::BatchFunction.
enum class Form : std::uint8_t { One, Batch };

class Select : private Xbyak::CodeGenerator {
 public:
  /// `frame`: bytes of stack beyond the red zone; 0 when that is enough.
  Select(const ir::Program& p, const Plan& plan, std::uint32_t frame, Form form = Form::One);

  void run();
  /// Words of stack that the code uses: the red zone has room for `red_zone_words`.
  std::uint32_t words() const { return most_words_; }
  bool too_long() const { return too_long_; }
  std::span<const std::uint8_t> bytes() const { return {getCode(), getSize()}; }
  std::size_t instruction_bytes() const { return instruction_bytes_; }
  std::vector<Mark> marks() && { return std::move(marks_); }

 private:
  using Register = std::size_t;  ///< a number in the pool

  // ---- x86_64_nodes.cc: control ---------------------------------------------------------------------

  /// A node of a copy of the graph, as a place in the code.
  struct Place {
    Xbyak::Label label;
    Machine machine;             ///< what holds whichever way it was reached
    std::uint32_t pending = 0;   ///< ways to it that are not selected yet
    bool reached = false;
  };
  /// One copy of a graph, that of the filter or that of a choice.
  struct Graph {
    std::unordered_map<std::uint32_t, Place> places;
    std::vector<ir::NodeId> ready, returns;
    Graph* as_written = nullptr;   ///< the copy that goes on where a merged guard fails
    ir::ValueId choice = ir::no_value;
    Place* join = nullptr;         ///< behind a choice
  };

  /// What the flags say.
  enum class Condition : std::uint8_t { Equal, NotEqual, Below, BelowEqual, Above, AboveEqual, Carry, NotCarry };

  void graphs();
  Graph graph_of(ir::NodeId root) const;
  void select(Graph& g);
  void node(Graph& g, ir::NodeId id);
  void guard(Graph& g, ir::NodeId id, const ir::Node& n);
  void leaf(Graph& g, const ir::Node& n);
  void question(Graph& g, const ir::Node& n);
  bool wide_test(Graph& g, ir::NodeId id);
  bool verdict(Graph& g, const ir::Node& n);
  bool are_verdicts(const Graph& g, ir::NodeId t, ir::NodeId f) const;
  void return_either(Condition c, ir::NodeId t, ir::NodeId f);
  bool either(Graph& g, const ir::Node& n);
  bool is_cheap(const ir::Node& n);
  /// Where an edge leads when guards are passed over that hold already.
  ir::NodeId follow(ir::NodeId to) const;
  void release(Graph& g, ir::NodeId to);
  void arrive(Place& place);
  void begin(Place& place);
  ir::NodeId next(Graph& g);
  void go_to(Graph& g, ir::NodeId to);
  /// Both ways out: `t` when the condition holds for the flags, otherwise `f`.
  static Condition opposite(Condition c);
  void jump(Condition c, const Xbyak::Label& to);
  void set(Condition c, const Xbyak::Reg8& to);
  void branch(Graph& g, Condition c, ir::NodeId t, ir::NodeId f);
  void finish_branch(Graph& g, Condition c, ir::NodeId then, ir::NodeId otherwise);
  void end();
  void end_constant(Place& place, std::uint32_t k);
  void mark(Span span);
  Xbyak::Label& way(Graph& g, ir::NodeId to);

  // ---- x86_64_batch.cc: the loop over packets -------------------------------------------------------

  void batch();
  void begin_batch();
  void begin_word();
  void each_packet();
  void next_packet();
  void end_word();
  void end_batch();
  void end_with(Condition c);

  // ---- x86_64_values.cc: data ---------------------------------------------------------------------

  Xbyak::Reg8 r8(Register r) const;
  Xbyak::Reg32 r32(Register r) const;
  Xbyak::Reg64 r64(Register r) const;

  Register value(ir::ValueId v);
  Register raw(ir::ValueId load);
  Register compute(ir::ValueId v);
  Xbyak::Address length();
  Xbyak::Address metadata(Meta m);
  Register load(const ir::Value& v, bool is_raw);
  Register binary(const ir::Value& v);
  Register into_third(Arith op, Register a, Register b);
  Register with_constant(Arith op, ir::ValueId a, std::uint32_t k);
  void apply(Arith op, Register to, const Xbyak::Reg32& by);
  Register choose(ir::ValueId v);

  // ---- x86_64_tests.cc: comparisons ----------------------------------------------------------------

  /// The condition that a test comes to, for the flags as the code leaves them.
  Condition flags(const ir::Node& test);
  bool flags_of_bytes(Relation r, ir::ValueId a, std::uint32_t k, Condition& c);
  Xbyak::RegExp address(ir::ValueId base, std::uint64_t displacement, const Xbyak::RegExp& from);
  bool is_held(ir::ValueId v, bool is_raw) const;
  bool is_at_hand(ir::ValueId v) const;

  Register take();
  /// The register of an operand that nobody needs any more, or a new one with the same content.
  Register take_over(Register from, ir::ValueId v);
  void hold(Register r, ir::ValueId v, bool is_raw = false);
  void store_home(Register r, ir::ValueId v);
  std::size_t unpinned() const;
  Xbyak::RegExp stack_word(std::uint32_t number);

  // ---- x86_64_sets.cc: membership --------------------------------------------------------------------

  void member(Graph& g, const ir::Node& n);
  /// Where a membership leads. The last jump is left to who asks: the flags say it.
  struct Ways {
    Xbyak::Label* in;
    Xbyak::Label* out;
  };
  const SetPlan& plan_of(const ir::Node& member);
  static bool is_straight(const SetPlan& plan);
  Register subject(const ir::Node& member);
  Condition membership(const ir::Node& n, Ways& ways);
  Condition chain(std::span<const Interval> intervals, const Xbyak::Reg32& v, Ways& ways);
  Condition tree(std::span<const Interval> intervals, const Xbyak::Reg32& v, Ways& ways);
  Condition bits(const SetPlan::Bits& bits, const Xbyak::Reg32& v, Ways& ways);
  Condition hashed(const SetPlan::Hash& hash, Register v);
  Condition search(const SetPlan::Search& search, Register v, Ways& ways);
  void distance(const Xbyak::Reg32& v, std::uint32_t low);
  Xbyak::Label& table(std::vector<std::uint32_t> words);
  void put(std::span<const std::uint32_t> words);
  void put_tables();

  /// Of a batch: the packet that is looked at, up to which one this code goes, the verdicts so far (the latest on top), the end of
  /// those that a word has room for, how far ahead headers are asked for, the end of all.
  const Xbyak::Reg64 cursor = rbx, stop = r12, verdicts = r13, word_end = r14, ahead = r15, packets_end = rbp;

  const ir::Program& program_;
  const Plan& plan_;
  ir::Ranges ranges_;
  std::uint32_t frame_;
  Form form_;
  Machine machine_;
  std::array<std::uint32_t, pool_size> pins_{};
  std::array<std::uint64_t, pool_size> stamps_{};
  std::uint64_t clock_ = 0;
  std::uint32_t length_word_ = 0, metadata_word_ = 0, next_word_ = 0, most_words_ = 0;
  Xbyak::Label reject_;
  /// Of a batch: the packet passes; the carry says whether it does; the code of one packet; and what comes behind some.
  Xbyak::Label accept_, verdict_, packet_, some_done_;
  struct Table {
    Xbyak::Label label;
    std::vector<std::uint32_t> words;
  };
  std::vector<std::unique_ptr<Table>> tables_;
  /// By set and size of the load, for sets are asked for several values.
  std::unordered_map<std::uint64_t, std::pair<SetPlan, Table*>> plans_;
  Table** current_table_ = nullptr;
  std::size_t instruction_bytes_ = 0;
  std::vector<Mark> marks_;
  bool too_long_ = false;
};

/// Bytes below the stack pointer that a function which calls none may use (System V ABI), in words.
inline constexpr std::uint32_t red_zone_words = 32;

}  // namespace weir::native::x86_64
