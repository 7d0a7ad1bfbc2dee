// Where packets that match go.
#pragma once
#include <optional>
#include <string>

#include "capture/output_file.hpp"
#include "capture/savefile.hpp"

namespace weir::cli {

/// Into a savefile, out as lines, or nowhere when they are only counted.
class Sink {
 public:
  /// `output`: the savefile ("-": standard output, which must be no terminal); without one, lines to standard output if
  /// they are wanted.
  static Result<Sink> open(const std::optional<std::string>& output, bool lines, const capture::Format& format);

  Result<void> put(const capture::Record& record);
  /// Before a wait for more packets, so that readers are not kept waiting too. A failure comes back at the next put() or
  /// finish().
  void flush();
  Result<void> finish();
  /// After a failure: keeps what the savefile has whole; its name where that worked.
  std::optional<std::string> salvage();
  /// What the savefile is called before finish(), OutputFile::temporary().
  std::string temporary() const { return packets_ ? packets_->temporary() : ""; }
  /// Whether lines appear on a terminal.
  bool shows_lines() const { return lines_ && lines_->is_terminal(); }

 private:
  explicit Sink(const capture::Format& format) : format_(format) {}

  capture::Format format_;
  std::optional<capture::Writer> packets_;
  std::optional<capture::OutputFile> lines_;
};

}  // namespace weir::cli
