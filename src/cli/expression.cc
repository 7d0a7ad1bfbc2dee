#include "cli/expression.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace weir::cli {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<std::string> read_all(const std::string& path) {
  std::unique_ptr<std::FILE, Close> file(path == "-" ? stdin : std::fopen(path.c_str(), "re"));
  std::string text;
  std::array<char, 65536> part;
  while (file) {
    const auto got = std::fread(part.data(), 1, part.size(), file.get());
    text.append(part.data(), got);
    if (got < part.size()) break;
  }
  if (file && !std::ferror(file.get())) return text;
  return fail(Code::System, {},
              fmt::format("cannot read {}: {}", path == "-" ? "standard input" : path, std::strerror(errno)));
}

}  // namespace

Result<std::string> text_of(const Expression& expression) {
  if (expression.file) return read_all(*expression.file);
  return fmt::format("{}", fmt::join(expression.words, " "));
}

}  // namespace weir::cli
