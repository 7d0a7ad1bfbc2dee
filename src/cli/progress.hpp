// How far a long work is, on a terminal.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace weir::cli {

/// What has been done.
struct Progress {
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> all_bytes;  ///< where it is known
  std::uint64_t packets = 0;
  std::uint64_t kept = 0;
};

/// One line on standard error, from a second on, rewritten a few times a second, gone at the end. It never is where
/// standard error is no terminal. Tested by tests/cli/terminal_test.py.
class ProgressLine {
 public:
  /// `wanted`: false where the terminal shows other lines.
  explicit ProgressLine(bool wanted);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// Cheap when it is not yet time for a new line.
  template <class Measure>
  void update(Measure measure) {
    if (wanted_ && is_time()) show(measure());
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool is_time();
  void show(const Progress& now);

  bool wanted_;
  bool shown_ = false;
  Clock::time_point start_;
  Clock::time_point next_;
};

}  // namespace weir::cli
