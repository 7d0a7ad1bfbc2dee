// How membership in a set is asked, and the tables for it, whatever the CPU. Choices are by measured cost: a table that
// lies in the nearest cache beats a mispredicted branch.
#pragma once
#include <cstdint>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/set.hpp"
#include "ir/program.hpp"

namespace weir::native {

/// Of what the question is: a load's size in bytes (its value may be asked as it lies in memory), 0 for other values.
struct SetPlan {
  /// One comparison after the other.
  struct Chain {
    std::vector<Interval> intervals;
    bool raw = false;  ///< of the load's bytes as they lie in memory: all intervals are single numbers
  };
  /// Compared in halves.
  struct Tree {
    std::vector<Interval> intervals;
  };
  /// A bit for each number from `low` on.
  struct Bits {
    std::uint32_t low = 0, count = 0;
    std::vector<std::uint32_t> words;
    bool raw = false;    ///< by the load's bytes as they lie in memory; then it has a bit for each
    bool whole = false;  ///< no number can lie outside
  };
  /// A perfect hash: the slot of a key x holds x if and only if x is an element.
  /// One multiplication where there is room: slot = low32(x * multiplier) >> (32 - slot_bits).
  /// Otherwise with p = low64(x * multiplier): slot = ((p >> 24) ^ displacements[p >> (64 - bucket_bits)]) & (slots - 1).
  struct Hash {
    std::uint64_t multiplier = 0;
    std::uint32_t slot_bits = 0, bucket_bits = 0;  ///< bucket_bits 0: one multiplication
    std::vector<std::uint32_t> keys;
    std::vector<std::uint16_t> displacements;
    std::uint32_t shift = 0;  ///< of the value: keys are blocks of 2^shift numbers
    bool raw = false;         ///< keys as they lie in memory, bits of the block's inside off
    std::uint32_t slot(std::uint32_t x) const;
  };
  /// Ascending numbers at which the answer changes, 2^n - 1 of them: halving without branches.
  struct Search {
    std::vector<std::uint32_t> limits;
    bool top_is_out = false;  ///< 0xffffffff, with which the limits are filled up, is no element and has to be asked for
  };
  std::variant<Chain, Tree, Bits, Hash, Search> how;
};

/// Tables for code that runs all the time, or as small ones as there can be: for code that few packets come to, more pages cost more.
enum class Tables : std::uint8_t { Fast, Small };

/// `domain`: what the value can be at all.
SetPlan plan_set(const Set& set, std::uint32_t load_size, Interval domain, Tables tables = Tables::Fast);

/// Whether it is asked of a load as it lies in memory.
bool wants_raw(const SetPlan& plan);
/// Whether it is asked by one comparison, without a jump or another comparison before.
bool is_straight(const SetPlan& plan);
/// Displacements of a hash, two a word.
std::vector<std::uint32_t> packed(std::span<const std::uint16_t> displacements);

/// The plans of a graph's sets, made once however often a set is asked for.
class SetPlans {
 public:
  explicit SetPlans(const ir::Program& p, Tables tables = Tables::Fast) : program_(&p), tables_(tables) {}

  struct Planned {
    SetPlan plan;
    std::uint32_t table;  ///< the number of its first table; the one behind it is its own, too
  };
  const Planned& of(const ir::Node& member);

 private:
  const ir::Program* program_;
  Tables tables_;
  std::unordered_map<std::uint64_t, Planned> plans_;  ///< by set and size of the load
};

}  // namespace weir::native
