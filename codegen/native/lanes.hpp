// A filter for several packets at once, whatever the CPU: straight-line code over vectors, in which each packet has a lane of 32 bits.
// Which nodes of the graph a packet comes to is a vector, too, of all ones or zeros in its lane, so that nothing depends on
// what the packets contain but whether memory is looked at for any of them.
//
// Packets are taken as they are nearly always: with the bytes of usual headers, and where guards were merged, as many as the last of them
// asks for. Others, and those beside them, go through the code of one packet.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ir/program.hpp"
#include "native/plan.hpp"
#include "native/set_plan.hpp"

namespace weir::native {

enum class LaneId : std::uint32_t {};
inline constexpr LaneId no_lane{0xffffffff};

/// A lane of a packet that came to a node.
inline constexpr std::uint32_t all_ones = 0xffffffff;

enum class LaneKind : std::uint8_t {
  Constant,      ///< k
  Captured,      ///< how many bytes are captured; packets of which it takes more than 32 bits to say are for the code of one
  Length,        ///< length on the wire
  Window,        ///< 16 bytes from byte k on; what they are is in the four columns behind it
  Column,        ///< bytes 4 * k and the next three of the window a, as they lie in memory
  Bytes,         ///< bytes of a: which, lowest first, the four of k say; a 0 where it is no_byte
  And,           ///< a and b
  Except,        ///< b but not a
  Or,
  Xor,
  Add,
  Subtract,
  Multiply,
  ShiftLeft,     ///< by k, which is below 32
  ShiftRight,
  ShiftLeftBy,   ///< a by b: 0 from 32 on
  ShiftRightBy,
  Equal,         ///< all ones, or 0
  AtLeast,       ///< a is not below b
  /// `width` bytes at the packet's byte k + a, as they lie in memory; anything where no lane of b is set. Without a and b: at k, of all.
  InBytes,
  InTable,       ///< word a of table k; anything where no lane of b is set
  Demand,        ///< all lanes of a have one of b, too; otherwise the packets are for the code of one
};

inline constexpr std::uint32_t no_byte = 0x80;

struct Lane {
  LaneKind kind{};
  std::uint8_t width = 0;
  std::uint32_t k = 0;
  LaneId a = no_lane, b = no_lane;
  bool operator==(const Lane&) const = default;
};

/// The code: each step after what it needs.
class Lanes {
 public:
  /// What is equal is there once. Constants are folded as far as it takes to be rid of lanes that are all or none.
  LaneId add(Lane lane);
  LaneId constant(std::uint32_t k) { return add({LaneKind::Constant, 0, k}); }
  bool is_constant(LaneId id, std::uint32_t k) const {
    return id != no_lane && (*this)[id].kind == LaneKind::Constant && (*this)[id].k == k;
  }

  const Lane& operator[](LaneId id) const { return steps_[static_cast<std::size_t>(id)]; }
  std::size_t size() const { return steps_.size(); }
  /// Without steps that nobody needs. How many instructions it is, about.
  void trim();
  std::size_t cost() const;

  LaneId verdict = no_lane;  ///< the sign of each lane
  /// Where packets are looked at first, and last, about: what is asked for ahead.
  std::uint32_t first_byte = 0xffffffff, last_byte = 0;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> tables;  ///< by number in SetPlans

 private:
  std::optional<LaneId> folded(const Lane& lane) const;

  std::size_t slot_of(const Lane& lane) const;
  void grow();

  std::vector<Lane> steps_;
  std::vector<LaneId> slots_;  ///< a hash table of the steps: a power of two of slots, half of them empty at the least
};

/// Nothing where it cannot be done (choices, divisions, metadata, large sets), or the code of one packet costs less.
std::optional<Lanes> lanes_of(const ir::Program& p, const Plan& plan, SetPlans& sets);

}  // namespace weir::native
