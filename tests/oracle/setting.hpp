// What a filter is compiled for, and a packet it is tried on, as the oracle sees them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/packet.hpp"
#include "wire/link_type.hpp"

namespace weir::oracle {

enum class Savefile : std::uint8_t { None, Native, Swapped };

struct Setting {
  std::string link_type = "EN10MB";      ///< a DLT name
  std::uint32_t snaplen = 262144;
  std::optional<std::uint32_t> netmask = {};  ///< host order
  bool linux_ext = false;
  Savefile savefile = Savefile::None;
};

/// The link types that filters are generated for: all whose frames are known, and some of which nothing is.
const std::vector<std::string_view>& link_types();

/// Whether filters are compiled for it at all.
inline bool comparable(std::string_view link_type) { return wire::find_link_type(link_type) != nullptr; }

/// The link type as rows of differences.tsv name it: `NULL`, `NULL savefile`, `EN10MB live`.
inline std::string described(const Setting& s) {
  return s.link_type + (s.linux_ext ? " live" : s.savefile != Savefile::None ? " savefile" : "");
}

/// `255.255.255.0`, in host order.
std::optional<std::uint32_t> read_netmask(const std::string& text);

/// The setting that words describe: a DLT name, behind it `live`, `savefile` or `swapped` (one of the other byte
/// order), `netmask 255.255.255.0`, `snaplen 96`.
Setting read_setting(const std::string& words);

/// A packet of which `bytes` are known.
struct Sample {
  std::vector<std::uint8_t> bytes = {};
  std::uint32_t length = 0;  ///< on the wire
  Metadata meta = {};

  bool operator==(const Sample&) const = default;

  /// As an engine sees it when the first n bytes were captured.
  Packet cut(std::size_t n) const { return {{bytes.data(), n < bytes.size() ? n : bytes.size()}, length, meta}; }
  Packet whole() const { return cut(bytes.size()); }
};

}  // namespace weir::oracle
