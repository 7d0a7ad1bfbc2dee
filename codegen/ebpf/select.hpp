// Instruction selection: the graph's nodes (nodes.cc, edges.cc), its values (values.cc, tests.cc), its sets (sets.cc), and the bytes of
// the packet (packet.cc). One walk in the graph's order, each node when all that lead to it are done; never along its edges.
//
// Where a hook gives pointers to the packet's linear part, the graph is there twice. In the first copy guards compare with
// the end of the linear part, and ask at once for all bytes that every way to "accept" needs: when those are not captured, the packet
// is rejected, whatever it is. Only when part of it is elsewhere than in the linear part does it go on in the second copy, at the
// root, which compares with the packet's length and loads through a helper.
//
// Registers: r6 context; where the first copy calls nothing, the context stays in r1 there. First copy: r7 data, r8 data_end, or
// for socket-btf the length of the linear part. Second: r7 the packet's address where the hook has to know it, r8 length. All
// others hold values of the graph; calls leave nothing in r0 to r5. Words of the stack: costly values, and what a helper loads.
//
// A program for socket-btf that calls nothing in the first copy has all but the context in registers that it need not save: most
// packets take a few nanoseconds there. And r0 says "no match" from the beginning on, so that whoever rejects jumps to the end of
// the copy and no further: the kernel's translation has the end of a program once, where it exits first
// (arch/x86/net/bpf_jit_comp.c, BPF_EXIT), and every jump that is taken costs half a nanosecond.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "ebpf/address_list.hpp"
#include "ebpf/assembler.hpp"
#include "ebpf/emit.hpp"
#include "ebpf/hook_row.hpp"
#include "ebpf/machine.hpp"
#include "ebpf/plan.hpp"
#include "ir/program.hpp"
#include "ir/ranges.hpp"

namespace weir::ebpf {

/// From how many entries on lists are maps: numbers, networks, addresses of 16 bytes; and numbers of four bytes a table.
struct MapThresholds {
  std::size_t hash, trie, addresses, table;
};
MapThresholds thresholds_of(const ir::Program& p, const EmitOptions& options);

/// Whether membership is asked of a table.
bool is_for_table(const Set& set, std::uint32_t key_bytes, const MapThresholds& thresholds);

/// Whether membership is asked of a map, by a call.
bool is_for_map(const Set& set, std::uint32_t key_bytes, const MapThresholds& thresholds);

class Select {
 public:
  /// Where the context is while the packet's linear part is looked at: `Argument` and `Alone` are good for programs that call
  /// nothing there, and `Alone` saves the context, for loads of the socket buffer, but nothing else.
  enum class ContextIn : std::uint8_t { Argument, Saved, Alone };

  Select(const ir::Program& p, const EmitOptions& options, ContextIn context);

  Result<Program> run();
  /// Whether the context should have been saved.
  bool lost_context() const { return lost_context_; }

 private:
  static constexpr Register argument = 1, saved_context = 6, data = 7, data_end = 8, length = 8;
  static constexpr Register data_alone = 4, data_end_alone = 5, verdict_alone = 0;

  // ---- select.cc: the program around the graph ------------------------------------------------------

  static constexpr ir::NodeId no_node{0xffffffff};

  /// A node of a copy of the graph, as a place in the code.
  struct Place {
    std::optional<Label> label;
    Machine machine;             ///< what holds whichever way it was reached
    std::uint32_t pending = 0;   ///< ways to it that are not selected yet
    bool reached = false;
  };
  /// One copy of a graph, that of the filter or that of a choice.
  struct Graph {
    std::unordered_map<std::uint32_t, Place> places;
    std::vector<ir::NodeId> ready, returns;
    bool merges = false;         ///< its guards may ask for more
    ir::ValueId choice = ir::no_value;
    Place* join = nullptr;       ///< behind a choice
  };

  bool asks_for_bytes() const;
  void copy(Reach reach, bool merges);
  void save_context();
  void begin_pointers();
  void leave_pointers();
  void ask_length(Register to);
  void verdict(std::uint32_t graph_value);
  void end();

  // ---- tracing.cc -----------------------------------------------------------------------------------

  void begin_tracing();
  Register read_field(Register structure, KernelField field, std::uint32_t bytes);
  void count_and_end(bool accepted);

  // ---- nodes.cc: what nodes do, edges.cc: how they are joined ----------------------------------------

  Graph graph_of(ir::NodeId root) const;
  void select(Graph& g);
  void node(Graph& g, ir::NodeId id);
  void guard(Graph& g, ir::NodeId id, const ir::Node& n);
  bool is_checked_by_load(const ir::Node& guard);
  void leaf(Graph& g, const ir::Node& n);
  void verdict_leaf(Graph& g, std::uint32_t graph_value);
  bool rejects(ir::NodeId id) const;
  bool has_verdict() const { return is_alone_ && reach_ == Reach::Pointers; }
  Label reject() const { return has_verdict() ? rejects_at_once_ : reject_; }
  void question(Graph& g, const ir::Node& n);
  bool wide_test(Graph& g, ir::NodeId id);
  /// Where an edge leads when guards are passed over that hold already, and questions whose answer is known.
  ir::NodeId follow(ir::NodeId to);
  ir::NodeId next_open(ir::NodeId from);
  std::optional<bool> answer(const ir::Node& n) const;
  void release(Graph& g, ir::NodeId to);
  void arrive(Place& place);
  void begin(Place& place);
  static ir::NodeId next(const Graph& g);
  void go_to(Graph& g, ir::NodeId to);
  Condition equality(ir::ValueId base, std::uint32_t at, std::uint32_t bytes, std::uint64_t wanted);
  void branch_over(Graph& g, const Condition& c, const ir::Node& ways, ir::NodeId then, ir::NodeId otherwise, Machine::Known learned = {});
  void branch(Graph& g, const Condition& c, ir::NodeId t, ir::NodeId f, Machine::Known learned = {});
  void finish_branch(Graph& g, const Condition& c, ir::NodeId then, ir::NodeId otherwise);
  Label way(Graph& g, ir::NodeId to);
  Label label_of(Place& place);

  // ---- values.cc ------------------------------------------------------------------------------------

  Register value(ir::ValueId v);
  Register raw(ir::ValueId load);
  bool is_window(Register r) const { return machine_.registers[r].form == Machine::Form::Window; }
  Register compute(ir::ValueId v);
  Register binary(const ir::Value& v);
  Register with_constant(Arith op, ir::ValueId a, std::uint32_t k);
  void apply(Arith op, Register to, Register by, ir::ValueId distance);
  Register choose(ir::ValueId v);
  Register metadata(ir::ValueId v);
  Register traced_metadata(ir::ValueId v, Register to);
  void refuse(ir::ValueId v);
  Register whole_length();
  Register length_at_hand();
  /// The values of two operands, neither of which the other's computation destroys.
  struct Two {
    Register a, b;
  };
  Two both(ir::ValueId a, ir::ValueId b);

  std::span<const Register> pool() const;
  bool is_done_with(Register r) const;
  Register take();
  Register take_saved();
  /// A register with the content of another that may be changed: the same one when nobody needs it any more.
  Register take_over(Register from, ir::ValueId v);
  void hold(Register r, ir::ValueId v, Machine::Form form = Machine::Form::Value);
  void keep(Register r, ir::ValueId v);
  Slot home(ir::ValueId v);
  std::optional<Register> held(ir::ValueId v, Machine::Form form);
  bool is_at_hand(ir::ValueId v);
  void call(std::int32_t helper);
  void forget_arguments();
  bool is_in_order(ir::ValueId load) const;

  // ---- tests.cc -------------------------------------------------------------------------------------

  Condition condition(const ir::Node& test);
  std::optional<Condition> condition_of_bytes(Relation r, ir::ValueId a, std::uint32_t k);

  // ---- sets.cc --------------------------------------------------------------------------------------

  void member(Graph& g, const ir::Node& n);
  /// Where a membership leads.
  struct Ways {
    Label in, out;
  };
  Condition membership(Register v, std::span<const Interval> intervals, Interval domain, const Ways& ways);
  Condition chain(Register v, std::span<const Interval> intervals, Interval domain, const Ways& ways);
  Condition bits(Register v, std::span<const Interval> intervals, const Ways& ways);

  // ---- map_sets.cc ----------------------------------------------------------------------------------

  std::optional<std::uint32_t> map_number(Map map, Span words);
  std::optional<std::uint32_t> map_number(std::uint32_t set, std::uint32_t bytes, Span words);
  std::optional<std::uint32_t> key_bytes(ir::ValueId v) const;
  Condition look_up(std::uint32_t map, Slot key, std::int32_t at);
  Condition member_of_map(std::uint32_t map, ir::ValueId v, std::uint32_t bytes);
  bool map_member(Graph& g, const ir::Node& n);
  bool table_member(Graph& g, const ir::Node& n);
  /// A table that a program has, and how it finds places there.
  struct TableUse {
    std::uint32_t map, bits;
    std::array<std::uint32_t, 2> multipliers;
  };
  const TableUse* table_of(std::uint32_t set);
  Condition member_of_table(const TableUse& table, ir::ValueId v);
  Register found_at(Register number, const TableUse& table, std::size_t which);
  Register in_packet_order(ir::ValueId v, std::uint32_t bytes);
  bool map_test(Graph& g, const ir::Node& n);
  bool begins_list(ir::NodeId id);
  bool map_addresses(Graph& g, ir::NodeId id);
  Condition look_up(Graph& g, const AddressList& list);
  Machine check_or(Label fails, ir::ValueId base, std::uint64_t end);
  void settle(const AddressList& list, ir::NodeId from);
  bool is_settled(ir::NodeId id) const;

  // ---- packet.cc ------------------------------------------------------------------------------------

  Register load(const ir::Value& v, bool is_raw, bool is_wanted_again);
  Register load_in_order(ir::ValueId base, std::uint64_t at, std::uint32_t bytes);
  void copy_to_stack(ir::ValueId base, std::uint32_t from, Slot to, std::int32_t at);
  Register load_bytes(ir::ValueId base, std::uint64_t at, std::uint32_t bytes, bool in_place = false);
  Register load_from_pointer(ir::ValueId base, std::uint64_t at, std::uint32_t bytes, bool in_place);
  Register load_by_call(ir::ValueId base, std::uint64_t at, std::uint32_t bytes);
  Register load_by_function(std::uint32_t bytes);
  void loading_functions();
  std::optional<Label> sure_failure(ir::ValueId base, std::uint64_t end);
  void check(ir::ValueId base, std::uint64_t end);
  void check_ahead(ir::ValueId base, std::uint64_t end, std::uint64_t wanted);
  void check_pointer(Register pointer, std::uint64_t end, Label fails);
  void check_linear(std::uint64_t end, Label fails);
  void check_length(ir::ValueId base, std::uint64_t end);
  /// A register that points to the byte at a base, behind which the verifier knows of so many bytes.
  Register pointer(ir::ValueId base, std::uint64_t end, Label fails);
  Register add_to_data(Register offset, ir::ValueId base);
  std::uint32_t visible_high(ir::ValueId v);

  // ---- windows.cc: several values by one load, where loads are dear ----------------------------------

  struct Window {
    std::uint64_t at;
    std::uint32_t bytes;
  };
  bool has_windows() const { return reach_ == Reach::Pointers && made_.hook == Hook::SocketBtf; }
  std::uint64_t end_soon(ir::NodeId guard, std::uint64_t end) const;
  bool is_known(ir::ValueId load) const;
  /// By load: how likely it is wanted.
  using Loads = std::map<ir::ValueId, std::uint32_t>;
  void collect_loads(ir::ValueId v, ir::ValueId base, std::uint32_t likely, std::uint32_t depth, Loads& found) const;
  Loads loads_soon(ir::ValueId base) const;
  Window window_of(ir::ValueId base, std::uint64_t at, std::uint32_t bytes, std::uint64_t known_end) const;
  std::optional<Register> window_with(ir::ValueId base, std::uint64_t at, std::uint32_t bytes);
  Register take_out(Register window, std::uint64_t at, std::uint32_t bytes, bool in_place);

  const ir::Program& program_;
  const EmitOptions& options_;
  HookRow row_;
  MapThresholds thresholds_;
  ir::Ranges ranges_;
  Needs needs_;
  Assembler code_;
  Program made_;
  Register context_ = saved_context, data_ = data, data_end_ = data_end;
  bool is_alone_ = false;         ///< the context, in what calls leave alone
  bool lost_context_ = false;
  const Plan* plan_ = nullptr;    ///< of the copy that is being made
  Reach reach_ = Reach::Calls;
  Machine machine_;
  std::array<std::uint32_t, 10> pins_{};
  std::array<std::uint64_t, 10> stamps_{};
  std::uint64_t clock_ = 0;
  std::uint32_t pointers_made_ = 0;
  std::unordered_map<std::uint32_t, Slot> homes_;  ///< of the copy, by value
  std::optional<Slot> length_slot_;                ///< of the whole length, where r8 has that of the linear part
  std::optional<std::int32_t> match_;              ///< nothing: what the graph returns
  Label accept_{}, reject_{};
  Label rejects_at_once_{};                        ///< the end of the first copy, where r0 has the verdict
  std::array<std::optional<Label>, 5> loading_{};  ///< functions that load, by how many bytes
  bool uses_length_ = false;                       ///< a copy without pointers asks r8
  ir::NodeId current_ = no_node;                   ///< that is being selected
  /// Of a guard that asked for more than it has to: where a packet goes that has not so much.
  struct Ahead {
    Label fails;
    std::uint64_t end;                             ///< what it has to have
  };
  std::vector<Ahead> ahead_;
  Label rejects_if_linear_{}, elsewhere_{};        ///< of a copy with pointers: a check fails, or an offset is beyond pointers
  std::unordered_map<std::uint64_t, std::uint32_t> set_maps_;  ///< by set and size of its keys: the number of its map
  std::unordered_map<std::uint32_t, TableUse> tables_;          ///< by set
  std::size_t address_work_ = 2'000'000;           ///< nodes that may be looked at for lists of long addresses
  /// What was passed over because its answer is known.
  struct Passed {
    Machine::Known known = {};
    std::unordered_map<ir::NodeId, ir::NodeId> open = {};  ///< by where one began: where one got to
    std::size_t work = 100'000'000;                        ///< questions that may still be looked at
  };
  Passed passed_;
  std::vector<bool> settled_;                      ///< by node, in a copy: part of a list that a map was asked for already
  std::optional<Diagnostic> trouble_;
};

}  // namespace weir::ebpf
