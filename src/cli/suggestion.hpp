// What somebody may have meant who left the command out, as tcpdump has none.
#pragma once
#include <string>
#include <vector>

namespace weir::cli {

/// `weir filter -r in.pcap tcp` for `-nr in.pcap tcp`: the command that takes such options, quoted for a shell.
std::string suggested_command(const std::vector<std::string>& arguments);

}  // namespace weir::cli
