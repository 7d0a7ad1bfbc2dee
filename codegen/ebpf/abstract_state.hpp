// What is known of registers and stack between two instructions, for all packets and all ways there.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "ebpf/abstract_number.hpp"

namespace weir::ebpf {

enum class AbstractKind : std::uint8_t {
  Nothing,      ///< never written, or of no use any more
  Number,
  Context,      ///< what r1 is at the start
  Stack,        ///< to the end of the stack of function `which`, plus `offset`
  Packet,       ///< to the packet's first byte, plus `number`, plus `offset`
  PacketEnd,    ///< behind the last byte of the packet's linear part
  Map,          ///< map `which` itself
  MapValue,     ///< to a value of map `which`, plus `number`, plus `offset`
  MapValueOrNull,
  Structure,    ///< to a structure of the kernel, or null; read through, it is 0 where nothing is
};

/// The number that is the distance from data to data_end, for hook socket-btf: where it is no less than another, so many bytes
/// are there. From numbers the kernel's verifier learns no such thing, but it does not ask for it there, either.
inline constexpr std::uint32_t linear_length = 1;

/// What a register, or eight bytes of the stack, hold.
struct AbstractValue {
  AbstractKind kind = AbstractKind::Nothing;
  /// What has the same id has the same number, or the same `number` behind a pointer, or is null at the same time; 0: nothing else has.
  std::uint32_t id = 0;
  std::uint32_t which = 0;  ///< of a number: linear_length, or nothing
  std::int64_t offset = 0;
  AbstractNumber number = AbstractNumber::constant(0);

  bool is_number() const { return kind == AbstractKind::Number; }
  bool operator==(const AbstractValue&) const = default;
};

AbstractValue number_value(const AbstractNumber& n);

/// Eight bytes of the stack.
struct StackSlot {
  std::uint8_t written = 0;  ///< a bit a byte
  AbstractValue value;       ///< of all eight; Nothing: only numbers of which nothing is known
  bool operator==(const StackSlot&) const = default;
};

struct Frame {
  std::array<AbstractValue, 11> registers;
  std::vector<StackSlot> slots;        ///< the first is the one below the end of the stack
  std::size_t returns_to = 0;
  bool operator==(const Frame&) const = default;
};

struct AbstractState {
  std::vector<Frame> frames;
  /// By id of packet pointers (0: without a variable part): so many bytes from data + number on lie before data_end.
  std::map<std::uint32_t, std::uint32_t> ranges;

  Frame& frame() { return frames.back(); }
  const Frame& frame() const { return frames.back(); }
  AbstractValue& operator[](unsigned r) { return frames.back().registers[r]; }
  const AbstractValue& operator[](unsigned r) const { return frames.back().registers[r]; }
  std::uint32_t range(std::uint32_t id) const;

  /// Every register of every function, and every slot.
  template <class F>
  void for_each_value(F f) {
    for (Frame& frame : frames) {
      for (AbstractValue& v : frame.registers) f(v);
      for (StackSlot& s : frame.slots) f(s.value);
    }
  }
  bool operator==(const AbstractState&) const = default;
};

/// Whether what is right after `seen` is right after `now`, because `seen` knows no more.
bool covers(const AbstractState& seen, const AbstractState& now);

/// What is true after both. Ids that both have anew come from `next_id`.
AbstractState joined(const AbstractState& a, const AbstractState& b, std::uint32_t& next_id);

}  // namespace weir::ebpf
