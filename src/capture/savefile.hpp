// Savefiles: classic pcap in and out, pcapng and what is rare in through libpcap.
#pragma once
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/packet_view.hpp"
#include "base/result.hpp"
#include "capture/output_file.hpp"

namespace weir::capture {

class ClassicFile;
class PcapFile;
class Source;

enum class Precision : std::uint8_t { Micro, Nano };

/// What holds for all packets of a savefile.
struct Format {
  int dlt = 1;                      ///< DLT_ number
  std::uint32_t file_link_type = 1; ///< the number that stands for it in files (LINKTYPE_ and flags, pcap(3pcap))
  std::uint32_t snaplen = 262144;
  Precision precision = Precision::Micro;
  std::endian byte_order = std::endian::native;

  bool operator==(const Format&) const = default;
};

/// The format in which packets of a live capture are written: microseconds, the byte order of this host.
Format format_of(int dlt, std::uint32_t snaplen);

struct Record {
  std::int64_t seconds = 0;
  std::uint32_t fraction = 0;          ///< micro- or nanoseconds, as Format says
  std::uint32_t length = 0;            ///< on the wire
  std::span<const std::uint8_t> bytes; ///< those that were captured
};

/// The record with its stamp in another precision. One that says a second and more of fractions, as none should, keeps its time.
Record with_precision(Record record, Precision from, Precision to);

/// Reads pcap, and pcapng whose interfaces have one link type. Tested by tests/unit/capture/savefile_test.cc, tests/fuzz/savefile_fuzz.cc.
class Reader {
 public:
  /// So many bytes of classic pcap are read at once. They are copied out of the kernel's memory, not mapped: that keeps them from
  /// changing or going away while they are looked at, and in the processor's own cache they cost no more than a mapping does, whose
  /// records each wait for memory.
  static constexpr std::size_t usual_block = 256 * 1024;

  /// "-" is standard input.
  static Result<Reader> open(const std::string& path, std::size_t block = usual_block);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  /// For pcapng: Nano where an interface that is described before the first packet has a finer clock than a
  /// microsecond; the byte order is that of the first section.
  const Format& format() const { return format_; }

  /// The packets that come next, as many as are there without waiting for them; none at the end. They are valid until the next
  /// call. An error says why the rest of the file cannot be read; what came before it stands.
  Result<std::span<const PacketView>> next_batch();
  /// A packet of the last batch with its stamp.
  Record record(std::size_t i) const;
  /// The packets of the last batch from `first` up to `end`, which is not among them, as a file of format() has them with their headers,
  /// one behind the other. Nothing where they do not lie so in the file.
  std::span<const std::uint8_t> stored(std::size_t first, std::size_t end) const;

  /// The packets one by one: the next, nothing at the end; its bytes are valid until the next call.
  Result<std::optional<Record>> next();

  /// Called before a read that has to wait for more input (a pipe), so that output can be flushed.
  void before_wait(std::function<void()> action);
  /// When this descriptor is readable, reading does not wait: it fails.
  void stop_at(int descriptor);

  /// Bytes that were read so far, and that there are; the latter is known for regular files only.
  std::uint64_t bytes_read() const;
  std::optional<std::uint64_t> size() const;

 private:
  Reader();

  std::unique_ptr<ClassicFile> classic_;  // one of the two
  std::unique_ptr<PcapFile> pcap_;
  Source* source_ = nullptr;              // owned by it
  Format format_;
  std::size_t batch_size_ = 0, given_ = 0;  // for next()
};

/// Writes classic pcap in the byte order and precision of its format.
class Writer {
 public:
  static Result<Writer> create(const std::string& path, const Format& format);

  Result<void> write(const Record& record);
  /// Records that are of the writer's format already, Reader::stored(), all of them or none.
  Result<void> write_stored(std::span<const std::span<const std::uint8_t>> records) { return file_.write(records); }
  Result<void> flush() { return file_.flush(); }
  Result<void> commit() { return file_.commit(); }
  /// After a failure: keeps the packets that the file has whole; whether there is such a file.
  bool salvage() { return file_.salvage(); }
  const std::string& name() const { return file_.name(); }
  bool is_terminal() const { return file_.is_terminal(); }
  const std::string& temporary() const { return file_.temporary(); }

 private:
  Writer(OutputFile file, const Format& format) : file_(std::move(file)), format_(format) {}

  OutputFile file_;
  Format format_;
  std::string record_;  // kept for its memory
};

}  // namespace weir::capture
