// The header of pf's log (OpenBSD's net/if_pflog.h): offsets in bytes, numbers in network order. Tested by
// tests/unit/wire/pf_test.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::wire::pf {

inline constexpr std::uint32_t action = 2, reason = 3, interface = 4, ruleset = 20, rule = 36, subrule = 40;
/// Bytes of the two names, of which the last is zero.
inline constexpr std::uint32_t name_size = 16;

std::optional<std::uint32_t> reason_code(std::string_view word);
std::optional<std::uint32_t> action_code(std::string_view word);
/// All words, for messages: "match, bad-offset, …".
std::string reason_words();
std::string action_words();

}  // namespace weir::wire::pf
