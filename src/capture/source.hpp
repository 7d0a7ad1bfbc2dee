// The bytes of a file or a pipe, the first of which can be looked at before they are read.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace weir::capture {

class Source {
 public:
  /// "-" is standard input.
  static Result<std::unique_ptr<Source>> open(const std::string& path);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// The first `size` bytes; fewer when the input is shorter.
  Result<std::string_view> peek(std::size_t size);
  /// The next bytes, as read(2) gives them: 0 at the end, -1 with errno. Those that were looked at come again, first.
  ssize_t read(char* to, std::size_t size);
  /// A stream of all bytes from the first. It owns the source, closing it ends both; null: errno says why.
  static std::FILE* stream(std::unique_ptr<Source> source);
  /// Called before a read that has to wait for more input.
  void before_wait(std::function<void()> action) { before_wait_ = std::move(action); }
  /// When this descriptor is readable, reading fails with EINTR instead of waiting.
  void stop_at(int descriptor) { stop_ = descriptor; }

  /// Bytes that were read so far, and that there are; the latter is known for regular files only.
  std::uint64_t done() const { return done_; }
  std::optional<std::uint64_t> size() const;

 private:
  Source(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  ssize_t read_more(char* to, std::size_t size);
  bool wait_for_input();

  int fd_;
  int stop_ = -1;
  std::uint64_t done_ = 0;
  std::string name_;
  std::string head_;       // what peek() has read
  std::size_t given_ = 0;  // how much of it the stream has had
  std::function<void()> before_wait_;
};

}  // namespace weir::capture
