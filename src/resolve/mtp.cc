#include <algorithm>

#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/ss7.hpp"

namespace weir::resolve {
namespace {

using ast::Mtp2Kind;
namespace ss7 = wire::ss7;

constexpr const char* kind_names[] = {"fisu", "lssu", "msu", "hfisu", "hlssu", "hmsu"};

std::optional<Diagnostic> needs_ss7(const Site& s, std::string_view word) {
  if (s.layers.layout().mtp2) return std::nullopt;
  return Diagnostic{Code::LinkType, s.span, fmt::format("'{}' supported only on SS7", word),
                    "link types with SS7 are MTP2, MTP2_WITH_PHDR and ERF"};
}

ValueId in_message(const Site& s, std::uint32_t offset, std::uint32_t size) { return field(s, {}, *s.layers.layout().mtp2 + offset, size); }

ValueId under(const Site& s, ValueId v, std::uint32_t mask) { return s.filter.binary(Arith::And, v, s.filter.constant(mask)); }

/// Fill-in, link status or message, by the length.
ExprId kind_of(const Site& s, Mtp2Kind fill_in, Mtp2Kind status, Mtp2Kind kind, ValueId length, std::uint32_t most_of_status) {
  if (kind == fill_in) return equals(s, length, 0);
  if (kind == status) return all(s, {test(s, Relation::Greater, length, 0), at_most(s, length, most_of_status)});
  return test(s, Relation::Greater, length, most_of_status);
}

/// A point code as its two bytes lie in the message; that of the origin begins 14 bits into a word of four.
std::uint32_t swapped_short(std::uint32_t v) { return (v & 0xff) << 8 | v >> 8; }
std::uint32_t destination_bits(std::uint32_t code) { return swapped_short(code); }
std::uint32_t origin_bits(std::uint32_t code) { return __builtin_bswap32(code << 14); }
std::uint32_t selection_bits(std::uint32_t v) { return v << 4; }
std::uint32_t same(std::uint32_t v) { return v; }

/// A field of level 3: what it is called, where, how large, and how its values lie in it.
struct FieldRow {
  ast::Field field;
  const char* name;
  std::uint32_t offset, size, maximum, mask;
  std::uint32_t (*bits)(std::uint32_t);
};
constexpr std::uint32_t shift = ss7::high_speed_shift, no_mask = 0xffffffff;
constexpr std::uint32_t destination_mask = 0xff3f, origin_mask = 0x00c0ff0f, selection_mask = 0xf0;
constexpr FieldRow field_rows[] = {
    {ast::Field::Sio, "sio", ss7::service, 1, ss7::max_service, no_mask, same},
    {ast::Field::Opc, "opc", ss7::point_codes, 4, ss7::max_point_code, origin_mask, origin_bits},
    {ast::Field::Dpc, "dpc", ss7::point_codes, 2, ss7::max_point_code, destination_mask, destination_bits},
    {ast::Field::Sls, "sls", ss7::link_selection, 1, ss7::max_link_selection, selection_mask, selection_bits},
    {ast::Field::Hsio, "hsio", ss7::service + shift, 1, ss7::max_service, no_mask, same},
    {ast::Field::Hopc, "hopc", ss7::point_codes + shift, 4, ss7::max_point_code, origin_mask, origin_bits},
    {ast::Field::Hdpc, "hdpc", ss7::point_codes + shift, 2, ss7::max_point_code, destination_mask, destination_bits},
    {ast::Field::Hsls, "hsls", ss7::link_selection + shift, 1, ss7::max_link_selection, selection_mask, selection_bits},
};

}  // namespace

Test mtp2(const Site& s, const ast::Mtp2& m) {
  if (auto wrong = needs_ss7(s, kind_names[static_cast<int>(m.kind)])) return std::unexpected(*wrong);
  if (m.kind < Mtp2Kind::Hfisu)
    return kind_of(s, Mtp2Kind::Fisu, Mtp2Kind::Lssu, m.kind, under(s, in_message(s, ss7::length, 1), ss7::length_mask),
                   ss7::most_of_status);
  return kind_of(s, Mtp2Kind::Hfisu, Mtp2Kind::Hlssu, m.kind,
                 under(s, in_message(s, ss7::high_speed_length, 2), ss7::high_speed_length_mask), ss7::high_speed_most_of_status);
}

Test mtp3_field(const Site& s, const ast::FieldTest& t) {
  const FieldRow& row = *std::ranges::find(field_rows, t.field, &FieldRow::field);
  if (auto wrong = needs_ss7(s, row.name)) return std::unexpected(*wrong);
  return alternatives(s, {row.name, in_message(s, row.offset, row.size), row.mask, row.maximum, row.bits}, t);
}

}  // namespace weir::resolve
