// Savefiles: pcap and pcapng in (through libpcap), classic pcap out.
#pragma once
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "capture/output_file.hpp"

struct pcap;

namespace weir::capture {

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

/// Reads pcap, and pcapng whose interfaces have one link type. Tested by tests/unit/capture/savefile_test.cc.
class Reader {
 public:
  /// "-" is standard input.
  static Result<Reader> open(const std::string& path);

  /// For pcapng: Nano where an interface that is described before the first packet has a finer clock than a
  /// microsecond; the byte order is that of the first section.
  const Format& format() const { return format_; }

  /// The next packet, nothing at the end; its bytes are valid until the next call. An error says why the rest of the
  /// file cannot be read; what came before it stands.
  Result<std::optional<Record>> next();

  /// Called before a read that has to wait for more input (a pipe), so that output can be flushed.
  void before_wait(std::function<void()> action);
  /// When this descriptor is readable, next() does not wait: it fails.
  void stop_at(int descriptor);

  /// Bytes that were read so far, and that there are; the latter is known for regular files only.
  std::uint64_t bytes_read() const;
  std::optional<std::uint64_t> size() const;

 private:
  struct Close { void operator()(pcap* p) const; };
  Reader() = default;

  std::unique_ptr<pcap, Close> pcap_;
  Source* source_ = nullptr;  // owned by the stream that pcap_ owns
  Format format_;
};

/// Writes classic pcap in the byte order and precision of its format.
class Writer {
 public:
  static Result<Writer> create(const std::string& path, const Format& format);

  Result<void> write(const Record& record);
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
