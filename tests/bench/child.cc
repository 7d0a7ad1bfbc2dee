#include "child.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace weir::bench {
namespace {

/// The most memory that the process has had, in kB (proc(5): VmHWM; a fork inherits getrusage's figure).
std::uint64_t peak_kilobytes() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) return 0;
  std::array<char, 256> line{};
  unsigned long kilobytes = 0;
  while (std::fgets(line.data(), line.size(), status) != nullptr)
    if (std::sscanf(line.data(), "VmHWM: %lu kB", &kilobytes) == 1) break;
  std::fclose(status);
  return kilobytes;
}

void write_all(int to, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(to, at, size);
    if (written <= 0) _exit(1);
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

[[noreturn]] void be_child(const std::function<std::string()>& work, int to) {
  const std::uint64_t memory = peak_kilobytes();
  const std::string text = work();
  const std::uint64_t more = peak_kilobytes() - memory;
  write_all(to, &more, sizeof more);
  write_all(to, text.data(), text.size());
  _exit(0);
}

/// What the child writes until it ends; false when the time is over before.
bool read_all(int from, double most_seconds, std::string& text) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(most_seconds);
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    pollfd ready{from, POLLIN, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) <= 0) return false;
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n <= 0) return n == 0;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

std::optional<ChildResult> in_child(const std::function<std::string()>& work, double most_seconds) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    be_child(work, ends[1]);
  }
  ::close(ends[1]);
  std::string text;
  const bool ended = child > 0 && read_all(ends[0], most_seconds, text);
  ::close(ends[0]);
  if (child <= 0) return std::nullopt;
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  std::uint64_t kilobytes = 0;
  if (!ended || status != 0 || text.size() < sizeof kilobytes) return std::nullopt;
  std::memcpy(&kilobytes, text.data(), sizeof kilobytes);
  return ChildResult{text.substr(sizeof kilobytes), kilobytes};
}

}  // namespace weir::bench
