// Words of the kernel's notation, one after the other. Used by read.cc.
#pragma once
#include <cctype>
#include <cstdint>
#include <string_view>

#include "base/span.hpp"

namespace weir::ebpf {

struct Token {
  enum class Kind : std::uint8_t { End, Word, Number, Sign };
  Kind kind = Kind::End;
  std::string_view text;
  Span span;
};

/// Splits one line; `offset` is where the line begins in the whole text.
class Tokens {
 public:
  Tokens(std::string_view line, std::uint32_t offset) : line_(line), offset_(offset) { advance(); }

  const Token& peek() const { return token_; }
  bool at_end() const { return token_.kind == Token::Kind::End; }
  Token take() {
    const Token taken = token_;
    advance();
    return taken;
  }
  bool accept(std::string_view text) {
    if (token_.text != text || at_end()) return false;
    advance();
    return true;
  }

 private:
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }

  std::size_t sign_length(std::string_view rest) const {
    static constexpr std::string_view signs[] = {"s>>=", "<<=", ">>=", "s>=", "s<=", "s/=", "s%=", "s>", "s<", "+=", "-=", "*=",
                                                 "/=",   "|=",  "&=",  "%=",  "^=",  "==",  "!=",  ">=", "<="};
    for (const std::string_view sign : signs)
      if (rest.starts_with(sign)) return sign.size();
    return 0;
  }

  void advance() {
    while (at_ < line_.size() && std::isspace(static_cast<unsigned char>(line_[at_]))) ++at_;
    const std::string_view rest = line_.substr(at_);
    std::size_t length = sign_length(rest);
    Token::Kind kind = rest.empty() ? Token::Kind::End : Token::Kind::Sign;
    if (length == 0 && !rest.empty()) {
      while (length < rest.size() && is_word(rest[length])) ++length;
      if (length > 0) kind = std::isdigit(static_cast<unsigned char>(rest[0])) ? Token::Kind::Number : Token::Kind::Word;
      else length = 1;
    }
    const auto begin = static_cast<std::uint32_t>(offset_ + at_);
    token_ = {kind, rest.substr(0, length), {begin, static_cast<std::uint32_t>(begin + length)}};
    at_ += length;
  }

  std::string_view line_;
  std::uint32_t offset_;
  std::size_t at_ = 0;
  Token token_;
};

}  // namespace weir::ebpf
