// Classic pcap, read in blocks: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/packet_view.hpp"
#include "base/result.hpp"
#include "capture/savefile.hpp"

namespace weir::capture {

class Source;

/// The records of a file, from behind its header. Whatever their headers say, nothing outside the bytes that were read is looked at, and
/// no more memory is taken than twice what the file has given. What libpcap accepts is accepted, and means the same: a packet that is
/// longer than the snapshot length is cut to it. Tested by tests/unit/capture/classic_file_test.cc, tests/fuzz/savefile_fuzz.cc.
class ClassicFile {
 public:
  static constexpr std::size_t header_size = 24, record_header_size = 16;

  /// `most`: no packet of the link type is longer. The header of the source has been read; `block` bytes are read at once.
  ClassicFile(std::unique_ptr<Source> source, const Format& format, std::uint32_t most, std::size_t block);
  ClassicFile(const ClassicFile&) = delete;
  ClassicFile& operator=(const ClassicFile&) = delete;
  ~ClassicFile();

  // As in Reader.
  Result<std::span<const PacketView>> next_batch();
  Record record(std::size_t i) const;
  std::span<const std::uint8_t> stored(std::size_t first, std::size_t end) const;

 private:
  std::span<const std::uint8_t> rest() const { return {buffer_.get() + at_, end_ - at_}; }
  std::uint32_t number(const std::uint8_t* at) const;
  template <bool swapped> std::size_t take_usual();
  Result<bool> take_other();
  Result<bool> read_more(std::size_t needed);
  void make_room(std::size_t needed);
  Diagnostic cut_off(std::size_t needed) const;

  std::unique_ptr<Source> source_;
  bool swapped_;
  std::uint32_t snaplen_, most_;
  std::size_t capacity_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t at_ = 0, end_ = 0;   // what is there and was not given yet
  std::uint64_t begin_ = header_size;  // where in the file the buffer begins
  std::vector<PacketView> packets_;
  bool stored_ = false;            // the packets of the last batch are as the file has them
};

}  // namespace weir::capture
