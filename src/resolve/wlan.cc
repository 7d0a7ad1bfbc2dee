#include <array>

#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/ieee802.hpp"

namespace weir::resolve {
namespace {

using ast::Direction;

// Frame control, IEEE 802.11-2020 §9.2.4.1: in its first byte the two bits of the type (data: 8, control: 4) and above them the
// subtype; in its second byte who forwards.
constexpr std::uint32_t data_bit = 0x08, control_bit = 0x04, to_ds = 0x01, from_ds = 0x02;
constexpr std::uint32_t cts_subtype = 0xc0, ack_subtype = 0xd0;
// Offsets of the four addresses.
constexpr std::uint32_t addr1 = 4, addr2 = 10, addr3 = 16, addr4 = 24;

ValueId frame_type(const Site& s) { return in_link_header(s, 0, 1); }

ExprId type_bit(const Site& s, std::uint32_t bit) { return any_bit(s, frame_type(s), bit); }
ExprId ds_bit(const Site& s, std::uint32_t bit) { return any_bit(s, in_link_header(s, 1, 1), bit); }
ExprId has_type(const Site& s, std::uint32_t type) { return masked(s, frame_type(s), wire::wlan_type_mask, type); }
ExprId has_subtype(const Site& s, std::uint32_t subtype) { return masked(s, frame_type(s), wire::wlan_subtype_mask, subtype); }

/// By a bit of the frame: one test or the other. The bit is asked again, as libpcap does; the optimizer sees to it.
template <class Bit>
ExprId by(const Site& s, Bit bit, ExprId when_clear, ExprId when_set) {
  const ExprId clear = all(s, {no(s, bit()), when_clear});
  return any(s, {clear, all(s, {bit(), when_set})});
}

/// Data and management frames only (control frames have neither source nor destination): `in_data` in data frames.
ExprId not_control(const Site& s, ExprId in_management, ExprId in_data) {
  const ExprId tests = by(s, [&] { return type_bit(s, data_bit); }, in_management, in_data);
  return all(s, {no(s, type_bit(s, control_bit)), tests});
}

/// The destination is the first address, in data frames to the distribution system the third.
template <class TestAt>
ExprId destination(const Site& s, TestAt test) {
  const ExprId in_data = by(s, [&] { return ds_bit(s, to_ds); }, test(addr1), test(addr3));
  return not_control(s, test(addr1), in_data);
}

/// The source is the second address, in data frames from the distribution system the third, or the fourth between two.
template <class TestAt>
ExprId source(const Site& s, TestAt test) {
  const ExprId forwarded = by(s, [&] { return ds_bit(s, to_ds); }, test(addr3), test(addr4));
  const ExprId in_data = by(s, [&] { return ds_bit(s, from_ds); }, test(addr2), forwarded);
  return not_control(s, test(addr2), in_data);
}

/// CTS and ACK are the control frames without a second address.
ExprId has_second_address(const Site& s) {
  const ExprId other = all(s, {no(s, has_subtype(s, cts_subtype)), no(s, has_subtype(s, ack_subtype))});
  return any(s, {no(s, has_type(s, wire::wlan_control)), other});
}

std::unexpected<Diagnostic> unknown_word(const ast::WordOrNumber& w, std::string_view what, std::string hint) {
  return fail(Code::Name, w.span, fmt::format("unknown 802.11 {} \"{}\"", what, w.word), std::move(hint));
}

Result<std::uint8_t> number_within(const ast::WordOrNumber& w, std::uint8_t mask, std::string_view what) {
  if (*w.number & ~std::uint32_t{mask})
    return fail(Code::Range, w.span, fmt::format("invalid 802.11 {} value {:#04x}", what, *w.number),
                fmt::format("only the bits of {:#04x} may be set", mask));
  return static_cast<std::uint8_t>(*w.number);
}

Result<std::uint8_t> type_of(const ast::WordOrNumber& w) {
  if (w.number) return number_within(w, wire::wlan_type_mask, "type");
  if (const auto type = wire::wlan_type(w.word)) return *type;
  const bool is_subtype = wire::wlan_any_subtype(w.word).has_value();
  return unknown_word(w, "type name", is_subtype ? fmt::format("it is a subtype: 'subtype {}'", w.word) : "types are mgt, ctl and data");
}

Result<std::uint8_t> subtype_of(const ast::WordOrNumber& w, std::uint8_t type) {
  if (w.number) return number_within(w, wire::wlan_subtype_mask, "subtype");
  if (const auto subtype = wire::wlan_subtype(type, w.word)) return *subtype;
  if (type == wire::wlan_type_mask) return fail(Code::Name, w.span, "unknown 802.11 type");
  return unknown_word(w, "subtype name", "weir-filter(7) lists the subtypes of each type");
}

/// The bits of the frame control field to compare, and under which mask.
struct Bits { std::uint8_t value, mask; };

Result<Bits> bits_of(const ast::WlanType& t) {
  constexpr std::uint8_t both = wire::wlan_type_mask | wire::wlan_subtype_mask;
  if (!t.type) {
    if (const auto any = wire::wlan_any_subtype(t.subtype->word)) return Bits{*any, both};
    return unknown_word(*t.subtype, "type name", "weir-filter(7) lists the subtypes of each type");
  }
  WEIR_TRY(type, type_of(*t.type));
  if (!t.subtype) return Bits{type, wire::wlan_type_mask};
  WEIR_TRY(subtype, subtype_of(*t.subtype, type));
  return Bits{static_cast<std::uint8_t>(type | subtype), both};
}

bool is_wlan(const Site& s) { return s.layers.layout().addresses == wire::Addresses::Wlan; }

}  // namespace

ExprId wlan_data_frame(const Site& s) { return has_type(s, wire::wlan_data); }

Test wlan_host(const Site& s, Direction direction, const names::Mac& mac) {
  const auto at = [&](std::uint32_t offset) { return bytes_equal(s, s.layers.link_header, offset, mac); };
  switch (direction) {
    case Direction::Src: return source(s, at);
    case Direction::Dst: return destination(s, at);
    case Direction::SrcAndDst: {
      const ExprId from = source(s, at);
      return all(s, {from, destination(s, at)});
    }
    case Direction::None:
    case Direction::SrcOrDst: {
      const ExprId from = source(s, at);
      return any(s, {from, destination(s, at)});
    }
    case Direction::Addr1: return at(addr1);
    case Direction::Addr2: return all(s, {has_second_address(s), at(addr2)});
    case Direction::Addr3: return all(s, {no(s, has_type(s, wire::wlan_control)), at(addr3)});
    case Direction::Addr4:
      return all(s, {masked(s, in_link_header(s, 1, 1), wire::wlan_direction_mask, to_ds | from_ds), at(addr4)});
    case Direction::Ra: return all(s, {type_bit(s, data_bit), at(addr1)});
    case Direction::Ta: return all(s, {type_bit(s, data_bit), has_second_address(s), at(addr2)});
  }
  return not_on_link_type(s, "link host XX:XX:XX:XX:XX:XX");
}

ExprId wlan_multicast(const Site& s) {
  return destination(s, [&](std::uint32_t offset) { return any_bit(s, in_link_header(s, offset, 1), 1); });
}

namespace {

std::unexpected<Diagnostic> not_on_this_link_type(const Site& s, std::string_view words, std::string_view more) {
  auto error = not_on_link_type(s, words);
  error.error().hint = fmt::format("802.11 link-layer types and directions are found on 802.11 only, such as IEEE802_11_RADIO{}", more);
  return error;
}

}  // namespace

Test wlan_type(const Site& s, const ast::WlanType& t) {
  auto bits = bits_of(t);
  if (!is_wlan(s)) {
    auto elsewhere =
        not_on_this_link_type(s, "type/subtype", "; a type of ICMP is 'icmp[icmptype] = 8', one of ICMPv6 'icmp6[icmp6type] = 135', one of Ethernet 'ether proto 0x800'");
    if (bits) return elsewhere;
    bits.error().hint = elsewhere.error().hint;  // names of types would not help here
  }
  if (!bits) return std::unexpected(bits.error());
  return masked(s, frame_type(s), bits->mask, bits->value);
}

Test wlan_direction(const Site& s, const ast::WlanDirection& d) {
  const auto direction = d.value.number ? std::optional(*d.value.number)
                         : wire::wlan_direction(d.value.word) ? std::optional(std::uint32_t{*wire::wlan_direction(d.value.word)})
                                                              : std::nullopt;
  if (!direction) return unknown_word(d.value, "direction", "directions are nods, tods, fromds and dstods");
  if (!is_wlan(s)) return not_on_this_link_type(s, "dir", "; 'src' and 'dst' say the direction of an address");
  if (*direction > wire::wlan_direction_mask) return out_of_range(d.value.span, "802.11 direction", *direction, wire::wlan_direction_mask);
  return masked(s, in_link_header(s, 1, 1), wire::wlan_direction_mask, *direction);
}

}  // namespace weir::resolve
