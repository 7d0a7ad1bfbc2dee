#include <fmt/format.h>

#include "resolve/families.hpp"
#include "wire/atm.hpp"

namespace weir::resolve {
namespace {

using ast::AtmKind;
namespace sun = wire::atm;

constexpr const char* names[] = {"lane", "metac", "bcc", "oamf4sc", "oamf4ec", "sc", "ilmic", "oam", "oamf4", "connectmsg", "metaconnect"};

std::optional<Diagnostic> needs_atm(const Site& s, std::string_view word) {
  if (s.layers.layout().atm) return std::nullopt;
  return Diagnostic{Code::LinkType, s.span, fmt::format("'{}' supported only on SUNATM", word),
                    s.layers.lane ? "after 'lane' it is an Ethernet frame that is looked at"
                                     : "the words of ATM are for captures of the link type SUNATM"};
}

ExprId kind_is(const Site& s, std::uint32_t kind) { return masked(s, in_link_header(s, sun::kind, 1), sun::kind_mask, kind); }
ExprId vpi_is(const Site& s, std::uint32_t vpi) { return equals(s, in_link_header(s, sun::vpi, 1), vpi); }
ExprId vci_is(const Site& s, std::uint32_t vci) { return equals(s, in_link_header(s, sun::vci, 2), vci); }

ExprId channel(const Site& s, std::uint32_t vci) { return all(s, {vpi_is(s, 0), vci_is(s, vci)}); }

ExprId oam_f4(const Site& s) { return all(s, {vpi_is(s, 0), any(s, {vci_is(s, sun::oam_segment), vci_is(s, sun::oam_end_to_end)})}); }

ExprId message_is(const Site& s, std::initializer_list<std::uint8_t> types) {
  std::vector<ExprId> tests;
  for (const std::uint8_t type : types) tests.push_back(equals(s, in_link_header(s, sun::packet + sun::message_type, 1), type));
  return any(s, tests);
}

/// What follows is taken for Ethernet, behind the client's number.
void enter_lane(Layers& after) {
  const std::uint32_t frame = after.link_header.constant + sun::packet + sun::lane_header;
  after.link = wire::find_link_type("EN10MB");
  after.link_header = {pred::no_value, frame};
  after.type = {pred::no_value, frame + after.layout().type_offset};
  after.payload = {pred::no_value, frame + after.layout().payload};
  after.network = after.layout().network;
  after.network_no_snap = after.layout().network_no_snap;
  after.lane = true;
}

}  // namespace

ExprId atm_llc(const Site& s) { return kind_is(s, sun::llc); }

/// The pseudo-header of SunATM is always the first one: nothing leads there from elsewhere.
ExprId lane_data(const Site& s) { return no(s, equals(s, field(s, {}, sun::packet, 2), sun::lane_control)); }

Test atm(const Site& s, const ast::Atm& a, Layers& after) {
  after = s.layers;
  if (auto wrong = needs_atm(s, names[static_cast<int>(a.kind)])) return std::unexpected(*wrong);
  switch (a.kind) {
    case AtmKind::Lane: enter_lane(after); return kind_is(s, sun::lane);
    case AtmKind::Metac: return channel(s, sun::meta_signalling);
    case AtmKind::Bcc: return channel(s, sun::broadcast);
    case AtmKind::Oamf4sc: return channel(s, sun::oam_segment);
    case AtmKind::Oamf4ec: return channel(s, sun::oam_end_to_end);
    case AtmKind::Sc: return channel(s, sun::signalling);
    case AtmKind::Ilmic: return channel(s, sun::ilmi);
    case AtmKind::Oam:
    case AtmKind::Oamf4: return oam_f4(s);
    case AtmKind::Connectmsg:
      return all(s, {channel(s, sun::signalling), message_is(s, {sun::release_complete, sun::release, sun::connect_ack, sun::connect,
                                                                 sun::setup, sun::call_proceeding})});
    case AtmKind::Metaconnect:
      return all(s, {channel(s, sun::meta_signalling),
                     message_is(s, {sun::release_complete, sun::release, sun::connect, sun::setup, sun::call_proceeding})});
  }
  return truth(s, false);
}

Test atm_field(const Site& s, const ast::FieldTest& t) {
  const bool is_path = t.field == ast::Field::Vpi;
  if (auto wrong = needs_atm(s, is_path ? "vpi" : "vci")) return std::unexpected(*wrong);
  const Field field{is_path ? "VPI" : "VCI", in_link_header(s, is_path ? sun::vpi : sun::vci, is_path ? 1 : 2), 0xffffffff,
                    is_path ? 0xffu : 0xffffu, [](std::uint32_t v) { return v; }};
  return alternatives(s, field, t);
}

}  // namespace weir::resolve
