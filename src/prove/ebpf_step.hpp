// One instruction of eBPF on what is known of registers and stack.
#pragma once
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "ebpf/program.hpp"
#include "prove/ebpf_machine.hpp"
#include "prove/partial.hpp"

namespace weir::prove {

struct State {
  std::array<Content, 11> registers{};
  Stack stack;
};

/// What an instruction asks for is beyond this model; the caller says which one.
struct NotUnderstood {};

inline bool is_scalar(const Content& c) { return std::holds_alternative<Scalar>(c); }

/// An immediate operand, with its sign.
inline std::uint64_t extended(std::int32_t imm) { return static_cast<std::uint64_t>(std::int64_t{imm}); }

/// Runs instructions that are no jumps and no ends, and tells when jumps are taken. Throws GivenUp for what is not known.
class Stepper {
 public:
  Stepper(const ebpf::Program& p, Algebra& algebra, Extent extent)
      : p_(p), algebra_(algebra), words_(algebra), partials_(algebra, extent) {}

  State start();
  /// Whether the packet is not rejected, there and then: only LD_ABS and LD_IND do that.
  Partial step(std::size_t at, State& s);
  Ref taken(std::size_t at, const State& s);
  /// What is known more of registers when a jump is taken, or not.
  void learn(std::size_t at, bool is_taken, State& s);
  /// What r0 says at the end, as a graph returns it: 0 where the packet is rejected.
  Ref verdict(const State& s);

  /// One of two, part by part; what is not of one kind is not known any more.
  Content choose(Ref truth, const Content& a, const Content& b);
  State choose(Ref truth, const State& a, const State& b);

  /// Of a map: words of up to four bytes, of which so many leading bits count.
  struct Key {
    std::uint32_t bits = 0;
    std::vector<std::uint32_t> words;
  };

 private:
  using Instruction = ebpf::Instruction;
  const Scalar& scalar(const State& s, int reg) const;
  void compute(const Instruction& i, State& s);
  Content with_pointer(const Instruction& i, const Content& a, const Content& b);
  Scalar arith32(const Instruction& i, const Scalar& a, const Scalar& b);
  Scalar arith64(const Instruction& i, const Scalar& a, const Scalar& b);
  Scalar shift64(const Instruction& i, const Scalar& a, std::uint32_t by);
  Scalar shift_by_any(const Instruction& i, const Scalar& a, Word by);
  Scalar reorder(const Instruction& i, const Scalar& a);
  Word divide(std::uint8_t operation, Word a, Word b);
  Content load(const Instruction& i, const State& s);
  Scalar field(std::int64_t offset, std::uint32_t bytes);
  void store(const Instruction& i, State& s);
  Partial load_packet(const Instruction& i, State& s);
  void call(const Instruction& i, State& s);
  Partial copy(State& s);
  Ref look_up(const State& s);
  Ref in_keys(std::span<const Ref> asked, std::uint32_t bytes, std::span<const Key> keys);
  Ref address(const PacketPlace& at, std::int64_t offset);

  // ---- ebpf_tables.cc ----
  std::optional<Hash> hash_of(const Instruction& i, const Scalar& a, const Scalar& b) const;
  std::optional<Content> with_entries(const Instruction& i, const Content& a, const Content& b);
  Ref is_there(const Entry& entry) const;

  /// Whether bytes up to a place lie before the end of the linear part, and so of the packet.
  Ref fits(const PacketPlace& place, std::int64_t more);
  Ref compare_places(std::uint8_t operation, const Content& a, const Content& b);
  Ref compare(std::uint8_t operation, const Scalar& a, const Scalar& b);
  std::optional<Ref> against_length(std::uint8_t operation, const Scalar& a, const Scalar& b);
  std::optional<Word> or_error(const Scalar& a, const Scalar& b);
  Ref is_linear();
  Scalar linear_length();
  std::optional<Sum> sum_of(const Scalar& a, const Scalar& b);

  const ebpf::Program& p_;
  Algebra& algebra_;
  Words words_;
  Partials partials_;
};

}  // namespace weir::prove
