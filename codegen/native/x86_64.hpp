// Instruction selection for x86-64: how the nodes of a graph (selection.hpp) are asked and answered (x86_64_nodes.cc,
// x86_64_tests.cc), their values (x86_64_values.cc) and sets (x86_64_sets.cc), as instructions of Xbyak.
//
// Registers: rdi packet, rsi captured bytes; rax, rcx, rdx within one step; r8 to r11 hold values of the graph. Words of the
// stack: costly values, the packet's length, what does not fit the registers. No calls, so the red zone does for most.
//
// The code is a function of one packet, or a loop over many (x86_64_batch.cc), which has further registers for itself.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// Xbyak's own warnings are not ours.
#include <xbyak/xbyak.h>

#include "ir/program.hpp"
#include "ir/ranges.hpp"
#include "native/bytes.hpp"
#include "native/encoders.hpp"
#include "native/lane_places.hpp"
#include "native/lanes.hpp"
#include "native/selection.hpp"
#include "native/set_plan.hpp"

namespace weir::native::x86_64 {

/// What the flags say, by the numbers that instructions have for it.
enum class Condition : std::uint8_t { Below = 2, Carry = Below, AboveEqual, Equal, NotEqual, BelowEqual, Above };

class Select final : private Xbyak::CodeGenerator, public Selection<Condition> {
 public:
  /// `frame`: bytes of stack beyond the red zone; 0 when that is enough. `vectors`: whether a loop may have lanes.
  Select(const ir::Program& p, const Plan& plan, std::uint32_t frame, Form form, Vectors vectors);

  void run();
  /// Words of stack that the code uses: the red zone has room for `red_zone_words`.
  std::uint32_t words() const { return most_words_; }
  std::span<const std::uint8_t> bytes() const { return {getCode(), getSize()}; }
  std::size_t instruction_bytes() const { return instruction_bytes_; }
  std::vector<Mark> marks() && { return std::move(marks_); }

 private:
  using Register = std::size_t;  ///< a number in the pool
  /// What a loop has on the stack above the frame: where the next word goes, how far the last one is shifted, where the stack was, where
  /// packets end; then lanes.
  static constexpr std::size_t out_at = 0, shift_at = 8, stack_at = 16, end_at = 24, loop_stack = 32;
  static constexpr std::uint32_t lane_registers = 11;
  /// Registers of the pool that the costliest step takes, a look into a large set, and one for what waits.
  static constexpr std::size_t most_wanted = 3;
  using Label = native::Label;

  // ---- x86_64_nodes.cc: flags and jumps -------------------------------------------------------------

  std::size_t position() const override { return getSize(); }
  Label new_label() override;
  void bind(Label here) override { places_[index(here)] = getSize(); }
  void jump(Label to) override;
  void jump_if(const Condition& c, Label to) override;
  Condition opposite(const Condition& c) const override { return static_cast<Condition>(static_cast<std::uint8_t>(c) ^ 1); }
  static std::size_t index(Label l) { return static_cast<std::size_t>(l); }
  std::optional<std::int64_t> short_way_back(Label to) const;
  void refer(Label to);
  void address_of(const Xbyak::Reg64& r, Label to);
  void fill_in_references();
  void set(Condition c, const Xbyak::Reg8& to);
  void move_if(Condition c, const Xbyak::Reg32& to, const Xbyak::Reg32& from);

  Condition ask_cut(ir::ValueId base, std::uint64_t end) override;
  Condition ask_zero(ir::ValueId v) override;
  void keep(ir::ValueId chosen, std::uint32_t home) override;
  void return_value(ir::ValueId v) override;
  void return_constant(std::uint32_t k) override;
  void return_if(const Condition& c, std::uint32_t k) override;
  void end_function();

  // ---- x86_64_batch.cc: the loop over packets -------------------------------------------------------

  void batch();
  void begin_batch();
  void begin_word();
  void each_packet();
  void next_packet();
  void end_word();
  void end_batch();
  void end_with(Condition c);

  // ---- x86_64_lanes.cc: several packets at once ----------------------------------------------------

  void make_lanes();
  void groups();
  void ask_ahead(std::size_t begin, std::size_t end);
  void ask_for(const Xbyak::RegExp& group, std::size_t packet);
  void lane_step(const Lane& lane, const LaneStep& step);
  void simple(const Lane& lane, const LaneStep& step, const Xbyak::Ymm& to);
  void of_records(std::size_t field, const Xbyak::Ymm& to);
  void captured_of_records(const Xbyak::Ymm& to);
  void of_views(std::size_t field, const Xbyak::Ymm& to);
  void window(const Lane& lane, const LaneStep& step);
  void look_up(const Lane& lane, const LaneStep& step);
  void elements(const Xbyak::Ymm& to, const Lane& lane);
  void element(const Xbyak::Xmm& to, const Xbyak::Xmm& places, std::uint32_t number, const Lane& lane);
  Xbyak::Ymm in_register(const LanePlace& place, const Xbyak::Ymm& spare);
  Xbyak::Address lane_memory(const LanePlace& place);
  Xbyak::Address lane_constant(std::size_t number);
  Xbyak::Address lane_pattern(std::uint32_t bytes);
  Xbyak::Address lane_vector(const std::array<std::uint32_t, 8>& words);
  Xbyak::Address lane_stack(std::uint32_t number);
  std::size_t lane_stack_at(std::uint32_t number) const;
  std::size_t batch_stack() const;
  void put_lane_constants();

  // ---- x86_64_tests.cc: comparisons ----------------------------------------------------------------

  Condition ask(const ir::Node& test) override;
  std::optional<Condition> ask_bytes(const ir::Node& test);
  Condition ask_piece(const ir::Piece& piece, bool is_first) override;
  bool is_cheap(const ir::Node& n, const ir::Node& first) override;
  bool has_room_for_several() const override { return pool_.unpinned() >= most_wanted; }
  Condition ask_all(const Either& all) override;

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
  Xbyak::RegExp address(ir::ValueId base, std::uint64_t displacement, const Xbyak::RegExp& from);
  bool is_at_hand(ir::ValueId v) const;
  /// The register of an operand that nobody needs any more, or a new one with the same content.
  Register take_over(Register from, ir::ValueId v);
  /// Another one than this.
  Register take_beside(Register r);
  void store_home(Register r, ir::ValueId v);
  Xbyak::RegExp stack_word(std::uint32_t number);

  // ---- x86_64_sets.cc: membership --------------------------------------------------------------------

  bool jumps(const ir::Node& member) override;
  void prepare(const ir::Node& member) override { subject(member); }
  Condition ask_member(const ir::Node& member, const std::optional<Ways>& ways) override;
  Register subject(const ir::Node& member);
  Condition chain(std::span<const Interval> intervals, const Xbyak::Reg32& v, const std::optional<Ways>& ways);
  Condition tree(std::span<const Interval> intervals, const Xbyak::Reg32& v, const std::optional<Ways>& ways);
  Condition bits(const SetPlan::Bits& bits, std::uint32_t number, const Xbyak::Reg32& v, const std::optional<Ways>& ways);
  Condition hashed(const SetPlan::Hash& hash, std::uint32_t number, Register v);
  Condition search(const SetPlan::Search& search, std::uint32_t number, Register v, const std::optional<Ways>& ways);
  void distance(const Xbyak::Reg32& v, std::uint32_t low);
  /// One, however often its set is asked for: `words` makes it.
  Label table(std::uint32_t number, auto words) {
    if (tables_.size() <= number) tables_.resize(number + 1);
    Table& t = tables_[number];
    if (t.words.empty()) t = {new_label(), words()};
    return t.label;
  }
  void put(std::span<const std::uint32_t> words);
  void put_tables();

  /// Of a loop: the packet that is looked at, the end of those whose verdicts make a word, the verdicts so far (the latest on top),
  /// how far ahead headers are asked for. With lanes, `stop` is the end of those that are looked at one by one, and there is one
  /// for constants.
  const Xbyak::Reg64 cursor = rbx, stop = r12, verdicts = r13, ahead = r15, word_end = r14, lane_constants = rbp;
  Xbyak::Address packets_end() { return qword[rsp + (frame_ + end_at)]; }

  ir::Ranges ranges_;
  SetPlans plans_;
  std::uint32_t frame_;
  Pool pool_;
  std::uint32_t length_word_ = 0, metadata_word_ = 0, next_word_ = 0, most_words_ = 0;
  /// Of each label. Xbyak's own labels are kept in three hash tables each, which takes a tenth of the time.
  std::vector<std::size_t> places_;
  struct Reference {
    Label to;
    std::size_t end;  ///< behind the four bytes that say how far it is from there
  };
  std::vector<Reference> references_;
  /// Of a loop: the code of one packet, and what comes behind some.
  Label packet_{}, some_done_{};
  struct Table {
    Label label{};
    std::vector<std::uint32_t> words;
  };
  std::vector<Table> tables_;  ///< by number; empty where it is not used
  std::size_t instruction_bytes_ = 0;

  std::optional<Lanes> lanes_;
  LanePlaces lane_places_;
  bool asks_twice_ = false;  ///< for each packet, at two distances
  Label next_group_{};
  std::vector<std::array<std::uint32_t, 8>> lane_constants_;
  Label lane_constants_at_{};
};

/// Bytes below the stack pointer that a function which calls none may use (System V ABI), in words.
inline constexpr std::uint32_t red_zone_words = 32;

}  // namespace weir::native::x86_64
