// A large capture of the traffic that a table of corpus/traffic describes, as a file of classic pcap.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "setting.hpp"
#include "traffic_model.hpp"

namespace weir::bench {

/// Writes Ethernet frames, whole unless they are longer than `snaplen`, until the file has about so many bytes. A share of them, as the
/// table says, is taken from `aimed`. How many there are; nothing when the file cannot be written. The same file each time.
std::optional<std::uint64_t> write_capture(const std::string& path, const TrafficModel& model, const std::vector<oracle::Sample>& aimed,
                                           std::uint64_t bytes, std::uint32_t snaplen);

}  // namespace weir::bench
