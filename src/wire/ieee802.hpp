// Names of 802.11 frames and of 802.2 LLC frames, and the bits they stand for. Rows in wlan.def and llc.def; names
// compare without regard to case. Tested by tests/unit/wire/ieee802_test.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::wire {

/// Where type and subtype are in the first byte of 802.11's frame control field, and the direction in the second.
inline constexpr std::uint8_t wlan_type_mask = 0x0c;
inline constexpr std::uint8_t wlan_subtype_mask = 0xf0;
inline constexpr std::uint8_t wlan_direction_mask = 0x03;

/// Frame types as they stand under wlan_type_mask.
inline constexpr std::uint8_t wlan_management = 0x00;
inline constexpr std::uint8_t wlan_control = 0x04;
inline constexpr std::uint8_t wlan_data = 0x08;

/// `type NAME`: under wlan_type_mask.
std::optional<std::uint8_t> wlan_type(std::string_view name);
/// `type T subtype NAME`, T as wlan_type gives it: under wlan_subtype_mask. Nothing for a type without names either.
std::optional<std::uint8_t> wlan_subtype(std::uint8_t type, std::string_view name);
/// `subtype NAME` alone: type and subtype, the name looked up in management, control and data frames in this order.
std::optional<std::uint8_t> wlan_any_subtype(std::string_view name);
/// `dir NAME`: under wlan_direction_mask.
std::optional<std::uint8_t> wlan_direction(std::string_view name);

/// A frame is of this kind when the first byte of its LLC control field is `value` under `mask`.
struct LlcKind {
  std::uint8_t value = 0;
  std::uint8_t mask = 0;

  bool operator==(const LlcKind&) const = default;
};

/// `llc NAME`: the formats i, s, u and the kinds of S and U frames (`llc rnr`, `llc sabme` …).
std::optional<LlcKind> llc_kind(std::string_view name);

}  // namespace weir::wire
