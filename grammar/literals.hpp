// Values of the words whose shape the lexer has recognised. A word that has the shape and yet means nothing
// (too large, wrong digit, too many groups) is refused here. Tested by tests/unit/grammar/lexer_test.cc.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/span.hpp"

namespace weir::grammar {

/// `80`, `0x50`, `0120` (a leading zero means octal).
std::uint32_t number(std::string_view text, Span at);

/// Refuses what looks like an IPv6 address but is none (`1::256.0.0.1`).
void check_ipv6(std::string_view text, Span at);

/// A row of bytes and colons that is no address of any kind (`1:2:3:`).
[[noreturn]] void refuse_mac(std::string_view text, Span at);

}  // namespace weir::grammar
