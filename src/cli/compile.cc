#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/expression.hpp"
#include "cli/proof.hpp"
#include "cli/text_output.hpp"

namespace weir::cli {

Status run(const CompileCommand& command) {
  const auto text = text_of(command.from ? Expression{.words = {}, .file = command.from} : command.expression);
  if (!text) return report(text.error());
  const auto filter = command.from ? compile_program(text->text, command.options) : compile(text->text, command.options);
  if (!filter) return report(filter.error(), *text);
  report_warnings(filter->warnings(), *text);
  auto program = !command.pass.empty() ? filter->dump_after(command.pass)
                 : command.hook        ? filter->dump(command.emit, *command.hook)
                                       : filter->dump(command.emit, command.cpu);
  if (!program) return report(program.error(), *text);
  if (command.check) {
    const auto checked = check_compilation(*filter, command);
    if (!checked) return report(checked.error());
    print_note(fmt::format("proven: {} ({:.2f} s)", claim_of(command), checked->seconds));
    if (!checked->undecided.empty()) print_note("not proven of the faster program that `weir attach` loads: " + checked->undecided);
  }
  if (command.emit == Emit::EbpfObject) return write_object(command.output, *program);
  if (!program->ends_with('\n')) *program += '\n';
  return write_text(command.output, *program);
}

}  // namespace weir::cli
