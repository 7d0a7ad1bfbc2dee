#include "grammar/literals.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "grammar/refusal.hpp"

namespace weir::grammar {
namespace {

struct Notation {
  const char* name;
  std::uint32_t base;
  std::string_view digits;
};

Notation notation(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return {"hexadecimal", 16, text.substr(2)};
  if (text.starts_with('0')) return {"octal", 8, text.substr(1)};
  return {"decimal", 10, text};
}

/// Of a character that the lexer has found to be a hexadecimal digit.
std::uint32_t digit(char c) {
  if (c <= '9') return static_cast<std::uint32_t>(c - '0');
  return static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
}

}  // namespace

std::uint32_t number(std::string_view text, Span at) {
  const Notation how = notation(text);
  std::uint64_t value = 0;
  // Digit by digit, so that of two faults the one further left is named.
  for (const char c : how.digits) {
    if (digit(c) >= how.base)
      refuse(Code::Number, at, fmt::format("number {} contains non-octal digit", quotable(text)),
             "a number that begins with 0 is octal; leave the 0 out for a decimal one");
    value = value * how.base + digit(c);
    if (value > 0xffffffff)
      refuse(Code::Number, at, fmt::format("{} number {} overflows 32 bits", how.name, quotable(text)));
  }
  return static_cast<std::uint32_t>(value);
}

void check_ipv6(std::string_view text, Span at) {
  in6_addr address;
  if (inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1) return;
  refuse(Code::Address, at, fmt::format("invalid IPv6 address {}", quotable(text)));
}

void refuse_mac(std::string_view text, Span at) {
  const bool meant_ipv6 = text.find("::") != text.npos || std::ranges::count(text, ':') > 5;
  refuse(Code::Address, at, fmt::format("bogus Ethernet address {}", quotable(text)),
         meant_ipv6 ? "an IPv6 address has eight groups of up to four hexadecimal digits, fewer around one '::'"
                    : "a MAC address has six groups of hexadecimal digits: 00:11:22:33:44:55");
}

}  // namespace weir::grammar
