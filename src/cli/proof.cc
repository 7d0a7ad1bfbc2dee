#include "cli/proof.hpp"

#include <fmt/format.h>

namespace weir::cli {
namespace {

std::string hex_of(const prove::Counterexample& packet) {
  std::string text;
  for (const std::uint8_t b : packet.bytes) text += fmt::format("{:02x}", b);
  return text;
}

bool shows_graph(const CompileCommand& c) { return !c.pass.empty() || c.emit == Emit::Ir || c.emit == Emit::Dot; }
bool shows_code(const CompileCommand& c) { return c.emit == Emit::C || c.emit == Emit::Native; }

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
  return Checked{answer.seconds, undecided ? undecided->why : "", undecided && undecided->more_time};
}

/// Nothing but a proof will do.
Result<Checked> proven(const prove::Program& filter, const prove::Program& made, const prove::Question& question, bool is_ebpf) {
  auto done = checked(filter, made, question, is_ebpf);
  if (done && !done->undecided.empty()) {
    return fail(Code::System, {}, fmt::format("the program could not be checked: {}", done->undecided),
                done->more_time ? more_time_hint : "");
  }
  return done;
}

/// The graph after a pass, or what the options ask for without one.
Result<Checked> check_without_hook(const prove::Program& first, const Filter& filter, const CompileCommand& command,
                                   const prove::Question& question) {
  const auto& stages = filter.stages();
  if (!command.pass.empty()) {
    const auto after = stages.after(command.pass);
    return after ? proven(first, &*after, question, false) : std::unexpected(after.error());
  }
  const bool is_graph = shows_graph(command) || shows_code(command);
  return proven(first, is_graph ? prove::Program(&*stages.ir) : compiled(filter), question, false);
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

std::string claim_of(const CompileCommand& command) {
  const char* given = command.from ? "the program given" : "the filter";
  if (shows_graph(command)) return fmt::format("the graph does what {} says", given);
  if (shows_code(command)) return fmt::format("the graph that the code is written from does what {} says", given);
  return fmt::format("the program does what {} says", command.from ? "the one given" : given);
}

Result<Checked> check_compilation(const Filter& filter, const CompileCommand& command) {
  const auto& stages = filter.stages();
  const auto& hook = command.hook;
  prove::Question question = question_for(command.options, command.seconds);
  question.agreement = prove::Agreement::Refines;
  question.kept_bytes = !hook || (is_socket(hook->hook) && !hook->match);
  if (stages.source) {
    question.kernel = stages.source->machine == lift::Machine::Kernel;
    question.libpcap = !question.kernel;
  }
  const prove::Program first = stages.source ? prove::Program(&stages.source->program) : prove::Program(&stages.pred);
  if (!hook) return check_without_hook(first, filter, command, question);
  const auto printed = stages.ebpf(*hook), attached = stages.attached(*hook);
  if (!printed) return std::unexpected(printed.error());
  const auto of_printed = proven(first, &*printed, question, true);
  if (!of_printed || !attached || *attached == *printed) return of_printed;
  auto of_attached = checked(first, &*attached, question, true);
  if (of_attached) of_attached->seconds += of_printed->seconds;
  return of_attached;
}

}  // namespace weir::cli
