// One instruction, on what is known before it: what is wrong with it, or what is known after it. Used by check.cc.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "ebpf/abstract_state.hpp"
#include "ebpf/context.hpp"
#include "ebpf/helpers.hpp"

namespace weir::ebpf {

/// Where the program goes on.
struct Successor {
  std::size_t at = 0;
  AbstractState state;
};

class AbstractStep {
 public:
  /// The program has passed check_form.
  explicit AbstractStep(const Program& program);

  AbstractState first() const;

  /// Ways out, none at the end of the program; what is wrong is in problem().
  std::vector<Successor> run(std::size_t at, AbstractState state);
  const std::string& problem() const { return problem_; }
  std::uint32_t& next_id() { return next_id_; }

 private:
  std::vector<Successor> forward(std::size_t at) { return succeed(at, std::move(state_)); }
  static std::vector<Successor> succeed(std::size_t at, AbstractState state);
  bool wrong(std::string why);

  // abstract_step.cc: registers
  const AbstractValue& get(unsigned r);
  AbstractNumber number(unsigned r, const char* use);
  void set(unsigned r, AbstractValue v) { state_[r] = std::move(v); }
  void forget_arguments();
  void arithmetic(const Instruction& i);
  void move(const Instruction& i);
  void add(const Instruction& i, AbstractValue pointer, const AbstractNumber& by, bool subtracts);
  AbstractNumber operand(const Instruction& i, bool wide);
  void constant(const Instruction& i, const Instruction& high);

  // abstract_jumps.cc
  std::vector<Successor> jump(const Instruction& i);
  std::vector<Successor> branch(const Instruction& i);
  std::vector<Successor> null_branch(const Instruction& i);
  std::vector<Successor> packet_branch(const Instruction& i);
  std::vector<Successor> enter(const Instruction& i);
  std::vector<Successor> leave();
  bool call(const Instruction& i);
  std::size_t target(const Instruction& i) const;

  // abstract_memory.cc
  bool memory(const Instruction& i);
  bool load(const Instruction& i);
  bool store(const Instruction& i);
  bool atomic(const Instruction& i);
  bool packet_load(const Instruction& i);
  bool load_context(const Instruction& i, std::int64_t offset);
  bool load_structure(const Instruction& i, const AbstractValue& from);
  std::optional<AbstractValue> read_stack(std::uint32_t function, std::int64_t offset, std::uint32_t bytes);
  bool write_stack(std::uint32_t function, std::int64_t offset, std::uint32_t bytes, const AbstractValue& value);
  bool is_inside_stack(std::uint32_t function, std::int64_t offset, std::uint64_t bytes);
  bool is_stack_written(std::uint32_t function, std::int64_t offset, std::uint64_t bytes) const;
  bool is_inside(const AbstractValue& pointer, std::int64_t offset, std::uint64_t bytes);
  bool is_readable(const AbstractValue& pointer, std::uint64_t bytes);
  bool is_writable(const AbstractValue& pointer, std::uint64_t bytes, bool exactly);
  bool argument(const HelperRow& row, unsigned n, std::optional<std::uint32_t>& map);
  bool out_argument(unsigned r, bool may_be_empty);

  const Program& program_;
  std::vector<const FieldUse*> uses_;  ///< by instruction
  AbstractState state_;
  std::size_t at_ = 0;
  std::string problem_;
  std::uint32_t next_id_ = 1;
};

}  // namespace weir::ebpf
