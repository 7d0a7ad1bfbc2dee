// Savefiles that are read one behind the other.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "capture/savefile.hpp"

namespace weir::cli {

class Inputs {
 public:
  /// Looks at each: nothing is done with the first when something is wrong with the last. "-" is standard input. An error names
  /// the file that cannot be read, or two that do not go together: one file holds packets of one link type.
  static Result<Inputs> open(std::vector<std::string> paths);

  std::size_t size() const { return inputs_.size(); }
  /// For messages: the path, or "standard input".
  std::string name(std::size_t i) const;
  const capture::Format& format(std::size_t i) const { return inputs_[i].format; }
  /// The one for packets of all: the finest stamps, the largest snapshot length, the byte order of the first.
  const capture::Format& common_format() const { return common_; }

  /// Each can be had once. An error when it has become another file meanwhile.
  Result<capture::Reader> reader(std::size_t i);
  /// Bytes of all; nothing when it is not known of each.
  std::optional<std::uint64_t> bytes() const;

 private:
  struct Input {
    std::string path;
    capture::Format format;
    std::optional<std::uint64_t> bytes;
    std::optional<capture::Reader> reader;  ///< where it cannot be opened again
  };

  Result<void> look_at(std::string path, bool keep_open);

  std::vector<Input> inputs_;
  capture::Format common_;
};

/// The paths in a file ("-": standard input), each on a line.
Result<std::vector<std::string>> read_paths(const std::string& file);

}  // namespace weir::cli
