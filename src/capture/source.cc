#include "capture/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace weir::capture {
namespace {

std::unexpected<Diagnostic> cannot_read(const std::string& name, int error) {
  return fail(Code::System, {}, fmt::format("cannot read {}: {}", name, std::strerror(error)));
}

}  // namespace

Result<std::unique_ptr<Source>> Source::open(const std::string& path) {
  if (path == "-") return std::unique_ptr<Source>(new Source(STDIN_FILENO, "standard input"));
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot_read(path, errno);
  (void)::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // the kernel then reads further ahead; pipes have no use for it
  return std::unique_ptr<Source>(new Source(fd, path));
}

Source::~Source() {
  if (fd_ != STDIN_FILENO) ::close(fd_);
}

/// False: it is to stop.
bool Source::wait_for_input() {
  std::array<pollfd, 2> ready = {{{fd_, POLLIN, 0}, {stop_, POLLIN, 0}}};  // poll(2) leaves out what is negative
  int count = ::poll(ready.data(), ready.size(), 0);
  if (count == 0 && before_wait_) before_wait_();
  while (count == 0 || (count < 0 && errno == EINTR && stop_ >= 0)) count = ::poll(ready.data(), ready.size(), -1);
  return count < 0 || ready[1].revents == 0;
}

ssize_t Source::read_more(char* to, std::size_t size) {
  if (!wait_for_input()) {
    errno = EINTR;
    return -1;
  }
  const auto got = ::read(fd_, to, size);
  if (got > 0) done_ += static_cast<std::uint64_t>(got);
  return got;
}

std::optional<std::uint64_t> Source::size() const {
  struct stat file = {};
  if (::fstat(fd_, &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(file.st_size);
}

Result<std::string_view> Source::peek(std::size_t size) {
  while (head_.size() < size) {
    const auto had = head_.size();
    head_.resize(size);
    const auto got = read_more(head_.data() + had, size - had);
    head_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return cannot_read(name_, errno);
    if (got == 0) break;
  }
  return std::string_view(head_).substr(0, size);
}

ssize_t Source::read(char* to, std::size_t size) {
  const auto left = std::min(size, head_.size() - given_);
  if (left == 0) return read_more(to, size);
  std::memcpy(to, head_.data() + given_, left);
  given_ += left;
  return static_cast<ssize_t>(left);
}

std::FILE* Source::stream(std::unique_ptr<Source> source) {
  const cookie_io_functions_t functions = {
      .read = [](void* s, char* to, std::size_t size) { return static_cast<Source*>(s)->read(to, size); },
      .write = nullptr,
      .seek = nullptr,
      .close = [](void* s) { delete static_cast<Source*>(s); return 0; },
  };
  std::FILE* file = ::fopencookie(source.get(), "r", functions);
  if (!file) return nullptr;
  (void)source.release();
  (void)std::setvbuf(file, nullptr, _IOFBF, 256 * 1024);
  return file;
}

}  // namespace weir::capture
