#include "capture/savefile.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>
#include <vector>

#include "scratch.hpp"

using namespace weir;
using namespace weir::capture;

namespace {

const std::string packets = WEIR_PACKETS "/";
constexpr auto other_order = std::endian::native == std::endian::little ? std::endian::big : std::endian::little;

/// Copies a savefile; returns the number of packets, and why it ended early.
std::pair<int, std::string> copy(const std::string& from, const std::string& to) {
  auto reader = Reader::open(from);
  if (!reader) return {-1, reader.error().message};
  auto writer = Writer::create(to, reader->format());
  REQUIRE(writer);
  int count = 0;
  std::string ended;
  for (;;) {
    const auto record = reader->next();
    if (!record) ended = record.error().message;
    if (!record || !*record) break;
    REQUIRE(writer->write(**record));
    ++count;
  }
  REQUIRE(writer->commit());
  return {count, ended};
}

std::string words(std::endian order, std::initializer_list<std::uint32_t> numbers) {
  std::string bytes;
  for (auto number : numbers) {
    if (order != std::endian::native) number = __builtin_bswap32(number);
    char raw[4];
    std::memcpy(raw, &number, 4);
    bytes.append(raw, 4);
  }
  return bytes;
}

/// A pcapng file: section, then interfaces with these resolutions (-1: not said); no packets.
std::string sections(std::endian order, std::initializer_list<int> resolutions) {
  std::string bytes = words(order, {0x0a0d0d0a, 28, 0x1a2b3c4d, order == std::endian::big ? 0x00010000u : 1u,
                                    0xffffffff, 0xffffffff, 28});
  const std::uint32_t ethernet = order == std::endian::big ? 1u << 16 : 1;
  for (const int resolution : resolutions) {
    if (resolution < 0) {
      bytes += words(order, {1, 20, ethernet, 0, 20});
    } else {
      const std::uint32_t head = order == std::endian::big ? 9u << 16 | 1 : 9 | 1u << 16;
      bytes += words(order, {1, 32, ethernet, 0, head});
      bytes += std::string(1, static_cast<char>(resolution)) + std::string(3, '\0') + words(order, {0, 32});
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("classic pcap comes out as it went in, byte for byte") {
  Scratch scratch;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(packets)) {
    if (entry.path().extension() != ".pcap") continue;
    CAPTURE(entry.path());
    const auto [count, ended] = copy(entry.path().string(), scratch.path("copy"));
    CHECK(count > 0);
    CHECK(ended.empty());
    CHECK(content(scratch.path("copy")) == content(entry.path()));
    ++files;
  }
  CHECK(files > 10);
}

TEST_CASE("pcapng becomes classic pcap of the same precision and byte order") {
  Scratch scratch;
  const auto check = [&](const std::string& from, Precision precision, std::endian order) {
    CAPTURE(from);
    CHECK(copy(packets + from, scratch.path("copy")).first == 3);
    const auto reader = Reader::open(scratch.path("copy"));
    REQUIRE(reader);
    CHECK(reader->format().precision == precision);
    CHECK(reader->format().byte_order == order);
    CHECK(reader->format().dlt == 1);
  };
  check("format_micro.pcapng", Precision::Micro, std::endian::little);
  check("format_nano.pcapng", Precision::Nano, std::endian::little);
  check("format_big_endian.pcapng", Precision::Micro, std::endian::big);
}

TEST_CASE("the finest clock before the first packet decides") {
  Scratch scratch;
  const auto precision = [&](std::endian order, std::initializer_list<int> resolutions) {
    put(scratch.path("in"), sections(order, resolutions));
    const auto reader = Reader::open(scratch.path("in"));
    REQUIRE_MESSAGE(reader, reader.error().message);
    return reader->format().precision;
  };
  for (const auto order : {std::endian::little, std::endian::big}) {
    CHECK(precision(order, {-1}) == Precision::Micro);
    CHECK(precision(order, {6}) == Precision::Micro);
    CHECK(precision(order, {3}) == Precision::Micro);
    CHECK(precision(order, {9}) == Precision::Nano);
    CHECK(precision(order, {7}) == Precision::Nano);
    CHECK(precision(order, {-1, 9}) == Precision::Nano);
    CHECK(precision(order, {9, 6, -1}) == Precision::Nano);
    CHECK(precision(order, {0x80 | 10}) == Precision::Micro);
    CHECK(precision(order, {0x80 | 30}) == Precision::Nano);
  }
}

TEST_CASE("the CAN identifier of a cooked capture stays in the order of the file") {
  Scratch scratch;
  const std::string frame = std::string("\0\0\x01\x18\0\0\0\0\0\0\0\0\0\0\0\x0c", 16) + "\x01\x02\x03\x04rest";
  for (const auto order : {std::endian::native, other_order}) {
    std::string version = order == std::endian::big ? std::string("\0\2\0\4", 4) : std::string("\2\0\4\0", 4);
    const auto size = static_cast<std::uint32_t>(frame.size());
    put(scratch.path("in"), words(order, {0xa1b2c3d4}) + version + words(order, {0, 0, 65535, 113, 1, 2, size, size}) +
                                frame);
    CHECK(copy(scratch.path("in"), scratch.path("out")).first == 1);
    CHECK(content(scratch.path("out")) == content(scratch.path("in")));
  }
}

TEST_CASE("a cut file gives what is whole, and says that it is cut") {
  Scratch scratch;
  const auto whole = content(packets + "format_nano.pcap");
  put(scratch.path("cut"), whole.substr(0, whole.size() - 5));
  const auto [count, ended] = copy(scratch.path("cut"), scratch.path("copy"));
  CHECK(count == 2);
  CHECK(ended.starts_with("truncated dump file"));
  CHECK(whole.starts_with(content(scratch.path("copy"))));
}

TEST_CASE("what is no savefile is called what it is") {
  Scratch scratch;
  const auto error = [&](std::string_view bytes) {
    put(scratch.path("in"), bytes);
    const auto reader = Reader::open(scratch.path("in"));
    REQUIRE_FALSE(reader);
    CHECK(reader.error().code == Code::Input);
    return reader.error().message.substr(scratch.path("in").size() + 1);
  };
  CHECK(error("") == "is empty");
  CHECK(error("#!/bin/sh\nexit 0\n") == "is neither pcap nor pcapng");
  CHECK(error("\x1f\x8b\x08 and so on and on") == "is compressed with gzip");
  CHECK(error(std::string_view("\xfd" "7zXZ\0 and more of it", 20)) == "is compressed with xz");
  CHECK(error("\xd4\xc3\xb2\xa1") == "is neither pcap nor pcapng");
  CHECK(Reader::open(scratch.path("none")).error().code == Code::System);
  CHECK(Reader::open(scratch.path("")).error().message.ends_with("Is a directory"));
}

TEST_CASE("hostile files end with an error, early") {
  Scratch scratch;
  constexpr auto native = std::endian::native;
  const std::uint32_t version = native == std::endian::big ? 0x00020004 : 0x00040002;
  const auto start = words(native, {0xa1b2c3d4, version, 0, 0, 65535, 1});
  for (const std::uint32_t size : {0x7fffffffu, 0xffffffffu, 0x10000001u}) {
    put(scratch.path("in"), start + words(native, {1, 2, size, size}) + "few bytes");
    const auto [count, ended] = copy(scratch.path("in"), scratch.path("copy"));
    CHECK(count == 0);
    CHECK_FALSE(ended.empty());
  }
  for (const std::uint32_t length : {0u, 4u, 13u, 0x7ffffffcu, 0xffffffffu}) {
    put(scratch.path("in"), words(native, {0x0a0d0d0a, length, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, length}));
    CHECK_FALSE(Reader::open(scratch.path("in")));
    put(scratch.path("in"), sections(native, {9}) + words(native, {1, length, 1, 0, length}));
    CHECK(copy(scratch.path("in"), scratch.path("copy")).first <= 0);
  }
}
