// Instructions in the order in which they are chosen, with jumps to labels and with stack memory that has no place yet.
// `finish` leaves out what no way leads to, which the kernel would refuse, and gives both numbers: a jump that is too far for 16 bits
// becomes a long one, and stack memory is shared by what is never needed at the same time. All jumps lead forward, so that what is
// between the first and the last use in the text of the program is all that can be between them in a run.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf {

/// A register of the machine: r0 to r10.
using Register = std::uint8_t;
inline constexpr Register stack_pointer = 10;

enum class Label : std::uint32_t {};
enum class Slot : std::uint32_t {};  ///< memory on the stack, of eight bytes or a multiple
inline constexpr Slot no_slot{0xffffffff};

/// A comparison, and the jump that asks it.
struct Condition {
  std::uint8_t relation = op::JEQ;
  bool wide = false;                   ///< of 64 bits
  Register left = 0;
  std::optional<Register> right = {};  ///< otherwise `k`, in 64 bits with its sign
  std::uint32_t k = 0;
};
/// What holds when the condition does not; nothing for op::JSET.
std::optional<Condition> opposite(const Condition& c);

class Assembler {
 public:
  Label label();
  void bind(Label l);
  bool is_bound(Label l) const { return labels_[static_cast<std::size_t>(l)] != none; }
  Slot slot(std::uint32_t bytes = 8);

  void put(Instruction i);
  void move(Register to, Register from);                  ///< 64 bits
  void move32(Register to, Register from);                ///< the upper half becomes 0
  void set(Register to, std::uint32_t k);                 ///< the upper half becomes 0
  void set64(Register to, std::uint64_t k);
  void set_map(Register to, std::uint32_t map);           ///< the map's number in the program
  void set_map_value(Register to, std::uint32_t map);     ///< the address of the value that an array has for key 0
  void alu32(std::uint8_t what, Register to, Register by);
  void alu32(std::uint8_t what, Register to, std::uint32_t k);
  void alu64(std::uint8_t what, Register to, Register by);
  void alu64(std::uint8_t what, Register to, std::int32_t k);
  void swap(Register r, std::uint32_t bytes);             ///< network order to the host's, or back
  void load(Register to, Register from, std::int32_t offset, std::uint32_t bytes);
  void store(Register to, std::int32_t offset, Register from, std::uint32_t bytes);
  /// Into r0, in the host's order; a packet that is too short ends the program with 0.
  void load_packet(std::int32_t at, std::uint32_t bytes);
  void load_packet(Register base, std::int32_t at, std::uint32_t bytes);
  void load_field(Register to, Register structure, KernelField field, std::uint32_t bytes);
  void add_field(Register to, KernelField field);         ///< the offset of a field that only the loader knows
  void load(Register to, Slot from, std::int32_t offset, std::uint32_t bytes);
  void store(Slot to, std::int32_t offset, Register from, std::uint32_t bytes);
  void address(Register to, Slot of, std::int32_t offset = 0);
  void call(std::int32_t helper);
  void call(Label function);                              ///< of the program, behind all that calls it
  void exit();
  void jump(Label to);
  void jump(const Condition& when, Label to);
  /// What is put from here on does what these words say.
  void words(Span span) { span_ = span; }
  Span words() const { return span_; }

  std::size_t size() const { return items_.size(); }
  /// Leaves out what was put from one place to another, to which no jump leads: it was not needed after all.
  void drop(std::size_t first, std::size_t last);
  /// The instructions, fields and words into `p`. TooLarge: more stack memory or instructions than there can be.
  /// `hides_constants`: as EmitOptions has it.
  Result<void> finish(Program& p, bool hides_constants = false);

 private:
  struct Item {
    Instruction instruction;
    std::uint32_t label = none;
    Slot slot = no_slot;
    std::optional<KernelField> field = {};
    bool is_dropped = false;
    Span span;
  };
  static constexpr std::uint32_t none = 0xffffffff;
  struct Layout {
    std::vector<std::uint32_t> lengths;  ///< by item
    std::vector<bool> is_far;
  };

  void drop_unreachable();
  void drop_unread();
  bool place_slots();
  Layout layout(bool hides_constants) const;

  std::vector<Item> items_;
  std::vector<std::uint32_t> labels_;       ///< by label: the item that it stands before
  std::vector<std::uint32_t> slot_bytes_;
  std::uint32_t most_stack_ = stack_bytes;
  Span span_;
};

}  // namespace weir::ebpf
