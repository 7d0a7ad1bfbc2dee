#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/text_output.hpp"

namespace weir::cli {
namespace {

std::string link_type_table() {
  std::string table = fmt::format("{:<27} {:>4}  {:<8}  {}\n", "name", "DLT", "filters", "description");
  for (const auto& l : link_types()) {
    table += fmt::format("{:<27} {:>4}  {:<8}  {}\n", l.name, l.dlt, l.supported ? "yes" : "not yet", l.description);
  }
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
