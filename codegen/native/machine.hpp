// What registers and memory hold at a place of the code, whatever the CPU.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/packet.hpp"
#include "ir/captured.hpp"
#include "ir/program.hpp"

namespace weir::native {

/// Registers that hold what is known, at the most: a CPU has as many, or fewer.
inline constexpr std::size_t most_pooled = 6;

/// What a register holds.
struct Held {
  enum class Form : std::uint8_t {
    Nothing,
    Value,    ///< of the graph: its ValueId
    Raw,      ///< a load as it lies in memory, its bytes not yet in our order: its ValueId
    Pointer,  ///< to the packet's byte whose offset is a value: its ValueId
    Number,   ///< itself
    Table,    ///< the address of a set's table: its number
  };
  Form form = Form::Nothing;
  std::uint64_t key = 0;
  bool operator==(const Held&) const = default;

  static Held value(ir::ValueId v) { return {Form::Value, static_cast<std::uint64_t>(v)}; }
  static Held raw(ir::ValueId v) { return {Form::Raw, static_cast<std::uint64_t>(v)}; }
  static Held pointer(ir::ValueId v) { return {Form::Pointer, static_cast<std::uint64_t>(v)}; }
  static Held number(std::uint64_t k) { return {Form::Number, k}; }
  static Held table(std::uint32_t t) { return {Form::Table, t}; }
};

struct Machine {
  std::array<Held, most_pooled> registers{};
  std::uint64_t at_home = 0;  ///< values, by number of home, that their homes hold
  ir::Captured captured;

  /// What holds on both ways to a place.
  void meet(const Machine& other);
};

/// Which registers of a machine to use, by their numbers in the pool.
class Pool {
 public:
  Pool(Machine& machine, std::size_t size) : machine_(machine), size_(size) {}

  /// One whose content nobody relies on: an empty one, or that which was not asked for for the longest time.
  std::size_t take();
  /// It holds that from now on.
  void hold(std::size_t r, Held what);
  void forget(std::size_t r) { machine_.registers[r] = {}; }
  /// The register that holds it, which is then the last to be taken.
  std::optional<std::size_t> find(Held what);
  bool has(Held what) const;

  /// A register that is pinned is not taken.
  void pin(std::size_t r) { ++pins_[r]; }
  void unpin(std::size_t r) { --pins_[r]; }
  bool is_pinned(std::size_t r) const { return pins_[r] != 0; }
  std::size_t unpinned() const;

 private:
  Machine& machine_;
  std::size_t size_;
  std::array<std::uint32_t, most_pooled> pins_{};
  std::array<std::uint64_t, most_pooled> stamps_{};
  std::uint64_t clock_ = 0;
};

/// Where Metadata keeps it.
std::size_t metadata_place(Meta m);

/// Whether a OP b is b OP a.
bool commutes(Arith op);

}  // namespace weir::native
