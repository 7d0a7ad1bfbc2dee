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

/// The longest lists that were ever meant have some megabytes; /dev/zero has no end.
constexpr std::size_t most_bytes = 64 << 20;

std::unique_ptr<std::FILE, Close> open(const std::string& path) {
  return std::unique_ptr<std::FILE, Close>(path == "-" ? stdin : std::fopen(path.c_str(), "re"));
}

Result<std::string> read_all(const std::string& path, const std::string& name) {
  const auto file = open(path);
  std::string text;
  std::array<char, 65536> part;
  while (file && text.size() <= most_bytes) {
    const auto got = std::fread(part.data(), 1, part.size(), file.get());
    text.append(part.data(), got);
    if (got < part.size()) break;
  }
  if (text.size() > most_bytes) {
    return fail(Code::Input, {}, fmt::format("{} has more than {} MiB: too much for an expression", name, most_bytes >> 20));
  }
  if (file && !std::ferror(file.get())) return text;
  return fail(Code::System, {}, fmt::format("cannot read {}: {}", name, std::strerror(errno)));
}

}  // namespace

Result<FilterText> text_of(const Expression& expression) {
  if (!expression.file) return FilterText{fmt::format("{}", fmt::join(expression.words, " ")), ""};
  const auto name = *expression.file == "-" ? "standard input" : *expression.file;
  auto text = read_all(*expression.file, name);
  if (!text) return std::unexpected(text.error());
  return FilterText{std::move(*text), name};
}

}  // namespace weir::cli
