// What the bytes of an input of compile_fuzz mean: a filter; and, behind the first zero byte, what it is compiled for and
// a packet. Plain text is a filter for Ethernet.
//
//   behind the zero: DLT 2 bytes, flags 1, netmask 4, snaplen 4 (network order); the packet: VLAN tag 2, and its bytes
//
// A DLT that is none stands for one. Flags: 1 the kernel's metadata, 2 savefile in native
// byte order, 4 in the other one, 8 the netmask is known, 16 the packet came with a VLAN tag in its metadata.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/packet.hpp"
#include "setting.hpp"
#include "weir/weir.hpp"

namespace weir::fuzz {

struct Input {
  std::string text;
  oracle::Setting setting;
  oracle::Sample packet;
};

/// Takes bytes from the front; zeros when there are no more.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (; size > 0; --size) value = value << 8 | next();
    return value;
  }
  std::vector<std::uint8_t> all() const { return {rest_.begin(), rest_.end()}; }

 private:
  std::uint8_t next() {
    if (rest_.empty()) return 0;
    const std::uint8_t first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  std::span<const std::uint8_t> rest_;
};

inline std::string link_type_of(std::uint32_t number) {
  const std::vector<LinkTypeInfo> all = link_types();
  for (const LinkTypeInfo& l : all)
    if (l.dlt == static_cast<int>(number)) return std::string(l.name);
  return std::string(all[number % all.size()].name);
}

inline void read_options(Bytes& bytes, Input& input) {
  oracle::Setting& s = input.setting;
  s.link_type = link_type_of(bytes.number(2));
  const std::uint32_t flags = bytes.number(1), netmask = bytes.number(4), snaplen = bytes.number(4);
  s.linux_ext = (flags & 1) != 0;
  if ((flags & 6) != 0) s.savefile = (flags & 2) != 0 ? oracle::Savefile::Native : oracle::Savefile::Swapped;
  if ((flags & 8) != 0) s.netmask = netmask;
  if (snaplen != 0) s.snaplen = snaplen;
  input.packet.meta.vlan_tag_present = (flags & 16) != 0;
}

inline Input read_input(std::span<const std::uint8_t> data) {
  Input input;
  const auto zero = std::find(data.begin(), data.end(), std::uint8_t{0});
  input.text.assign(data.begin(), zero);
  if (zero == data.end()) return input;
  Bytes bytes(std::span(zero + 1, data.end()));
  read_options(bytes, input);
  input.packet.meta.vlan_tag = bytes.number(2);
  input.packet.bytes = bytes.all();
  input.packet.length = static_cast<std::uint32_t>(input.packet.bytes.size());
  return input;
}

}  // namespace weir::fuzz
