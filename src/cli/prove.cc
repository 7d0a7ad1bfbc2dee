#include <fmt/format.h>

#include <array>
#include <span>

#include "capture/savefile.hpp"
#include "capture/summary.hpp"
#include "cli/commands.hpp"
#include "cli/expression.hpp"
#include "cli/proof.hpp"
#include "cli/sink.hpp"
#include "cli/text_output.hpp"

namespace weir::cli {
namespace {

/// One side of a comparison, and how messages call it.
struct Side {
  prove::Program program;
  std::string name;
};

constexpr std::size_t most_shown = 256;

/// Bytes as a hex dump: the offset, then 16 bytes a line.
std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size() && at < most_shown; at += 16) {
    text += fmt::format("  {:04x} ", at);
    for (const std::uint8_t b : bytes.subspan(at, std::min<std::size_t>(16, bytes.size() - at))) text += fmt::format(" {:02x}", b);
    text += '\n';
  }
  if (bytes.size() > most_shown) text += fmt::format("  … and {} bytes more\n", bytes.size() - most_shown);
  return text;
}

std::string metadata(const Metadata& m) {
  const std::pair<const char*, std::uint32_t> fields[] = {
      {"protocol", m.protocol}, {"packet type", m.packet_type}, {"interface", m.interface_index},
      {"VLAN tag", m.vlan_tag}, {"VLAN tag present", m.vlan_tag_present}, {"VLAN protocol", m.vlan_protocol}};
  std::string text;
  for (const auto& [name, value] : fields)
    if (value != 0) text += fmt::format("  {}: {:#x} (known to the kernel)\n", name, value);
  return text;
}

std::string verdict(const Side& side, std::uint32_t returned, bool whole) {
  const std::string of = whole ? " the whole packet" : "";
  if (returned == 0) return fmt::format("  {} rejects{}\n", side.name, whole ? of : " it");
  return fmt::format("  {} accepts it: keeps {} bytes\n", side.name, returned);
}

capture::Format format_for(const Options& options) {
  int dlt = 1;
  for (const LinkTypeInfo& l : link_types())
    if (l.name == options.link_type) dlt = l.dlt;
  return capture::format_of(dlt, options.snaplen);
}

capture::Record record_of(const prove::Counterexample& packet) { return {.length = packet.length, .bytes = packet.bytes}; }

Status write_packet(const std::string& path, const prove::Counterexample& packet, const capture::Format& format) {
  auto writer = open_savefile(path, format);
  if (!writer) return report(writer.error());
  if (auto written = writer->write(record_of(packet)); !written) return report(written.error());
  if (auto written = writer->commit(); !written) return report(written.error());
  return Done;
}

Status show_difference(const ProveCommand& command, const Side& first, const Side& second, const prove::Counterexample& packet,
                       double seconds) {
  const capture::Format format = format_for(command.options);
  const std::string lengths = packet.length == packet.bytes.size()
                                  ? fmt::format("a packet of {} bytes", packet.bytes.size())
                                  : fmt::format("{} bytes captured of a packet of {}", packet.bytes.size(), packet.length);
  std::string text = fmt::format("different: {} tells them apart, on {} ({:.2f} s)\n", lengths, machine_name(packet.machine), seconds);
  text += verdict(first, packet.first, packet.first_whole) + verdict(second, packet.second, false);
  text += hex(packet.bytes) + metadata(packet.meta);
  text += fmt::format("  {}\n", capture::summary(record_of(packet), format));
  if (command.output) {
    if (const Status status = write_packet(*command.output, packet, format); status != Done) return status;
  }
  // Standard output may be taken by the packet.
  const bool taken = command.output && capture::OutputFile::is_standard_output(*command.output);
  if (taken) print_text(text);
  else if (const Status status = write_text("-", text); status != Done) return status;
  return Differs;
}

prove::Question question_of(const ProveCommand& command) {
  prove::Question question = question_for(command.options, command.seconds);
  static_assert(static_cast<int>(ProveCommand::Agreement::Exact) == static_cast<int>(prove::Agreement::Exact) &&
                static_cast<int>(ProveCommand::Agreement::Refines) == static_cast<int>(prove::Agreement::Refines));
  question.agreement = static_cast<prove::Agreement>(command.agreement);
  if (command.machines) {
    question.libpcap = *command.machines != ProveCommand::Machines::Kernel;
    question.kernel = *command.machines != ProveCommand::Machines::Libpcap;
  }
  return question;
}

const char* relation_name(ProveCommand::Agreement agreement) {
  switch (agreement) {
    case ProveCommand::Agreement::Whole: return "they accept the same packets";
    case ProveCommand::Agreement::Exact: return "they accept the same packets, cut off anywhere";
    case ProveCommand::Agreement::Refines: return "the second refines the first";
  }
  return "";
}

Status compare(const ProveCommand& command, const Side& first, const Side& second) {
  const prove::Question question = question_of(command);
  const prove::Answer answer = prove::prove(first.program, second.program, question);
  if (const auto* undecided = std::get_if<prove::Undecided>(&answer.is)) {
    return report({Code::System, {}, fmt::format("undecided: {}", undecided->why), undecided->more_time ? more_time_hint : ""});
  }
  if (const auto* packet = std::get_if<prove::Counterexample>(&answer.is))
    return show_difference(command, first, second, *packet, answer.seconds);
  return write_text("-", fmt::format("proven: {} ({:.2f} s)\n", relation_name(command.agreement), answer.seconds));
}

/// The filters of the command: those from files first.
Result<std::vector<FilterText>> texts(const ProveCommand& command) {
  std::vector<FilterText> all;
  for (const std::string& file : command.files) {
    auto text = text_of({.words = {}, .file = file});
    if (!text) return std::unexpected(text.error());
    all.push_back(std::move(*text));
  }
  for (const std::string& filter : command.filters) all.push_back({filter, ""});
  return all;
}

Result<Filter> compile_and_warn(const FilterText& text, const Options& options) {
  auto filter = compile(text.text, options);
  if (filter) report_warnings(filter->warnings(), text);
  return filter;
}

Status compare_with_bytecode(const ProveCommand& command, const Filter& filter) {
  const auto text = text_of({.words = {}, .file = command.bytecode});
  if (!text) return report(text.error());
  auto program = prove::read_bytecode(text->text);
  if (!program) return report(program.error(), *text);
  return compare(command, {&filter.stages().pred, "the filter"}, {&*program, "the bytecode"});
}

}  // namespace

Status run(const ProveCommand& command) {
  const auto filters = texts(command);
  if (!filters) return report(filters.error());
  const auto first = compile_and_warn(filters->front(), command.options);
  if (!first) return report(first.error(), filters->front());
  if (command.bytecode) return compare_with_bytecode(command, *first);
  if (filters->size() == 1)
    return compare(command, {&first->stages().pred, "the filter as written"}, {compiled(*first), "the compiled program"});
  const auto second = compile_and_warn(filters->back(), command.options);
  if (!second) return report(second.error(), filters->back());
  return compare(command, {compiled(*first), "the first"}, {compiled(*second), "the second"});
}

}  // namespace weir::cli
