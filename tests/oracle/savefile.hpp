// Packets of a capture file, for the oracle.
#pragma once
#include <expected>
#include <string>
#include <vector>

#include "setting.hpp"

namespace weir::oracle {

struct Capture {
  std::string link_type;  ///< a DLT name
  std::vector<Sample> packets;
};

/// The first packets of a savefile; or libpcap's words.
std::expected<Capture, std::string> read_savefile(const std::string& path, std::size_t most = 10'000);

}  // namespace weir::oracle
