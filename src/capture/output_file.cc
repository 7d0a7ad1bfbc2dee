#include "capture/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace weir::capture {
namespace {

constexpr std::size_t buffer_size = 256 * 1024;
/// From so many bytes on a system call costs less than copying them.
constexpr std::size_t large = 64 * 1024;
constexpr std::size_t most_at_once = 1024;  // IOV_MAX

std::unexpected<Diagnostic> system_error(std::string_view doing, const std::string& name, int error) {
  return fail(Code::System, {}, fmt::format("cannot {} {}: {}", doing, name, std::strerror(error)));
}

/// What a symbolic link points to, so that the link stays and its target is replaced.
std::string resolved(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  std::string result = real ? real : path;
  ::free(real);
  return result;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

/// A new file in the directory. Its name is short, whatever the final one is, and its mode follows the umask.
int create_beside(const std::string& path, mode_t mode, std::string& temporary) {
  for (int attempt = 0;; ++attempt) {
    temporary = fmt::format("{}.weir-{}-{}", directory_of(path), ::getpid(), attempt);
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
}

/// The replacement looks like what it replaces; where the owner cannot be kept, it is ours.
void keep_owner_and_mode(int fd, const struct stat& old) {
  if (::fchown(fd, old.st_uid, old.st_gid) != 0) return;
  (void)::fchmod(fd, old.st_mode & 07777);
}

/// What is left behind the first bytes of the pieces.
std::span<iovec> without(std::span<iovec> pieces, std::size_t bytes) {
  while (bytes > 0 && bytes >= pieces[0].iov_len) {
    bytes -= pieces[0].iov_len;
    pieces = pieces.subspan(1);
  }
  if (bytes > 0) {
    pieces[0].iov_base = static_cast<char*>(pieces[0].iov_base) + bytes;
    pieces[0].iov_len -= bytes;
  }
  return pieces;
}

std::unexpected<Diagnostic> no_room_beside(const std::string& path, int error) {
  return fail(Code::System, {}, fmt::format("cannot make a new file beside {}: {}", path, std::strerror(error)),
              fmt::format("the new content is written to a file of its own, which then takes the place of the old one; to write "
                          "into the old one: -w - >{}", path));
}

}  // namespace

bool OutputFile::is_standard_output(const std::string& path) {
  return path == "-" || path == "/dev/stdout" || path == "/dev/fd/1" || path == "/proc/self/fd/1";
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  if (is_standard_output(path)) {
    OutputFile out(STDOUT_FILENO, "standard output");
    out.owns_fd_ = false;
    return out;
  }
  struct stat old = {};
  const bool exists = ::stat(path.c_str(), &old) == 0;
  if (exists && !S_ISREG(old.st_mode)) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return system_error("write", path, errno);
    return OutputFile(fd, path);
  }
  // Renaming needs no right to write the file itself, but who took that right away meant something by it.
  if (exists && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    return system_error("write", path, errno);
  }
  OutputFile out(-1, path);
  out.final_path_ = resolved(path);
  out.fd_ = create_beside(out.final_path_, 0666, out.temporary_);
  if (out.fd_ < 0) {
    const int error = errno;
    out.temporary_.clear();
    return exists ? no_room_beside(path, error) : system_error("create", path, error);
  }
  if (exists) keep_owner_and_mode(out.fd_, old);
  return out;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), owns_fd_(other.owns_fd_), flushed_(other.flushed_), error_(other.error_),
      name_(std::move(other.name_)), buffer_(std::exchange(other.buffer_, {})), pieces_(std::exchange(other.pieces_, {})),
      final_path_(std::move(other.final_path_)), temporary_(std::exchange(other.temporary_, {})) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0 && owns_fd_) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> OutputFile::fail_with(int error) {
  if (error_ == 0) error_ = error;
  return system_error("write", name_, error_);
}

Result<void> OutputFile::write(std::string_view bytes) {
  if (error_ != 0) return fail_with(error_);
  buffer_ += bytes;
  return buffer_.size() < buffer_size ? Result<void>{} : flush();
}

Result<void> OutputFile::write(std::span<const std::span<const std::uint8_t>> pieces) {
  if (error_ != 0) return fail_with(error_);
  std::size_t size = 0;
  for (const auto piece : pieces) size += piece.size();
  if (size < large) {
    for (const auto piece : pieces) buffer_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return buffer_.size() < buffer_size ? Result<void>{} : flush();
  }
  pieces_.assign(1, {buffer_.data(), buffer_.size()});
  for (const auto piece : pieces) pieces_.push_back({const_cast<std::uint8_t*>(piece.data()), piece.size()});  // writev(2) only reads
  return put_out();
}

Result<void> OutputFile::flush() {
  if (error_ != 0) return fail_with(error_);
  pieces_.assign(1, {buffer_.data(), buffer_.size()});
  return put_out();
}

/// Writes pieces_, of which buffer_ is the first.
Result<void> OutputFile::put_out() {
  std::span<iovec> rest = pieces_;
  off_t size = 0;
  for (;;) {
    while (!rest.empty() && rest[0].iov_len == 0) rest = rest.subspan(1);
    if (rest.empty()) break;
    const auto written = ::writev(fd_, rest.data(), static_cast<int>(std::min(rest.size(), most_at_once)));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_with(errno);
    size += static_cast<off_t>(written);
    rest = without(rest, static_cast<std::size_t>(written));
  }
  flushed_ += size;
  buffer_.clear();
  return {};
}

Result<void> OutputFile::commit() {
  if (auto flushed = flush(); !flushed) return flushed;
  return give_name();
}

bool OutputFile::salvage() {
  buffer_.clear();
  return fd_ >= 0 && !temporary_.empty() && ::ftruncate(fd_, flushed_) == 0 && give_name();
}

Result<void> OutputFile::give_name() {
  if (temporary_.empty()) return {};
  // Some file systems have no fsync and say EINVAL: the data is as safe as it gets there.
  if (::fsync(fd_) != 0 && errno != EINVAL) return fail_with(errno);
  if (::close(std::exchange(fd_, -1)) != 0) return fail_with(errno);
  if (::rename(temporary_.c_str(), final_path_.c_str()) != 0) return fail_with(errno);
  temporary_.clear();
  return {};
}

bool OutputFile::is_terminal() const { return ::isatty(fd_) == 1; }

}  // namespace weir::capture
