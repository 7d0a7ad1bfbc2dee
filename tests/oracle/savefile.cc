#include "savefile.hpp"

#include <array>

#include <pcap/pcap.h>

namespace weir::oracle {

std::expected<Capture, std::string> read_savefile(const std::string& path, std::size_t most) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  pcap_t* p = pcap_open_offline(path.c_str(), error.data());
  if (p == nullptr) return std::unexpected(path + ": " + error.data());
  Capture capture;
  const char* name = pcap_datalink_val_to_name(pcap_datalink(p));
  capture.link_type = name != nullptr ? name : "";
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  while (capture.packets.size() < most && pcap_next_ex(p, &header, &bytes) == 1)
    capture.packets.push_back({{bytes, bytes + header->caplen}, header->len, {}});
  pcap_close(p);
  return capture;
}

}  // namespace weir::oracle
