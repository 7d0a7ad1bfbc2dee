#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "capture/savefile.hpp"
#include "scratch.hpp"

using namespace weir;
using namespace weir::capture;

namespace {

std::string words(std::initializer_list<std::uint32_t> numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers) {
    char raw[4];
    std::memcpy(raw, &number, 4);
    bytes.append(raw, 4);
  }
  return bytes;
}

std::string header(std::uint32_t snaplen, std::uint32_t link_type = 1) {
  const std::uint32_t version = std::endian::native == std::endian::big ? 0x00020004 : 0x00040002;
  return words({0xa1b2c3d4, version, 0, 0, snaplen, link_type});
}

std::string record(std::size_t size, std::uint32_t number = 0) {
  const auto length = static_cast<std::uint32_t>(size);
  return words({number, number + 1, length, length + 7}) + std::string(size, static_cast<char>('a' + number % 26));
}

struct Read {
  std::vector<std::uint32_t> seconds;
  std::string stored, bytes;
  std::string ended;
};

Read read(const std::string& path, std::size_t block) {
  auto reader = Reader::open(path, block);
  REQUIRE(reader);
  Read all;
  for (;;) {
    const auto batch = reader->next_batch();
    if (!batch) all.ended = batch.error().message;
    if (!batch || batch->empty()) return all;
    const auto stored = reader->stored(0, batch->size());
    all.stored.append(reinterpret_cast<const char*>(stored.data()), stored.size());
    for (std::size_t i = 0; i < batch->size(); ++i) {
      const Record one = reader->record(i);
      CHECK(one.length == (*batch)[i].length);
      CHECK(one.bytes.data() == (*batch)[i].bytes);
      all.seconds.push_back(static_cast<std::uint32_t>(one.seconds));
      all.bytes.append(reinterpret_cast<const char*>(one.bytes.data()), one.bytes.size());
    }
  }
}

constexpr std::size_t blocks[] = {0, 1, 16, 17, 33, 100, 1000, 65536, Reader::usual_block};

}  // namespace

TEST_CASE("blocks of any size give the same packets, as they lie in the file") {
  Scratch scratch;
  std::string records;
  for (std::uint32_t n = 0; n < 2000; ++n) records += record(n * 37 % 1500, n);
  put(scratch.path("in"), header(65535) + records);
  for (const std::size_t block : blocks) {
    CAPTURE(block);
    const Read all = read(scratch.path("in"), block);
    CHECK(all.ended.empty());
    CHECK(all.stored == records);
    CHECK(all.seconds.size() == 2000);
    CHECK(all.seconds.back() == 1999);
  }
}

TEST_CASE("a part of a batch as it lies in the file") {
  Scratch scratch;
  put(scratch.path("in"), header(65535) + record(10, 0) + record(20, 1) + record(30, 2));
  auto reader = Reader::open(scratch.path("in"));
  REQUIRE(reader);
  REQUIRE(reader->next_batch()->size() == 3);
  const auto part = reader->stored(1, 3);
  CHECK(std::string(part.begin(), part.end()) == record(20, 1) + record(30, 2));
  CHECK(reader->stored(0, 1).size() == 26);
  CHECK(reader->stored(1, 1).empty());
}

TEST_CASE("packets longer than the snapshot length are cut, and do not lie so in the file") {
  Scratch scratch;
  put(scratch.path("in"), header(25) + record(25, 0) + record(26, 1) + record(5000, 2) + record(3, 3));
  for (const std::size_t block : blocks) {
    CAPTURE(block);
    const Read all = read(scratch.path("in"), block);
    CHECK(all.ended.empty());
    CHECK(all.seconds == std::vector<std::uint32_t>{0, 1, 2, 3});
    CHECK(all.bytes == std::string(25, 'a') + std::string(25, 'b') + std::string(25, 'c') + "ddd");
    CHECK(all.stored == record(25, 0) + record(3, 3));
  }
}

TEST_CASE("what is whole is given before it is said that the rest is not") {
  Scratch scratch;
  const std::string whole = header(65535) + record(40, 0) + record(50, 1);
  for (std::size_t size = 24; size <= whole.size(); ++size) {
    put(scratch.path("in"), whole.substr(0, size));
    for (const std::size_t block : {std::size_t{16}, Reader::usual_block}) {
      const Read all = read(scratch.path("in"), block);
      const std::size_t packets = size < 24 + 56 ? 0 : size < whole.size() ? 1 : 2;
      CHECK(all.seconds.size() == packets);
      const bool at_end = size == 24 || size == 24 + 56 || size == whole.size();
      CHECK(all.ended.empty() == at_end);
      if (!at_end) CHECK(all.ended.starts_with("truncated dump file: of the "));
    }
  }
}

TEST_CASE("a packet that claims more than there can be ends the file where it is") {
  Scratch scratch;
  for (const std::uint32_t captured : {262145u, 0x7fffffffu, 0x80000000u, 0xfffffff0u, 0xffffffffu}) {
    put(scratch.path("in"), header(0xffffffff) + record(4, 0) + words({1, 2, captured, captured}) + std::string(300, 'x'));
    const Read all = read(scratch.path("in"), Reader::usual_block);
    CHECK(all.seconds.size() == 1);
    CHECK(all.ended.starts_with("the packet at byte 44 claims to have "));
  }
}

TEST_CASE("so much memory is taken as the file has given") {
  Scratch scratch;
  constexpr std::uint32_t dbus = 231, most = 128 << 20;
  put(scratch.path("in"), header(0, dbus) + words({1, 2, most, most}) + std::string(100, 'x'));
  const Read all = read(scratch.path("in"), 64);
  CHECK(all.ended.starts_with("truncated dump file: of the 134217744 bytes of the packet at byte 24, 116 are there"));
  put(scratch.path("in"), header(0, dbus) + record(3'000'000, 5));
  CHECK(read(scratch.path("in"), Reader::usual_block).bytes.size() == 3'000'000);
}

TEST_CASE("seconds have no sign, whoever reads the file") {
  Scratch scratch;
  for (const char minor : {'\4', '\3'}) {  // libpcap reads the older one
    std::string file = header(65535) + record(20, 0xfffffffe);
    file[std::endian::native == std::endian::big ? 7 : 6] = minor;
    put(scratch.path("in"), file);
    auto reader = Reader::open(scratch.path("in"));
    REQUIRE(reader);
    const auto first = reader->next();
    REQUIRE((first && *first));
    CHECK((*first)->seconds == 0xfffffffe);
  }
}

TEST_CASE("stamps in another precision") {
  const auto stamp = [](std::uint32_t fraction, Precision from, Precision to) {
    const Record r = with_precision({.seconds = 5, .fraction = fraction, .length = 0, .bytes = {}}, from, to);
    return std::pair(r.seconds, r.fraction);
  };
  using enum Precision;
  CHECK(stamp(123456, Micro, Nano) == std::pair(std::int64_t{5}, 123456000u));
  CHECK(stamp(123456789, Nano, Micro) == std::pair(std::int64_t{5}, 123456u));
  CHECK(stamp(0xffffffff, Micro, Micro) == std::pair(std::int64_t{5}, 0xffffffffu));
  CHECK(stamp(1'000'000, Micro, Nano) == std::pair(std::int64_t{6}, 0u));
  CHECK(stamp(0xffffffff, Micro, Nano) == std::pair(std::int64_t{5 + 4294}, 967'295'000u));
  CHECK(stamp(0xffffffff, Nano, Micro) == std::pair(std::int64_t{5 + 4}, 294'967u));
}

TEST_CASE("pieces come out behind what was written before, however large") {
  Scratch scratch;
  std::string expected = "first ";
  std::vector<std::string> texts;
  for (const std::size_t size : {0u, 3u, 70'000u, 1u, 0u, 300'000u}) texts.emplace_back(size, static_cast<char>('A' + size % 26));
  for (int i = 0; i < 3000; ++i) texts.emplace_back(50, 'z');
  std::vector<std::span<const std::uint8_t>> pieces;
  for (const auto& text : texts) {
    pieces.emplace_back(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    expected += text;
  }
  auto file = OutputFile::create(scratch.path("out"));
  REQUIRE(file);
  REQUIRE(file->write("first "));
  REQUIRE(file->write(pieces));
  REQUIRE(file->write(std::span(pieces).first(2)));  // small: these wait
  REQUIRE(file->write(" last"));
  REQUIRE(file->commit());
  CHECK(content(scratch.path("out")) == expected + texts[1] + " last");
}
