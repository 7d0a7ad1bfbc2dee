#include "cli/values.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <tuple>
#include <vector>

#include "base/spelling.hpp"

namespace weir::cli {
namespace {

constexpr std::uint32_t max_snaplen = 262144;

struct EmitName { std::string_view name; Emit emit; };
constexpr EmitName emit_table[] = {
    {"listing", Emit::Listing}, {"c-array", Emit::CArray},     {"decimal", Emit::Decimal}, {"asm", Emit::Asm},
    {"json", Emit::Json},       {"bytecode", Emit::Bytecode},  {"dot", Emit::Dot},         {"ast", Emit::Ast},
    {"pred", Emit::Pred},       {"ir", Emit::Ir},           {"c", Emit::C},            {"native", Emit::Native},
    {"ebpf", Emit::Ebpf},       {"ebpf-object", Emit::EbpfObject},
};

std::unexpected<std::string> wrong(std::string why) { return std::unexpected(std::move(why)); }

/// The whole word as a number: decimal, hexadecimal behind 0x.
std::optional<std::uint64_t> number(std::string_view word) {
  const bool hexadecimal = word.starts_with("0x") || word.starts_with("0X");
  if (hexadecimal) word.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// A DLT name as compared: upper case, without DLT_.
std::string canonical(std::string_view name) {
  std::string result(name);
  std::ranges::transform(result, result.begin(), [](char c) { return 'a' <= c && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return result.starts_with("DLT_") ? result.substr(4) : result;
}

/// Letters and digits, as capitals: IEEE802_11 is 80211 to some, and Ethernet is not always spelt EN10MB.
std::string squeezed(std::string_view text) {
  std::string result;
  for (const char c : canonical(text)) {
    if (('A' <= c && c <= 'Z') || ('0' <= c && c <= '9')) result += c;
  }
  return result;
}

/// How little a link type looks like what was asked for. A part of its name or of its description is near, too.
std::size_t strangeness(std::string_view word, const LinkTypeInfo& l) {
  const auto asked = squeezed(word), name = squeezed(l.name), description = squeezed(l.description);
  if (asked.size() >= 3 && (name.contains(asked) || description == asked)) return 0;
  if (asked.size() >= 3 && description.contains(asked)) return 1;
  return distance(asked, name);
}

std::vector<std::string_view> nearest_link_types(std::string_view word) {
  auto all = link_types();
  const auto order = [&](const LinkTypeInfo& l) { return std::tuple(strangeness(word, l), l.name); };
  std::erase_if(all, [&](const auto& l) { return strangeness(word, l) > word.size() / 2; });
  std::ranges::sort(all, {}, order);
  std::vector<std::string_view> names;
  for (const auto& l : all) {
    if (names.size() < 3) names.push_back(l.name);
  }
  return names;
}

/// The link type of a DLT number. Not taken for it: numbers of files (LINKTYPE_) and of libpcap (DLT_) are mixed up too easily.
std::optional<LinkTypeInfo> numbered(const std::string& word) {
  const auto dlt = number(word);
  return dlt && *dlt <= 0xffff ? find_link_type(static_cast<int>(*dlt)) : std::nullopt;
}

}  // namespace

Value<std::uint32_t> parse_snaplen(const std::string& word) {
  const auto value = number(word);
  if (!value || *value > max_snaplen) {
    return wrong(fmt::format("-s takes a number of bytes from 0 to {}, not '{}'", max_snaplen, word));
  }
  return *value == 0 ? max_snaplen : static_cast<std::uint32_t>(*value);
}

Value<std::uint32_t> parse_netmask(const std::string& word) {
  in_addr address = {};
  if (::inet_pton(AF_INET, word.c_str(), &address) == 1) return ntohl(address.s_addr);
  const bool is_mask = word.starts_with("0x");
  const auto value = number(word.starts_with('/') ? word.substr(1) : word);
  if (value && is_mask && *value <= 0xffffffff) return static_cast<std::uint32_t>(*value);
  if (value && !is_mask && *value <= 32) return static_cast<std::uint32_t>(~(0xffffffffull >> *value));
  return wrong(fmt::format("-m takes a netmask such as 255.255.255.0, 0xffffff00 or /24, not '{}'", word));
}

Value<std::string> parse_link_type(const std::string& word) {
  const auto wanted = canonical(word);
  for (const auto& l : link_types()) {
    if (l.name == wanted) return std::string(l.name);
  }
  if (const auto known = numbered(word)) return wrong(fmt::format("-y takes a name: {} for DLT {}", known->name, word));
  const auto near = nearest_link_types(wanted);
  const auto advice = near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, ", "));
  return wrong(fmt::format("'{}' is no link type{} (weir list linktypes shows all)", word, advice));
}

Value<Emit> parse_emit(const std::string& word) {
  for (const auto& row : emit_table) {
    if (row.name == word) return row.emit;
  }
  return wrong(fmt::format("--emit={} is unknown; there are {}", word, emit_names()));
}

Value<std::string> parse_pass(const std::string& word) {
  const auto passes = pass_names();
  const auto name = std::string_view(word).substr(pass_prefix.size());
  if (std::ranges::find(passes, name) != passes.end()) return std::string(name);
  return wrong(fmt::format("--emit={} is unknown; the passes are {}", word, fmt::join(passes, ", ")));
}

Value<Options::Savefile> parse_savefile(const std::string& word) {
  if (word == "native") return Options::Savefile::Native;
  if (word == "swapped") return Options::Savefile::Swapped;
  return wrong(fmt::format("--savefile takes native or swapped, not '{}'", word));
}

Value<std::uint64_t> parse_packet_count(const std::string& word) {
  const auto value = number(word);
  if (!value || *value == 0) return wrong(fmt::format("-c takes a number of packets from 1 on, not '{}'", word));
  return *value;
}

Value<Cpu> parse_cpu(const std::string& word) {
  if (word == "x86-64") return Cpu::X86_64;
  if (word == "aarch64") return Cpu::AArch64;
  return wrong(fmt::format("--cpu takes x86-64 or aarch64, not '{}'", word));
}

Value<Options::Machine> parse_machine(const std::string& word) {
  if (word == "libpcap") return Options::Machine::Libpcap;
  if (word == "kernel") return Options::Machine::Kernel;
  return wrong(fmt::format("--machine takes libpcap or kernel, not '{}'", word));
}

Value<ProveCommand::Machines> parse_machines(const std::string& word) {
  if (word == "both") return ProveCommand::Machines::Both;
  if (word == "libpcap") return ProveCommand::Machines::Libpcap;
  if (word == "kernel") return ProveCommand::Machines::Kernel;
  return wrong(fmt::format("--machine takes libpcap, kernel or both, not '{}'", word));
}

Value<double> parse_seconds(const std::string& word) {
  constexpr double most = 86400;
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error == std::errc() && end == word.data() + word.size() && value > 0 && value <= most) return value;
  return wrong(fmt::format("--timeout takes a number of seconds above 0 and up to {}, not '{}'", most, word));
}

Value<Hook> parse_hook_name(const std::string& word) {
  if (const auto hook = find_hook(word)) return *hook;
  return wrong(fmt::format("--hook={} is unknown; there are {}", word, fmt::join(hook_names(), ", ")));
}

Value<AttachOptions::XdpMode> parse_xdp_mode(const std::string& word) {
  if (word == "native") return AttachOptions::XdpMode::Native;
  if (word == "generic") return AttachOptions::XdpMode::Generic;
  return wrong(fmt::format("--mode takes native or generic, not '{}'", word));
}

Value<std::uint32_t> parse_bytes(const std::string& option, const std::string& word) {
  const auto value = number(word);
  if (value && *value <= max_snaplen) return static_cast<std::uint32_t>(*value);
  return wrong(fmt::format("{} takes a number of bytes from 0 to {}, not '{}'", option, max_snaplen, word));
}

Value<Metadata> parse_metadata(Metadata before, const std::string& word) {
  struct Name { std::string_view name; std::uint32_t Metadata::*place; };
  constexpr Name names[] = {{"protocol", &Metadata::protocol},       {"type", &Metadata::packet_type},
                            {"ifindex", &Metadata::interface_index}, {"vlan", &Metadata::vlan_tag},
                            {"vlan-protocol", &Metadata::vlan_protocol}};
  for (std::size_t at = 0; at <= word.size();) {
    const std::size_t end = std::min(word.find(',', at), word.size());
    const auto part = std::string_view(word).substr(at, end - at);
    const auto equals = part.find('=');
    constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t value = equals == part.npos ? none : number(part.substr(equals + 1)).value_or(none);
    const auto* const known = std::ranges::find(names, part.substr(0, equals), &Name::name);
    if (known == std::end(names) || value > 0xffffffff) {
      return wrong(fmt::format("--meta takes NAME=NUMBER with the names protocol, type, ifindex, vlan, vlan-protocol, not '{}'", part));
    }
    before.*(known->place) = static_cast<std::uint32_t>(value);
    if (known->place == &Metadata::vlan_tag) {
      before.vlan_tag_present = 1;
      if (before.vlan_protocol == 0) before.vlan_protocol = 0x8100;
    }
    at = end + 1;
  }
  return before;
}

Value<ListCommand::What> parse_listed(const std::string& word) {
  if (word == "linktypes") return ListCommand::What::LinkTypes;
  if (word == "interfaces") return ListCommand::What::Interfaces;
  if (word == "keywords") return ListCommand::What::Keywords;
  return wrong(fmt::format("'{}' cannot be listed, only linktypes, interfaces and keywords can", word));
}

std::string emit_names() {
  std::vector<std::string_view> names;
  for (const auto& row : emit_table) names.push_back(row.name);
  return fmt::format("{}, ir:PASS (PASS: {})", fmt::join(names, ", "), fmt::join(pass_names(), ", "));
}

}  // namespace weir::cli
