// The words of assembly text: names, numbers, marks; what `#define` says of names is put in their place. Used by read_assembly.cc.
#pragma once
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/span.hpp"

namespace weir::cbpf::assembly {

struct Token {
  enum class Kind : std::uint8_t { End, Word, Number, Mark, Broken } kind = Kind::End;
  std::string_view text;    ///< of a mark: one character
  std::uint32_t value = 0;  ///< of a number
  Span span;

  bool is(char mark) const { return kind == Kind::Mark && text[0] == mark; }
};

inline constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr bool is_digit(char c) { return '0' <= c && c <= '9'; }
constexpr bool starts_word(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_'; }
constexpr bool is_in_word(char c) { return starts_word(c) || is_digit(c); }
constexpr char lower(char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = lower(c);
  return result;
}

/// As C writes numbers, with a sign if need be, that fit into 32 bits with or without it; `0b` is binary.
inline std::optional<std::uint32_t> number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  const std::string start = lower(text.substr(0, 2));
  if (start == "0x") base = 16;
  else if (start == "0b") base = 2;
  else if (text.size() > 1 && text[0] == '0') base = 8;
  text.remove_prefix(base == 16 || base == 2 ? 2 : 0);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value > (negative ? 0x80000000u : 0xffffffffu)) return std::nullopt;
  return static_cast<std::uint32_t>(negative ? 0 - value : value);
}

/// The words of the text, one after the other; comments are none, and neither are the preprocessor's lines.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token next() {
    skip();
    const std::size_t begin = at_;
    if (at_ == text_.size()) return token(Token::Kind::End, begin);
    const char c = text_[at_];
    const bool has_sign = (c == '-' || c == '+') && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
    if (starts_word(c) || is_digit(c) || has_sign) {
      for (++at_; at_ < text_.size() && is_in_word(text_[at_]);) ++at_;
      Token t = token(starts_word(c) ? Token::Kind::Word : Token::Kind::Number, begin);
      if (t.kind == Token::Kind::Number) read(t);
      return t;
    }
    ++at_;
    return token(std::string_view(":,[]()+*&#%").contains(c) ? Token::Kind::Mark : Token::Kind::Broken, begin);
  }

  /// Numbers with names.
  const std::map<std::string, std::uint32_t, std::less<>>& defined() const { return defined_; }

 private:
  Token token(Token::Kind kind, std::size_t begin) const {
    return {kind, text_.substr(begin, at_ - begin), 0, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)}};
  }

  static void read(Token& t) {
    const auto value = number(t.text);
    if (value) t.value = *value;
    else t.kind = Token::Kind::Broken;
  }

  void skip() {
    for (;;) {
      const std::size_t from = at_;
      at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size());
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with(';') || rest.starts_with("//")) skip_line();
      else if (rest.starts_with("/*")) at_ = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
      else if (rest.starts_with('#') && is_first_of_line()) skip_directive();
      if (at_ == from) return;
    }
  }

  bool is_first_of_line() const {
    const std::size_t before = at_ == 0 ? std::string_view::npos : text_.find_last_not_of(" \t", at_ - 1);
    return before == std::string_view::npos || text_[before] == '\n';
  }

  void skip_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }

  /// `#define NAME NUMBER` is kept; `# 1 "file"` and the like mean nothing.
  void skip_directive() {
    const std::size_t begin = at_;
    skip_line();
    std::string_view line = text_.substr(begin + 1, at_ - begin - 1);
    const auto word = [&] {
      line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
      const std::string_view found = line.substr(0, line.find_first_of(blanks));
      line.remove_prefix(found.size());
      return found;
    };
    if (word() != "define") return;
    const std::string_view name = word();
    if (const auto value = number(word())) defined_.insert_or_assign(std::string(name), *value);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::map<std::string, std::uint32_t, std::less<>> defined_;
};

}  // namespace weir::cbpf::assembly
