// Instruction selection for AArch64: the graph's nodes (aarch64_nodes.cc), its values (aarch64_values.cc) and its sets
// (aarch64_sets.cc) as instructions of VIXL's macro assembler, while keeping track of what the registers hold (walk.hpp).
// It runs on any host, and makes bytes.
//
// Registers, as AAPCS64 has them: x0 packet, x1 captured bytes, w2 length, x3 metadata, all as they came; x4, x5 within one
// step; x6 to x11 hold what is known (the pool); x12 to x15 are homes of costly values. More homes, and what does not fit the
// registers, are words of the stack: then there is a frame, for signals may write below the stack pointer. x16 and x17 are
// the macro assembler's, for numbers that fit no instruction.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <aarch64/macro-assembler-aarch64.h>

#include "ir/ranges.hpp"
#include "native/bytes.hpp"
#include "native/code.hpp"
#include "native/plan.hpp"
#include "native/set_plan.hpp"
#include "native/walk.hpp"

namespace weir::native::aarch64 {

namespace a64 = ::vixl::aarch64;

/// Tables farther than an `adr` reaches (1 MiB either way) take more instructions.
enum class Reach : std::uint8_t { Near, Far };

class Select : private Walk {
 public:
  /// `frame`: bytes of stack.
  Select(const ir::Program& p, const Plan& plan, std::uint32_t frame, Reach reach);

  void run();
  /// Words of stack that the code uses.
  std::uint32_t words() const { return most_words_; }
  bool too_long() const { return too_long_; }
  /// Code with its tables, once it has run.
  Encoded finished() &&;

 private:
  using Reg = unsigned;  ///< a register by its number

  /// A comparison whose operands are there; the flags are not touched yet.
  struct Question {
    enum class Kind : std::uint8_t {
      Compare,  ///< left with right
      Bits,     ///< whether they have bits in common: ne or eq
      Flags,    ///< asked already: the condition says it
    };
    Kind kind = Kind::Compare;
    Reg left = 0;
    std::optional<Reg> right = std::nullopt;  ///< none: k
    std::uint64_t k = 0;
    a64::Condition condition = a64::eq;
    bool wide = false;         ///< of 64 bits

    Question opposite() const;
  };

  // ---- aarch64_nodes.cc: control ---------------------------------------------------------------------

  void select(Graph& g);
  void node(Graph& g, ir::NodeId id);
  void guard(Graph& g, ir::NodeId id, const ir::Node& n);
  void leaf(Graph& g, const ir::Node& n);
  void answer(Graph& g, const Question& q, const ir::Node& n);
  bool wide_test(Graph& g, ir::NodeId id);
  bool either(Graph& g, ir::NodeId id);
  bool is_cheap(const ir::Node& n, ir::ValueId base);
  void return_either(a64::Condition c, ir::NodeId t, ir::NodeId f);
  void begin(Place& place);
  void go_to(Graph& g, ir::NodeId to);
  /// Both ways out: `n.t` when it holds, otherwise `n.f`.
  void branch(Graph& g, const Question& q, const ir::Node& n);
  void finish_branch(Graph& g, const Question& q, ir::NodeId then, ir::NodeId otherwise);
  a64::Label* label(Place& place);
  void end();
  void mark(Span span);

  // Flags. Numbers that fit no instruction go into the macro assembler's registers, so that the pool stays as it is.
  void compare(const Question& q);
  /// What is asked besides: when `already` holds, the flags come to say that q holds, too.
  void compare_unless(a64::Condition already, const Question& q);
  void jump(const Question& q, a64::Label* to);

  // ---- aarch64_values.cc: data ---------------------------------------------------------------------

  static a64::Register w(Reg r) { return a64::WRegister(static_cast<int>(r)); }
  static a64::Register x(Reg r) { return a64::XRegister(static_cast<int>(r)); }

  Reg value(ir::ValueId v);
  Reg raw(ir::ValueId load);
  /// The address of the packet's byte whose offset is `base`.
  Reg pointer(ir::ValueId base);
  Reg number(std::uint64_t k);
  Reg compute(ir::ValueId v);
  Reg load(ir::ValueId id);
  void fetch(Reg to, std::uint32_t size, Reg base, std::uint32_t displacement);
  Reg binary(const ir::Value& v);
  Reg with_constant(Arith op, ir::ValueId a, std::uint32_t k);
  bool bit_field(Arith op, ir::ValueId a, std::uint32_t k, Reg& to);
  void apply(Arith op, Reg to, Reg a, Reg b, std::uint32_t most_b);
  Reg choose(ir::ValueId v);
  Question ask(const ir::Node& test);
  std::optional<Question> ask_bytes(Relation r, ir::ValueId a, std::uint32_t k);
  /// The same with its number in a register, where that fits no instruction, or is above `most`.
  Question settled(Question q, std::uint64_t most = 0xffffffff);
  bool is_held(Held what) const;
  bool is_at_hand(ir::ValueId v) const;

  std::optional<Reg> held(Held what);
  Reg take();
  void drop(Reg r, ir::ValueId v);
  void hold(Reg r, Held what);
  void store_home(Reg r, ir::ValueId v);
  void pin(Reg r);
  void unpin(Reg r);
  std::size_t unpinned() const;
  std::optional<Reg> home_register(std::uint32_t home) const;
  a64::MemOperand home_word(std::uint32_t home);
  a64::MemOperand stack_word(std::uint32_t number);

  // ---- aarch64_sets.cc: membership --------------------------------------------------------------------

  struct Planned {
    SetPlan plan;
    std::uint32_t first_table;  ///< of up to two
  };
  /// Where a membership leads. The last question is left to who asks.
  struct Ways {
    a64::Label* in;
    a64::Label* out;
  };
  void member(Graph& g, const ir::Node& n);
  const Planned& plan_of(const ir::Node& member);
  static bool is_straight(const SetPlan& plan);
  static bool jumps(const SetPlan& plan);
  Reg subject(const ir::Node& member);
  Question membership(const ir::Node& n, const Ways& ways);
  Question chain(std::span<const Interval> intervals, Reg v);
  Question interval(Interval in, Reg v);
  Question tree(std::span<const Interval> intervals, Reg v, const Ways& ways);
  Question bits(const SetPlan::Bits& bits, std::uint32_t first_table, Reg v, const Ways& ways);
  Question hashed(const SetPlan::Hash& hash, std::uint32_t first_table, Reg v);
  Question search(const SetPlan::Search& search, std::uint32_t first_table, Reg v, const Ways& ways);
  Reg table(std::uint32_t number, std::span<const std::uint32_t> words);
  std::vector<std::uint8_t> with_tables();

  const Plan& plan_;
  ir::Ranges ranges_;
  std::uint32_t frame_;
  Reach reach_;
  /// Behind a pointer: where compilers know its type for sure, they ask for functions that its library does not show.
  std::unique_ptr<a64::MacroAssembler> asm_;
  std::deque<a64::Label> labels_;
  a64::Label reject_;
  std::array<std::uint32_t, pool_size> pins_{};
  std::array<std::uint64_t, pool_size> stamps_{};
  std::uint64_t clock_ = 0;
  std::uint32_t next_word_ = 0, most_words_ = 0;
  struct Table {
    std::vector<std::uint32_t> words;
    std::vector<std::size_t> uses;  ///< where the code works its address out
  };
  std::vector<Table> tables_;
  std::unordered_map<std::uint64_t, Planned> plans_;  ///< by set and size of the load
  std::vector<Mark> marks_;
  bool too_long_ = false;
};

}  // namespace weir::native::aarch64
