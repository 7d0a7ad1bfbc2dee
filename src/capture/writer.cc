// The writing half of savefile.hpp.
#include <pcap/pcap.h>

#include <array>
#include <cstring>
#include <string_view>

#include "capture/classic_file.hpp"
#include "capture/savefile.hpp"

namespace weir::capture {
namespace {

constexpr std::uint32_t micro_magic = 0xa1b2c3d4, nano_magic = 0xa1b23c4d;

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
  std::array<char, ClassicFile::header_size> bytes_;
};

constexpr std::size_t sll_header_size = 16;

/// In cooked captures of the other byte order libpcap turns nothing but the CAN identifier, which can be turned back.
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

}  // namespace

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
