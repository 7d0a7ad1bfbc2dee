// The installed libpcap as the yardstick: its code generator with the optimizer off, and its interpreter.
#pragma once
#include <expected>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include <pcap/pcap.h>

#include "base/packet.hpp"
#include "cbpf/program.hpp"
#include "setting.hpp"

namespace weir::oracle {

class Reference {
 public:
  /// libpcap's program for a filter, or its message. Names are the system's. `optimized`: no yardstick of meaning.
  std::expected<cbpf::Program, std::string> compile(const Setting& setting, const std::string& filter, bool optimized = false);

  /// Whether libpcap can say on this machine what the filter means: to look for VLAN tags in the metadata, it wants a
  /// live handle, which takes rights to open.
  bool available(const Setting& setting, const std::string& filter);

 private:
  struct Close {
    void operator()(pcap_t* p) const { pcap_close(p); }
  };
  using Handle = std::unique_ptr<pcap_t, Close>;
  using Key = std::tuple<std::string, std::uint32_t, bool, Savefile>;
  pcap_t* handle(const Setting& setting);
  std::map<Key, Handle> handles_;
  bool live_ = false;  ///< live handles can be opened
};

/// What libpcap's own interpreter (bpf_filter) returns; for programs that read no metadata.
std::uint32_t run_libpcap(const cbpf::Program& p, const Packet& packet);

/// The version line of the library.
std::string libpcap_version();

}  // namespace weir::oracle
