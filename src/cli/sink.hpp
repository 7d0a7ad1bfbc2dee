// Where packets that match go.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/output_file.hpp"
#include "capture/savefile.hpp"
#include "cli/verdicts.hpp"

namespace weir::cli {

/// A savefile, or an error where that would be a terminal, which takes some of the bytes as commands.
Result<capture::Writer> open_savefile(const std::string& path, const capture::Format& format);

/// Into a savefile, out as lines, or nowhere when they are only counted.
class Sink {
 public:
  /// `output`: the savefile ("-": standard output, which must be no terminal); without one, lines to standard output if
  /// they are wanted.
  static Result<Sink> open(const std::optional<std::string>& output, bool lines, const capture::Format& format);

  /// A record of the sink's format.
  Result<void> put(const capture::Record& record);
  /// Of the reader's last batch those that are kept, as the sink's format has them.
  Result<void> put(const capture::Reader& from, const Verdicts& verdicts);
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
  bool takes_as_stored(const capture::Format& from) const;

  capture::Format format_;
  std::optional<capture::Writer> packets_;
  std::optional<capture::OutputFile> lines_;
  std::vector<std::span<const std::uint8_t>> pieces_;  // kept for its memory
};

}  // namespace weir::cli
