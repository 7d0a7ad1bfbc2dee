#include "capture/pcap_file.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "capture/classic_file.hpp"
#include "capture/source.hpp"

namespace weir::capture {
namespace {

/// The link type as files have it. Only libpcap knows how DLT_ numbers become LINKTYPE_ numbers, and it tells by
/// writing a file header (pcap-savefile(5)): there it is the last word.
std::uint32_t file_link_type(pcap_t& pcap, int dlt) {
  char* bytes = nullptr;
  std::size_t size = 0;
  std::uint32_t number = static_cast<std::uint32_t>(dlt);
  std::FILE* memory = ::open_memstream(&bytes, &size);
  if (!memory) return number;
  if (pcap_dumper_t* dumper = ::pcap_dump_fopen(&pcap, memory)) {
    ::pcap_dump_close(dumper);  // closes `memory` too
    if (size >= ClassicFile::header_size) std::memcpy(&number, bytes + ClassicFile::header_size - sizeof number, sizeof number);
  } else {
    std::fclose(memory);
  }
  std::free(bytes);
  return number;
}

/// Where the order of a file is not this host's, libpcap turns numbers inside these packets into host order while
/// reading. A file with them has to be in host order too.
bool read_in_host_order(int dlt) {
  return dlt == DLT_USB_LINUX || dlt == DLT_USB_LINUX_MMAPPED || dlt == DLT_NFLOG;
}

unsigned pcap_precision(Precision precision) {
  return precision == Precision::Nano ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO;
}

/// Takes the stream, also when it fails.
Result<Pcap> open_stream(std::FILE* stream, const Probe& probe) {
  std::array<char, PCAP_ERRBUF_SIZE> error = {};
  Pcap pcap(::pcap_fopen_offline_with_tstamp_precision(stream, pcap_precision(probe.precision), error.data()));
  if (pcap) return pcap;
  std::fclose(stream);
  return fail(Code::Input, {}, error.data());
}

}  // namespace

void ClosePcap::operator()(pcap* p) const { ::pcap_close(p); }

Format format_of(pcap& p, const Probe& probe) {
  Format format;
  format.dlt = ::pcap_datalink(&p);
  format.file_link_type = file_link_type(p, format.dlt);
  format.snaplen = static_cast<std::uint32_t>(::pcap_snapshot(&p));
  format.precision = probe.precision;
  format.byte_order = read_in_host_order(format.dlt) ? std::endian::native : probe.byte_order;
  return format;
}

Format format_of(int dlt, std::uint32_t snaplen) {
  Format format;
  format.dlt = dlt;
  format.snaplen = snaplen;
  const Pcap dead(::pcap_open_dead(dlt, static_cast<int>(snaplen)));
  format.file_link_type = dead ? file_link_type(*dead, dlt) : static_cast<std::uint32_t>(dlt);
  return format;
}

Result<Pcap> open_header(std::string_view header, const Probe& probe) {
  std::string copy(header);
  std::FILE* memory = ::fmemopen(copy.data(), copy.size(), "r");
  if (!memory) return fail(Code::System, {}, std::strerror(errno));
  return open_stream(memory, probe);  // reads the header now, and nothing later
}

std::uint32_t most_captured(std::string_view header, const Probe& probe) {
  constexpr std::size_t snaplen_at = 16;
  std::string unlimited(header);
  unlimited.replace(snaplen_at, 4, 4, '\0');  // for libpcap that is the most there can be
  const auto pcap = open_header(unlimited, probe);
  constexpr std::uint32_t usual = 262144;  // MAXIMUM_SNAPLEN of libpcap
  return pcap ? static_cast<std::uint32_t>(::pcap_snapshot(pcap->get())) : usual;
}

bool changes_packets(const Format& format) {
  if (format.dlt == DLT_USB_LINUX_MMAPPED) return true;  // lengths that old versions got wrong
  if (read_in_host_order(format.dlt)) return true;       // as it may be the other order, which format no longer says
  const bool cooked = format.dlt == DLT_LINUX_SLL || format.dlt == DLT_LINUX_SLL2;  // CAN identifiers
  return cooked && format.byte_order != std::endian::native;
}

Result<std::unique_ptr<PcapFile>> PcapFile::open(std::unique_ptr<Source> source, const Probe& probe, const std::string& name) {
  std::FILE* stream = Source::stream(std::move(source));
  if (!stream) return fail(Code::System, {}, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
  auto pcap = open_stream(stream, probe);
  if (!pcap) return fail(Code::Input, {}, fmt::format("{}: {}", name, pcap.error().message));
  auto file = std::make_unique<PcapFile>();
  file->pcap_ = std::move(*pcap);
  file->short_stamps_ = probe.short_stamps;
  return file;
}

Result<std::span<const PacketView>> PcapFile::next_batch() {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  switch (::pcap_next_ex(pcap_.get(), &header, &bytes)) {
    case 1: break;
    case PCAP_ERROR_BREAK: return std::span<const PacketView>();  // the end of a savefile
    default: return fail(Code::Input, {}, ::pcap_geterr(pcap_.get()));
  }
  // libpcap takes those of 32 bits for signed; they have no sign (draft-ietf-opsawg-pcap), and then last until 2106.
  const std::int64_t seconds = header->ts.tv_sec;
  record_ = {.seconds = short_stamps_ ? static_cast<std::uint32_t>(seconds) : seconds,
             .fraction = static_cast<std::uint32_t>(header->ts.tv_usec),
             .length = header->len,
             .bytes = {bytes, header->caplen}};
  packet_ = {bytes, header->caplen, header->len};
  return std::span<const PacketView>(&packet_, 1);
}

}  // namespace weir::capture
