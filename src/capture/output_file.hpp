// A file that appears under its name only when it is complete.
#pragma once
#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace weir::capture {

/// Output to a path, or to standard output ("-", "/dev/stdout"). A regular file is written beside its name and takes
/// the name in commit(): who reads it sees the old content or all of the new. Pipes and devices are written directly.
/// Tested by tests/unit/capture/output_file_test.cc.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  /// Without a commit() nothing is left of a regular file.
  ~OutputFile();

  /// Buffered. After a failure all further calls give the same error.
  Result<void> write(std::string_view bytes);
  /// Pieces that belong behind each other. When they are large they go out at once, without being copied.
  Result<void> write(std::span<const std::span<const std::uint8_t>> pieces);
  Result<void> flush();
  /// Puts everything on its medium and under its final name.
  Result<void> commit();

  /// After a failure, instead of commit(): gives a regular file its name all the same, with what went out in whole flushes,
  /// so what was given in one write() is in it whole or not at all. Whether there is such a file now.
  bool salvage();

  /// Whether a path means standard output.
  static bool is_standard_output(const std::string& path);
  /// What the file is called until commit(); empty: what is written goes to its place directly.
  const std::string& temporary() const { return temporary_; }
  /// For messages: the path, or "standard output".
  const std::string& name() const { return name_; }
  /// Whether somebody looks at the output as it comes.
  bool is_terminal() const;

 private:
  OutputFile(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Result<void> fail_with(int error);
  Result<void> put_out();
  Result<void> give_name();

  int fd_ = -1;
  bool owns_fd_ = true;
  off_t flushed_ = 0;        // bytes that flushes have put into the file
  int error_ = 0;            // errno of the first failure
  std::string name_;
  std::string buffer_;
  std::vector<iovec> pieces_;  // what goes out; kept for its memory
  std::string final_path_;   // empty: written directly
  std::string temporary_;    // as long as it exists
};

}  // namespace weir::capture
