// Instruction selection for AArch64: how the nodes of a graph (selection.hpp) are asked and answered (aarch64_nodes.cc,
// aarch64_tests.cc), their values (aarch64_values.cc) and sets (aarch64_sets.cc), as instructions of VIXL's macro assembler. It
// runs on any host, and makes bytes.
//
// Registers, as AAPCS64 has them: x0 packet, x1 captured bytes, w2 length, x3 metadata, all as they came; x4, x5 within one
// step; x6 to x11 hold what is known (the pool); x12 to x15 are homes of costly values. More homes, and what does not fit the
// registers, are words of the stack: then there is a frame, for signals may write below the stack pointer. x16 and x17 are
// the macro assembler's, for numbers that fit no instruction.
//
// The code is a function of one packet, or a loop over many (aarch64_batch.cc), which has x19 to x25 for itself.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <aarch64/macro-assembler-aarch64.h>

#include "ir/ranges.hpp"
#include "native/bytes.hpp"
#include "native/code.hpp"
#include "native/selection.hpp"
#include "native/set_plan.hpp"

namespace weir::native::aarch64 {

namespace a64 = ::vixl::aarch64;

/// Tables farther than an `adr` reaches (1 MiB either way) take more instructions.
enum class Reach : std::uint8_t { Near, Far };

/// A comparison whose operands are there; the flags are not touched yet.
struct Question {
  enum class Kind : std::uint8_t {
    Compare,  ///< left with right
    Bits,     ///< whether they have bits in common: ne or eq
    Flags,    ///< asked already: the condition says it
  };
  Kind kind = Kind::Compare;
  unsigned left = 0;
  std::optional<unsigned> right = std::nullopt;  ///< none: k
  std::uint64_t k = 0;
  a64::Condition condition = a64::eq;
  bool wide = false;         ///< of 64 bits
};

/// A number with its sign, as operands have it: small negative ones fit instructions, too.
inline a64::Operand operand(std::uint32_t k) { return a64::Operand(static_cast<std::int64_t>(static_cast<std::int32_t>(k))); }

class Select final : public Selection<Question> {
 public:
  /// `frame`: bytes of stack.
  Select(const ir::Program& p, const Plan& plan, std::uint32_t frame, Reach reach, Form form);

  void run();
  /// Words of stack that the code uses.
  std::uint32_t words() const { return most_words_; }
  /// Code with its tables, once it has run.
  Encoded finished() &&;

 private:
  using Reg = unsigned;  ///< a register by its number
  using Label = native::Label;
  static constexpr Reg length_register = 2;  ///< whose upper half is anything
  static constexpr Reg first_of_pool = 6, pool_size = 6;
  /// Registers of the pool that the costliest step takes, a look into a set with two tables, and one for what waits.
  static constexpr std::size_t most_wanted = 5;
  static bool is_pooled(Reg r) { return r >= first_of_pool && r < first_of_pool + pool_size; }

  // ---- aarch64_nodes.cc: flags and jumps -------------------------------------------------------------
  //
  // Numbers that fit no instruction go into the macro assembler's registers, so that the pool stays as it is.

  std::size_t position() const override { return asm_->GetSizeOfCodeGenerated(); }
  Label new_label() override;
  void bind(Label here) override { asm_->Bind(at(here)); }
  void jump(Label to) override { asm_->B(at(to)); }
  void jump_if(const Question& q, Label to) override { jump_if(q, at(to)); }
  void jump_if(const Question& q, a64::Label* to);
  Question opposite(const Question& q) const override;
  a64::Label* at(Label l) { return &labels_[static_cast<std::size_t>(l)]; }
  void compare(const Question& q);
  /// What is asked besides: when `already` holds, the flags come to say that q holds, too.
  void compare_unless(a64::Condition already, const Question& q);

  Question ask_cut(ir::ValueId base, std::uint64_t end) override;
  Question ask_zero(ir::ValueId v) override { return {.left = value(v)}; }
  void keep(ir::ValueId chosen, std::uint32_t home) override;
  void return_value(ir::ValueId v) override;
  void return_constant(std::uint32_t k) override;
  void return_if(const Question& q, std::uint32_t k) override;
  void end_function();

  // ---- aarch64_batch.cc: the loop over packets -------------------------------------------------------

  void batch();
  void begin_batch();
  void begin_word();
  void each_packet();
  void next_packet();
  void end_word();
  void end_batch();
  void end_with(a64::Condition c);

  // ---- aarch64_tests.cc: comparisons ---------------------------------------------------------------

  Question ask(const ir::Node& test) override { return settled(comparison(test)); }
  Question comparison(const ir::Node& test);
  std::optional<Question> comparison_of_bytes(const ir::Node& test);
  /// The same with its number in a register, where that fits no instruction, or is above `most`.
  Question settled(Question q, std::uint64_t most = 0xffffffff);
  Question ask_piece(const ir::Piece& piece, bool is_first) override;
  bool is_cheap(const ir::Node& n, const ir::Node& first) override;
  bool has_room_for_several() const override { return pool_.unpinned() >= most_wanted; }
  Question ask_all(const Either& all) override;
  ir::ValueId base_of(const ir::Node& n) const;

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
  bool is_at_hand(ir::ValueId v) const;

  std::optional<Reg> held(Held what);
  Reg take();
  void drop(Reg r, ir::ValueId v);
  void hold(Reg r, Held what);
  void store_home(Reg r, ir::ValueId v);
  void pin(Reg r);
  void unpin(Reg r);
  std::optional<Reg> home_register(std::uint32_t home) const;
  a64::MemOperand home_word(std::uint32_t home);
  a64::MemOperand stack_word(std::uint32_t number);

  // ---- aarch64_sets.cc: membership --------------------------------------------------------------------

  bool jumps(const ir::Node& member) override;
  void prepare(const ir::Node& member) override { subject(member); }
  Question ask_member(const ir::Node& member, const std::optional<Ways>& ways) override;
  Reg subject(const ir::Node& member);
  Question chain(std::span<const Interval> intervals, Reg v);
  Question interval(Interval in, Reg v);
  Question tree(std::span<const Interval> intervals, Reg v, const std::optional<Ways>& ways);
  Question bits(const SetPlan::Bits& bits, std::uint32_t first_table, Reg v, const std::optional<Ways>& ways);
  Question hashed(const SetPlan::Hash& hash, std::uint32_t first_table, Reg v);
  Question search(const SetPlan::Search& search, std::uint32_t first_table, Reg v, const std::optional<Ways>& ways);
  Reg table(std::uint32_t number, std::span<const std::uint32_t> words);
  std::vector<std::uint8_t> with_tables();

  ir::Ranges ranges_;
  SetPlans plans_;
  std::uint32_t frame_;
  Reach reach_;
  /// Behind a pointer: where compilers know its type for sure, they ask for functions that its library does not show.
  std::unique_ptr<a64::MacroAssembler> asm_;
  std::deque<a64::Label> labels_;
  Pool pool_;
  std::uint32_t next_word_ = 0, most_words_ = 0;
  struct Table {
    std::vector<std::uint32_t> words;
    std::vector<std::size_t> uses;  ///< where the code works its address out
  };
  std::vector<Table> tables_;  ///< by number; empty where it is not used
  /// Of a batch: the code of one packet, and what comes behind some.
  Label packet_{}, some_done_{};
};

}  // namespace weir::native::aarch64
