// Savefiles of all kinds, read by libpcap.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "base/packet_view.hpp"
#include "base/result.hpp"
#include "capture/probe.hpp"
#include "capture/savefile.hpp"

struct pcap;

namespace weir::capture {

class Source;

struct ClosePcap {
  void operator()(pcap* p) const;
};
using Pcap = std::unique_ptr<pcap, ClosePcap>;

/// The format that libpcap finds in a file, or in nothing but its header.
Format format_of(pcap& p, const Probe& probe);

/// What libpcap makes of the header of classic pcap: a file without packets.
Result<Pcap> open_header(std::string_view header, const Probe& probe);
/// The most bytes that a packet of the link type can have, as libpcap sees it; the header is one of classic pcap with that link type.
std::uint32_t most_captured(std::string_view header, const Probe& probe);
/// Whether libpcap changes something inside the packets of such a file while reading it.
bool changes_packets(const Format& format);

/// Gives one packet at a time. `name` is for messages.
class PcapFile {
 public:
  static Result<std::unique_ptr<PcapFile>> open(std::unique_ptr<Source> source, const Probe& probe, const std::string& name);

  pcap& handle() const { return *pcap_; }

  // As in Reader.
  Result<std::span<const PacketView>> next_batch();
  const Record& record() const { return record_; }

 private:
  Pcap pcap_;  // owns the source
  bool short_stamps_ = false;
  Record record_;
  PacketView packet_;
};

}  // namespace weir::capture
