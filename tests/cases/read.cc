#include "read.hpp"

#include <filesystem>
#include <fstream>

namespace weir::cases {
namespace {

Line split(const std::string& text, std::size_t number) {
  Line line;
  line.number = number;
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return line;
  line.indent = text.substr(0, begin);
  const std::size_t end = text.find(' ', begin);
  line.word = text.substr(begin, end - begin);
  if (end != std::string::npos) line.rest = text.substr(end + 1);
  return line;
}

bool append_hex(std::vector<std::uint8_t>& bytes, const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c == ' ') continue;
    if (std::string_view("0123456789abcdefABCDEF").find(c) == std::string_view::npos) return false;
    digits += c;
  }
  if (digits.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  return true;
}

/// Packets stand before the first case.
bool read_head(File& file, const Line& line, const std::string& path, std::string& packet, std::string& wrong) {
  if (line.word == "include") {
    const auto other = read((std::filesystem::path(path).parent_path() / line.rest).string());
    if (!other) wrong = other.error();
    else file.packets.insert(other->packets.begin(), other->packets.end());
    return other.has_value();
  }
  std::string hex = line.word + " " + line.rest;
  if (line.word == "packet" && line.indent.empty()) {
    const std::size_t space = line.rest.find(' ');
    packet = line.rest.substr(0, space);
    hex = space == std::string::npos ? "" : line.rest.substr(space);
  } else if (line.indent.empty() || packet.empty()) {
    return false;
  }
  return append_hex(file.packets[packet], hex);
}

}  // namespace

std::expected<File, std::string> read(const std::string& path) {
  std::ifstream in(path);
  if (!in) return std::unexpected("cannot read " + path);
  File file;
  std::string text, packet, wrong;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    const Line line = split(text, number);
    const bool blank = line.word.empty() || line.word[0] == '#';
    if (line.word == "filter" && line.indent.empty()) {
      file.cases.push_back({line, {}});
    } else if (!file.cases.empty()) {
      file.cases.back().lines.push_back(line);
    } else {
      file.head.push_back(line);
      if (!blank && !read_head(file, line, path, packet, wrong))
        return std::unexpected(wrong.empty() ? path + ":" + std::to_string(number) + ": not a line of a case file" : wrong);
    }
  }
  return file;
}

std::string to_string(const File& file) {
  std::string text;
  const auto put = [&](const Line& line) { text += line.indent + line.word + (line.rest.empty() ? "" : " " + line.rest) + "\n"; };
  for (const Line& line : file.head) put(line);
  for (const Case& c : file.cases) {
    put(c.filter);
    for (const Line& line : c.lines) put(line);
  }
  return text;
}

}  // namespace weir::cases
