#include <charconv>

#include <fmt/format.h>

#include "base/quotable.hpp"
#include "resolve/families.hpp"
#include "wire/protocol.hpp"

namespace weir::resolve {
namespace {

using ast::Direction;

/// "area.node": 6 and 10 bits (DECnet Phase IV Routing Layer, §3.1).
std::optional<std::uint16_t> address_of(const std::string& text) {
  std::uint32_t area = 0, node = 0;
  const char* const end = text.data() + text.size();
  const auto [dot, bad_area] = std::from_chars(text.data(), end, area);
  if (bad_area != std::errc{} || dot == end || *dot != '.' || area > 63) return std::nullopt;
  const auto [stop, bad_node] = std::from_chars(dot + 1, end, node);
  if (bad_node != std::errc{} || stop != end || node > 1023) return std::nullopt;
  return static_cast<std::uint16_t>(area << 10 | node);
}

/// The routing header starts after the 2-byte length, or after one byte of padding (0x81) more; its flags byte tells
/// the long form (6) from the short one (2). Addresses are little-endian.
struct Header { std::uint32_t padding, form, offset; };

ExprId in_header(const Site& s, Header h, std::uint16_t wire_address) {
  const ExprId form = h.padding ? masked(s, in_network(s, 2, 2), 0xff07, 0x8100 | h.form)
                                : masked(s, in_network(s, 2, 1), 0x07, h.form);
  return all(s, {form, equals(s, in_network(s, 2 + h.padding + h.offset, 2), wire_address)});
}

/// A destination in a short header lies so near to the flags that one word holds both.
ExprId short_destination(const Site& s, bool padded, std::uint32_t wire_address) {
  const ValueId word = in_network(s, 2, 4);
  return padded ? masked(s, word, 0xff07ffff, 0x81020000 | wire_address)
                : masked(s, word, 0x07ffff00, 0x02000000 | wire_address << 8);
}

ExprId in_one_direction(const Site& s, bool destination, std::uint16_t address) {
  const auto wire_address = static_cast<std::uint16_t>(address << 8 | address >> 8);
  const std::uint32_t long_offset = destination ? 7 : 15, short_offset = destination ? 1 : 3;
  const ExprId short_plain = destination ? short_destination(s, false, wire_address) : in_header(s, {0, 2, short_offset}, wire_address);
  const ExprId short_padded = destination ? short_destination(s, true, wire_address) : in_header(s, {1, 2, short_offset}, wire_address);
  return any(s, {short_plain, short_padded, in_header(s, {0, 6, long_offset}, wire_address),
                 in_header(s, {1, 6, long_offset}, wire_address)});
}

ExprId in_directions(const Site& s, Direction d, std::uint16_t address) {
  if (d == Direction::Src || d == Direction::Dst) return in_one_direction(s, d == Direction::Dst, address);
  const ExprId source = in_one_direction(s, false, address), destination = in_one_direction(s, true, address);
  return d == Direction::SrcAndDst ? all(s, {source, destination}) : any(s, {source, destination});
}

}  // namespace

Test decnet_host(const Site& s, const ast::Qualifiers& q, const ast::Id& id) {
  if (auto wrong = no_wlan_direction(q)) return std::unexpected(*wrong);
  if (q.type != ast::Type::None && q.type != ast::Type::Host) return invalid_qualifier(s.span, "decnet", keyword(q.type));
  const auto address = id.kind == ast::IdKind::Ipv4 ? address_of(id.text) : std::nullopt;
  if (!address)
    return fail(Code::Address, id.span,
                fmt::format("invalid DECnet address '{}'", id.kind == ast::IdKind::Number ? std::to_string(id.value) : quotable(id.text)),
                "write AREA.NODE, area up to 63 and node up to 1023, as in 'decnet host 50.764'");
  WEIR_TRY(decnet, link_protocol(s, wire::ethertype::Decnet));
  return all(s, {decnet, in_directions(s, q.direction, *address)});
}

}  // namespace weir::resolve
