#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/text_output.hpp"

namespace weir::cli {
namespace {

std::string link_type_table() {
  constexpr auto row = "{:<27} {:>4}  {:<66}  {}\n";
  std::string table = fmt::format(row, "name", "DLT", "description", "what filters can ask for");
  for (const auto& l : link_types()) table += fmt::format(row, l.name, l.dlt, l.description, l.families);
  return table;
}

}  // namespace

Status run(const ListCommand& command) {
  switch (command.what) {
    case ListCommand::What::LinkTypes: return write_text("-", link_type_table());
  }
  return Done;
}

}  // namespace weir::cli
