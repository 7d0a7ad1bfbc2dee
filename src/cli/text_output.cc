#include "cli/text_output.hpp"

#include "capture/output_file.hpp"

namespace weir::cli {
namespace {

Status write_whole(Result<capture::OutputFile> out, std::string_view bytes) {
  if (!out) return report(out.error());
  if (auto written = out->write(bytes); !written) return report(written.error());
  if (auto written = out->commit(); !written) return report(written.error());
  return Done;
}

}  // namespace

Status write_text(const std::string& path, std::string_view text) { return write_whole(capture::OutputFile::create(path), text); }

Status write_object(const std::string& path, std::string_view bytes) {
  auto out = capture::OutputFile::create(path);
  if (out && out->is_terminal()) return report({Code::System, {}, "objects are not written to a terminal", "-o FILE writes them to a file"});
  return write_whole(std::move(out), bytes);
}

}  // namespace weir::cli
