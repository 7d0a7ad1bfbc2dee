// Tested by tests/unit/weir/run_test.cc and tests/cli/run_test.py.
#include "weir/run.hpp"

#include <fmt/format.h>

#include <array>

#include "ebpf/emit.hpp"
#include "ebpf/read.hpp"
#include "vm/cbpf.hpp"
#include "vm/ebpf.hpp"
#include "vm/ebpf_memory.hpp"
#include "weir/stages.hpp"

namespace weir {

struct Runnable::Machine {
  virtual ~Machine() = default;
  virtual std::optional<Diagnostic> check() const = 0;
  virtual RunOutcome run(const Packet&, const RunOptions&, const std::function<void(const std::string&)>&) = 0;
};

namespace {

using Lines = std::function<void(const std::string&)>;

/// `  3: r0 = 5                r0 = 0x5   ; tcp port 80`
std::string line(std::size_t at, std::string_view instruction, std::string_view changes, std::string_view words) {
  std::string text = fmt::format("{:5}: {:<36} {:<24}", at, instruction, changes);
  if (!words.empty()) text += fmt::format(" ; {}", words);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string_view words_of(std::string_view text, const std::vector<Span>& spans, std::size_t at) {
  if (at >= spans.size() || spans[at].end > text.size()) return {};
  return text.substr(spans[at].begin, spans[at].end - spans[at].begin);
}

class Classic final : public Runnable::Machine {
 public:
  Classic(cbpf::Program program, std::string text) : program_(std::move(program)), text_(std::move(text)) {}

  std::optional<Diagnostic> check() const override { return cbpf::check(program_); }

  RunOutcome run(const Packet& packet, const RunOptions& options, const Lines& trace) override {
    const auto machine = options.machine == Options::Machine::Libpcap ? vm::Machine::Libpcap : vm::Machine::Kernel;
    RunOutcome outcome;
    std::optional<vm::Step> before;
    const auto show = [&](std::uint32_t a, std::uint32_t x) {
      if (!trace || !before) return;
      std::string changes;
      if (a != before->a) changes += fmt::format("a = {:#x} ", a);
      if (x != before->x) changes += fmt::format("x = {:#x}", x);
      trace(line(before->instruction, instruction(before->instruction), changes, words_of(text_, program_.spans, before->instruction)));
    };
    const vm::Traced traced = vm::run_traced(program_, packet, machine, [&](const vm::Step& step) {
      show(step.a, step.x);
      before = step;
      ++outcome.steps;
    });
    if (before) show(before->a, before->x);
    outcome.value = traced.result;
    outcome.accepts = outcome.value != 0;
    if (traced.fault) outcome.stopped = stopped(*traced.fault);
    return outcome;
  }

 private:
  std::string instruction(std::size_t at) const {
    const cbpf::Instruction& i = program_.instructions[at];
    std::string text = cbpf::to_string(i);
    if ((i.code & 0x07) == cbpf::op::JMP && (i.code & 0xf0) != cbpf::op::JA)
      text += fmt::format(" jt {} jf {}", at + 1 + i.jt, at + 1 + i.jf);
    return text;
  }

  Diagnostic stopped(const vm::Fault& fault) const {
    if (program_.instructions.empty()) return {Code::Input, {}, "the program has no instructions", {}};
    return {Code::Input, {}, fmt::format("{} {}", cbpf::name(program_, fault.instruction), fault.reason), {}};
  }

  cbpf::Program program_;
  std::string text_;
};

class Extended final : public Runnable::Machine {
 public:
  Extended(ebpf::Program program, std::string text) : machine_(std::move(program)), text_(std::move(text)) {}

  std::optional<Diagnostic> check() const override { return ebpf::check(machine_.program()); }

  RunOutcome run(const Packet& packet, const RunOptions& options, const Lines& trace) override {
    vm::EbpfSetting setting;
    setting.linear = options.linear;
    setting.network_header = static_cast<std::int32_t>(options.network_header);
    std::array<std::uint64_t, 11> before{0, vm::address::context};
    std::uint16_t written = 1u << 1 | 1u << 10;
    const auto show = [&](const vm::EbpfStep& step) {
      trace(line(step.instruction, instruction(step.instruction), changes(before, written, step),
                 words_of(text_, program().spans, step.instruction)));
      std::ranges::copy(step.registers, before.begin());
      written = step.written;
    };
    const auto r = machine_.run(packet, setting, trace ? std::function<void(const vm::EbpfStep&)>(show) : nullptr);
    RunOutcome outcome{r.value, r.steps, std::nullopt, program().accepts(static_cast<std::uint32_t>(r.value)) && !r.fault};
    if (r.fault)
      outcome.stopped =
          Diagnostic{Code::Input, {}, fmt::format("{} {}", ebpf::name(program(), r.fault->instruction), r.fault->reason), {}};
    return outcome;
  }

 private:
  const ebpf::Program& program() const { return machine_.program(); }

  std::string instruction(std::size_t at) const {
    const auto& code = program().instructions;
    return ebpf::to_string(code[at], at + 1 < code.size() ? code[at + 1] : ebpf::Instruction{});
  }

  /// Not those that were forgotten: a helper's arguments.
  static std::string changes(const std::array<std::uint64_t, 11>& before, std::uint16_t written, const vm::EbpfStep& step) {
    std::string text;
    for (unsigned r = 0; r < 10; ++r) {
      const bool is_there = step.written >> r & 1, was_there = written >> r & 1;
      if (is_there && (!was_there || step.registers[r] != before[r]))
        text += fmt::format("{}r{} = {:#x}", text.empty() ? "" : " ", r, step.registers[r]);
    }
    return text;
  }

  vm::EbpfMachine machine_;
  std::string text_;
};

}  // namespace

Runnable::Runnable(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
Runnable::Runnable(Runnable&&) noexcept = default;
Runnable& Runnable::operator=(Runnable&&) noexcept = default;
Runnable::~Runnable() = default;

Result<Runnable> Runnable::ebpf(std::string_view file, std::optional<Hook> hook, std::string_view name) {
  auto program = ebpf::read(file, name);
  if (!program) return std::unexpected(std::move(program.error()));
  if (hook) program->hook = static_cast<ebpf::Hook>(*hook);
  return Runnable(std::make_unique<Extended>(std::move(*program), std::string()));
}

Result<Runnable> Runnable::cbpf(std::string_view text) {
  auto program = cbpf::read(text);
  if (!program) return std::unexpected(std::move(program.error()));
  return Runnable(std::make_unique<Classic>(std::move(*program), std::string()));
}

Result<Runnable> Runnable::of(const Filter& filter, std::optional<Hook> hook) {
  const Filter::Stages& stages = filter.stages();
  if (!hook) {
    if (!stages.cbpf) return std::unexpected(stages.cbpf.error());
    return Runnable(std::make_unique<Classic>(*stages.cbpf, stages.text));
  }
  ebpf::EmitOptions options;
  options.hook = static_cast<ebpf::Hook>(*hook);
  auto program = ebpf::emit(stages.ir, options);
  if (!program) return std::unexpected(std::move(program.error()));
  return Runnable(std::make_unique<Extended>(std::move(*program), stages.text));
}

std::optional<Diagnostic> Runnable::check() const { return machine_->check(); }

RunOutcome Runnable::run(const Packet& packet, const RunOptions& options, const Lines& trace) {
  return machine_->run(packet, options, trace);
}

}  // namespace weir
