#include "cli/proof.hpp"

#include <fmt/format.h>

namespace weir::cli {
namespace {

std::string hex_of(const prove::Counterexample& packet) {
  std::string text;
  for (const std::uint8_t b : packet.bytes) text += fmt::format("{:02x}", b);
  return text;
}

Diagnostic wrong_program(const prove::Counterexample& packet, bool is_ebpf) {
  const std::string where =
      is_ebpf ? fmt::format("with {} bytes in one piece", packet.linear) : fmt::format("on {}", machine_name(packet.machine));
  return {Code::System,
          {},
          fmt::format("the program is wrong, an error in weir: {} it returns {} for the packet {}, the filter {}", where,
                      packet.second, hex_of(packet), packet.first),
          {}};
}

/// What was not decided, if anything, stands in `undecided`; a packet that shows a difference is an error.
Result<Checked> checked(const prove::Program& filter, const prove::Program& made, const prove::Question& question, bool is_ebpf) {
  const prove::Answer answer = prove::prove(filter, made, question);
  if (const auto* packet = std::get_if<prove::Counterexample>(&answer.is)) return std::unexpected(wrong_program(*packet, is_ebpf));
  const auto* undecided = std::get_if<prove::Undecided>(&answer.is);
  return Checked{answer.seconds, undecided ? undecided->why : ""};
}

/// Nothing but a proof will do.
Result<Checked> proven(const prove::Program& filter, const prove::Program& made, const prove::Question& question, bool is_ebpf) {
  auto done = checked(filter, made, question, is_ebpf);
  if (done && !done->undecided.empty()) return fail(Code::System, {}, fmt::format("the program could not be checked: {}", done->undecided));
  return done;
}

}  // namespace

prove::Question question_for(const Options& options, double seconds) {
  prove::Question question;
  question.libpcap = !options.linux_ext && !options.cooked;
  question.seconds = seconds;
  return question;
}

const char* machine_name(vm::Machine machine) {
  return machine == vm::Machine::Kernel ? "the kernel's machine" : "libpcap's machine";
}

prove::Program compiled(const Filter& filter) {
  const auto& stages = filter.stages();
  if (stages.cbpf) return &*stages.cbpf;
  return &*stages.ir;
}

Result<Checked> check_compilation(const Filter& filter, const Options& options, const std::optional<ProgramOptions>& hook, double seconds) {
  const auto& stages = filter.stages();
  prove::Question question = question_for(options, seconds);
  question.agreement = prove::Agreement::Refines;
  question.kept_bytes = !hook || (is_socket(hook->hook) && !hook->match);
  if (stages.source) {
    question.kernel = stages.source->machine == lift::Machine::Kernel;
    question.libpcap = !question.kernel;
  }
  const prove::Program first = stages.source ? prove::Program(&stages.source->program) : prove::Program(&stages.pred);
  if (!hook) return proven(first, compiled(filter), question, false);
  const auto printed = stages.ebpf(*hook), attached = stages.attached(*hook);
  if (!printed) return std::unexpected(printed.error());
  const auto of_printed = proven(first, &*printed, question, true);
  if (!of_printed || !attached || *attached == *printed) return of_printed;
  auto of_attached = checked(first, &*attached, question, true);
  if (of_attached) of_attached->seconds += of_printed->seconds;
  return of_attached;
}

}  // namespace weir::cli
