// Any bytes as a savefile: read in blocks of any size, they give the packets that libpcap gives, and end with an error where libpcap's
// reading does; nothing outside the bytes is looked at (the sanitizers look on), and each packet can be shown as a line.
//
// The bytes of an input: how large a block is (16 more than the number, in one byte; 255: the usual size); the file.
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <fmt/format.h>

#include "capture/savefile.hpp"
#include "capture/summary.hpp"
#include "expect.hpp"

namespace weir::fuzz {
namespace {

using capture::Format;
using capture::Precision;
using capture::Reader;

/// The bytes under a name that can be opened.
class File {
 public:
  explicit File(std::span<const std::uint8_t> bytes) : fd_(::memfd_create("savefile", MFD_CLOEXEC)) {
    expect(fd_ >= 0 && ::write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), "no file in memory");
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", fd_); }

 private:
  int fd_;
};

using Pcap = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

Pcap open_with_libpcap(const std::string& path, Precision precision) {
  std::array<char, PCAP_ERRBUF_SIZE> error{};
  const auto stamps = static_cast<unsigned>(precision == Precision::Nano ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO);
  return {pcap_open_offline_with_tstamp_precision(path.c_str(), stamps, error.data()), &pcap_close};
}

/// What libpcap finds next.
struct Theirs {
  int status = 0;
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
};
Theirs next(pcap_t* pcap) {
  Theirs t;
  t.status = pcap_next_ex(pcap, &t.header, &t.bytes);
  return t;
}

void expect_same(const PacketView& packet, const capture::Record& record, const Theirs& theirs) {
  expect(theirs.status == 1, "a packet that libpcap does not find");
  expect(record.length == theirs.header->len && packet.length == record.length, "another length");
  expect(static_cast<std::uint32_t>(record.seconds) == static_cast<std::uint32_t>(theirs.header->ts.tv_sec) &&
             record.fraction == static_cast<std::uint32_t>(theirs.header->ts.tv_usec),
         "another time");
  expect(record.bytes.size() == theirs.header->caplen && packet.bytes == record.bytes.data() && packet.captured == record.bytes.size(),
         "another number of bytes");
  expect(record.bytes.empty() || std::memcmp(record.bytes.data(), theirs.bytes, record.bytes.size()) == 0, "other bytes");
}

/// As they lie in the file: headers, and bytes behind them.
void expect_stored(const Reader& reader, std::span<const PacketView> batch) {
  constexpr std::size_t header_size = 16;
  const auto stored = reader.stored(0, batch.size());
  if (stored.empty()) return;
  std::size_t at = 0;
  for (const PacketView& packet : batch) {
    expect(packet.bytes == stored.data() + at + header_size, "a record that lies elsewhere");
    at += header_size + packet.captured;
  }
  expect(at == stored.size(), "more than the records");
}

void read_file(const std::string& path, std::size_t block) {
  auto reader = Reader::open(path, block);
  const Pcap pcap = open_with_libpcap(path, reader ? reader->format().precision : Precision::Micro);
  expect(reader.has_value() == (pcap != nullptr),
         reader ? "a savefile that is none for libpcap" : "no savefile, but one for libpcap: " + reader.error().message);
  if (!reader) return expect_presentable("", reader.error());
  const Format& format = reader->format();
  expect(format.dlt == pcap_datalink(pcap.get()) && format.snaplen == static_cast<std::uint32_t>(pcap_snapshot(pcap.get())),
         "another format");
  for (;;) {
    const auto batch = reader->next_batch();
    if (!batch || batch->empty()) {
      const int status = next(pcap.get()).status;
      expect(status == (batch ? PCAP_ERROR_BREAK : PCAP_ERROR),
             batch ? "an end that is none for libpcap" : "an error that is none for libpcap: " + batch.error().message);
      if (!batch) expect_presentable("", batch.error());
      return;
    }
    expect_stored(*reader, *batch);
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const capture::Record record = reader->record(i);
      expect_same((*batch)[i], record, next(pcap.get()));
      expect(!summary(record, format).empty(), "a packet without a line");
    }
  }
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const weir::fuzz::File file({data + 1, size - 1});
  weir::fuzz::read_file(file.path(), data[0] == 255 ? weir::capture::Reader::usual_block : 16u + data[0]);
  return 0;
}
