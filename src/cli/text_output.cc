#include "cli/text_output.hpp"

#include "capture/output_file.hpp"

namespace weir::cli {

Status write_text(const std::string& path, std::string_view text) {
  auto out = capture::OutputFile::create(path);
  if (!out) return report(out.error());
  if (auto written = out->write(text); !written) return report(written.error());
  if (auto written = out->commit(); !written) return report(written.error());
  return Done;
}

}  // namespace weir::cli
