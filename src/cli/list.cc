#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "capture/interface.hpp"
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

std::string interface_table(std::vector<capture::Interface> all) {
  all.push_back(capture::all_interfaces());
  all.back().addresses = {"(all of these)"};
  std::size_t width = 4;
  for (const auto& one : all) width = std::max(width, one.name.size());
  std::string table = fmt::format("{:<{}}  {:<16}  {:<5}  {}\n", "name", width, "link type", "state", "addresses");
  for (const auto& one : all) {
    const auto link_type = one.dlt ? find_link_type(*one.dlt) : std::nullopt;
    const auto row = fmt::format("{:<{}}  {:<16}  {:<5}  {}", one.name, width, link_type ? link_type->name : "unknown",
                                 one.up ? "up" : "down", fmt::join(one.addresses, " "));
    table += visible(row.substr(0, row.find_last_not_of(' ') + 1)) + "\n";
  }
  return table;
}

std::string keyword_lines() { return fmt::format("{}\n", fmt::join(keywords(), "\n")); }

Status list_interfaces() {
  const auto all = capture::interfaces();
  return all ? write_text("-", interface_table(*all)) : report(all.error());
}

}  // namespace

Status run(const ListCommand& command) {
  switch (command.what) {
    case ListCommand::What::LinkTypes: return write_text("-", link_type_table());
    case ListCommand::What::Interfaces: return list_interfaces();
    case ListCommand::What::Keywords: return write_text("-", keyword_lines());
    case ListCommand::What::Nothing: break;  // refused before
  }
  return Done;
}

}  // namespace weir::cli
