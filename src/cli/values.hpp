// Values of options: from words to what they mean.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "cli/command_line.hpp"

namespace weir::cli {

/// A value, or one sentence that says why the word is none.
template <class T>
using Value = std::expected<T, std::string>;

/// `-s`: 0 to 262144, 0 stands for the most (as in tcpdump).
Value<std::uint32_t> parse_snaplen(const std::string& word);
/// `-m`: 255.255.255.0, 0xffffff00, 24 or /24; host order.
Value<std::uint32_t> parse_netmask(const std::string& word);
/// `-y`: the name as the library knows it; an unknown one is answered with those that are spelt most like it.
Value<std::string> parse_link_type(const std::string& word);
Value<Emit> parse_emit(const std::string& word);
/// `--emit=ir:PASS`: the name of a pass behind pass_prefix.
inline constexpr std::string_view pass_prefix = "ir:";
Value<std::string> parse_pass(const std::string& word);
Value<Options::Savefile> parse_savefile(const std::string& word);
/// `-c`: 1 and more.
Value<std::uint64_t> parse_packet_count(const std::string& word);
/// `--machine`: libpcap, kernel or both.
/// `libpcap`, `kernel`: what a program was made for.
Value<Cpu> parse_cpu(const std::string& word);
Value<Options::Machine> parse_machine(const std::string& word);
Value<ProveCommand::Machines> parse_machines(const std::string& word);
/// `--timeout`: more than 0, up to a day; fractions too.
Value<double> parse_seconds(const std::string& word);

/// `--hook`: a name that the library knows.
Value<Hook> parse_hook_name(const std::string& word);
/// `--mode` of XDP: native, generic.
Value<AttachOptions::XdpMode> parse_xdp_mode(const std::string& word);
/// `--linear`, `--network`: up to 262144.
Value<std::uint32_t> parse_bytes(const std::string& option, const std::string& word);
/// `--meta`: NAME=NUMBER,…, of what the kernel knows of a packet; sets what is named.
Value<Metadata> parse_metadata(Metadata before, const std::string& word);

/// What `weir list` can list.
Value<ListCommand::What> parse_listed(const std::string& word);

/// All that `--emit` takes, for the help: `listing, c-array, …`.
std::string emit_names();

}  // namespace weir::cli
