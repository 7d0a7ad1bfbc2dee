#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "cli/report.hpp"

namespace weir::cli {
namespace {

using namespace std::chrono_literals;
constexpr auto first_after = 1s;
constexpr auto interval = 200ms;
constexpr const char* erase_line = "\r\x1b[K";  // ECMA-48: EL, to the end of the line

/// Columns that a line may take without going on in the next one.
std::size_t width() {
  winsize size = {};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1u : 79u;
}

/// 999, 1.2 k, 34 M: at most three digits.
std::string short_number(double value) {
  constexpr std::array prefixes = {"", "k", "M", "G", "T", "P"};
  std::size_t prefix = 0;
  for (; value >= 999.5 && prefix + 1 < prefixes.size(); ++prefix) value /= 1000;
  return fmt::format("{:.{}f} {}", value, prefix > 0 && value < 9.95 ? 1 : 0, prefixes[prefix]);
}

std::string how_much(const Progress& now) {
  const auto done = short_number(static_cast<double>(now.bytes));
  if (!now.all_bytes || *now.all_bytes == 0) return done + "B";
  const auto part = std::min(100.0, 100.0 * static_cast<double>(now.bytes) / static_cast<double>(*now.all_bytes));
  return fmt::format("{:.0f}% of {}B", part, short_number(static_cast<double>(*now.all_bytes)));
}

}  // namespace

ProgressLine::ProgressLine(bool wanted)
    : wanted_(wanted && ::isatty(STDERR_FILENO) == 1), start_(Clock::now()), next_(start_ + first_after) {}

ProgressLine::~ProgressLine() {
  if (shown_) put_on_standard_error(erase_line);
}

bool ProgressLine::is_time() { return Clock::now() >= next_; }

void ProgressLine::show(const Progress& now) {
  const auto time = Clock::now();
  const std::chrono::duration<double> seconds = time - start_;
  auto line = fmt::format("{}, {} packets read, {} kept, {}packets/s", how_much(now), now.packets, now.kept,
                          short_number(static_cast<double>(now.packets) / seconds.count()));
  line.resize(std::min(line.size(), width()));
  put_on_standard_error(erase_line + line);
  shown_ = true;
  next_ = time + interval;
}

}  // namespace weir::cli
