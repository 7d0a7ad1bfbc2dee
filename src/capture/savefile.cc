#include "capture/savefile.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "capture/probe.hpp"
#include "capture/source.hpp"

namespace weir::capture {
namespace {

constexpr std::uint32_t micro_magic = 0xa1b2c3d4, nano_magic = 0xa1b23c4d;
constexpr std::size_t header_size = 24;

/// The numbers of a header, in a byte order.
class Words {
 public:
  explicit Words(std::endian order) : swap_(order != std::endian::native) {}
  Words& operator<<(std::uint32_t value) { return put(swap_ ? __builtin_bswap32(value) : value); }
  Words& operator<<(std::uint16_t value) { return put(swap_ ? __builtin_bswap16(value) : value); }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  template <class T>
  Words& put(T value) {
    std::memcpy(bytes_.data() + size_, &value, sizeof value);
    size_ += sizeof value;
    return *this;
  }
  bool swap_;
  std::size_t size_ = 0;
  std::array<char, header_size> bytes_;
};

/// The link type as files have it. Only libpcap knows how DLT_ numbers become LINKTYPE_ numbers, and it tells by
/// writing a file header (pcap-savefile(5)): there it is the last word.
std::uint32_t file_link_type(pcap_t* pcap, int dlt) {
  char* bytes = nullptr;
  std::size_t size = 0;
  std::uint32_t number = static_cast<std::uint32_t>(dlt);
  std::FILE* memory = ::open_memstream(&bytes, &size);
  if (!memory) return number;
  if (pcap_dumper_t* dumper = ::pcap_dump_fopen(pcap, memory)) {
    ::pcap_dump_close(dumper);  // closes `memory` too
    if (size >= header_size) std::memcpy(&number, bytes + header_size - sizeof number, sizeof number);
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

constexpr std::size_t sll_header_size = 16;

/// In cooked captures libpcap so turns nothing but the CAN identifier, which can be turned back.
bool holds_can_id(const Format& format, const Record& record) {
  if (format.dlt != DLT_LINUX_SLL || format.byte_order == std::endian::native) return false;
  if (record.bytes.size() < sll_header_size + 4) return false;
  constexpr std::uint8_t can = 0x0c, can_fd = 0x0d;  // LINUX_SLL_P_CAN, LINUX_SLL_P_CANFD
  return record.bytes[14] == 0 && (record.bytes[15] == can || record.bytes[15] == can_fd);
}

std::string with_can_id_turned(std::span<const std::uint8_t> bytes) {
  std::string result(bytes.begin(), bytes.end());
  std::swap(result[sll_header_size], result[sll_header_size + 3]);
  std::swap(result[sll_header_size + 1], result[sll_header_size + 2]);
  return result;
}

unsigned pcap_precision(Precision precision) {
  return precision == Precision::Nano ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO;
}

Format format_of(pcap_t* pcap, const Probe& probe) {
  Format format;
  format.dlt = ::pcap_datalink(pcap);
  format.file_link_type = file_link_type(pcap, format.dlt);
  format.snaplen = static_cast<std::uint32_t>(::pcap_snapshot(pcap));
  format.precision = probe.precision;
  format.byte_order = read_in_host_order(format.dlt) ? std::endian::native : probe.byte_order;
  return format;
}

}  // namespace

Format format_of(int dlt, std::uint32_t snaplen) {
  Format format;
  format.dlt = dlt;
  format.snaplen = snaplen;
  const std::unique_ptr<pcap_t, decltype(&::pcap_close)> dead(::pcap_open_dead(dlt, static_cast<int>(snaplen)), ::pcap_close);
  format.file_link_type = dead ? file_link_type(dead.get(), dlt) : static_cast<std::uint32_t>(dlt);
  return format;
}

void Reader::Close::operator()(pcap_t* p) const { ::pcap_close(p); }

Result<Reader> Reader::open(const std::string& path) {
  auto source = Source::open(path);
  if (!source) return std::unexpected(source.error());
  const std::string name = path == "-" ? "standard input" : path;
  const auto probed = probe(**source, name);
  if (!probed) return std::unexpected(probed.error());

  Reader reader;
  reader.source_ = source->get();
  std::FILE* stream = Source::stream(std::move(*source));
  if (!stream) return fail(Code::System, {}, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
  std::array<char, PCAP_ERRBUF_SIZE> error = {};
  reader.pcap_.reset(
      ::pcap_fopen_offline_with_tstamp_precision(stream, pcap_precision(probed->precision), error.data()));
  if (!reader.pcap_) {
    std::fclose(stream);
    return fail(Code::Input, {}, fmt::format("{}: {}", name, error.data()));
  }
  reader.format_ = format_of(reader.pcap_.get(), *probed);
  return reader;
}

Result<std::optional<Record>> Reader::next() {
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  switch (::pcap_next_ex(pcap_.get(), &header, &bytes)) {
    case 1: break;
    case PCAP_ERROR_BREAK: return std::optional<Record>();  // the end of a savefile
    default: return fail(Code::Input, {}, ::pcap_geterr(pcap_.get()));
  }
  return Record{.seconds = header->ts.tv_sec,
                .fraction = static_cast<std::uint32_t>(header->ts.tv_usec),
                .length = header->len,
                .bytes = {bytes, header->caplen}};
}

void Reader::before_wait(std::function<void()> action) { source_->before_wait(std::move(action)); }

void Reader::stop_at(int descriptor) { source_->stop_at(descriptor); }
std::uint64_t Reader::bytes_read() const { return source_->done(); }
std::optional<std::uint64_t> Reader::size() const { return source_->size(); }

Result<Writer> Writer::create(const std::string& path, const Format& format) {
  auto file = OutputFile::create(path);
  if (!file) return std::unexpected(file.error());
  Words header(format.byte_order);
  header << (format.precision == Precision::Nano ? nano_magic : micro_magic)
         << std::uint16_t{PCAP_VERSION_MAJOR} << std::uint16_t{PCAP_VERSION_MINOR}
         << std::uint32_t{0} << std::uint32_t{0}  // time zone and accuracy: always zero
         << format.snaplen << format.file_link_type;
  if (auto written = file->write(header.bytes()); !written) return std::unexpected(written.error());
  return Writer(std::move(*file), format);
}

Result<void> Writer::write(const Record& record) {
  Words header(format_.byte_order);
  header << static_cast<std::uint32_t>(record.seconds) << record.fraction
         << static_cast<std::uint32_t>(record.bytes.size()) << record.length;
  record_ = header.bytes();  // in one piece: OutputFile::salvage()
  if (holds_can_id(format_, record)) record_ += with_can_id_turned(record.bytes);
  else record_.append(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
  return file_.write(record_);
}

}  // namespace weir::capture
