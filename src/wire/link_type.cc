#include "wire/link_type.hpp"

#include <algorithm>
#include <array>

#include "wire/ascii.hpp"

namespace weir::wire {
namespace {

struct NamedLayout {
  std::string_view name;
  Layout layout;
};

constexpr KernelField sll_fields[] = {{0, 2, Meta::PacketType}, {14, 2, Meta::Protocol}};
constexpr KernelField sll2_fields[] = {{0, 2, Meta::Protocol}, {4, 4, Meta::InterfaceIndex}, {10, 1, Meta::PacketType}};

constexpr NamedLayout layouts[] = {
#define WEIR_LAYOUT(name, ...) {#name, Layout{__VA_ARGS__}},
#include "wire/layouts.def"
#undef WEIR_LAYOUT
};

constexpr Layout layout_of(std::string_view name) {
  for (const NamedLayout& row : layouts)
    if (row.name == name) return row.layout;
  return {.type_offset = unset, .payload = unset, .network = unset, .network_no_snap = unset};
}

constexpr bool is_link_type(std::string_view name) {
#define WEIR_LINK_TYPE(number, row, description) if (name == #row) return true;
#include "wire/link_types.def"
#undef WEIR_LINK_TYPE
  return false;
}

constexpr auto sorted_by_name() {
  std::array rows = {
#define WEIR_LINK_TYPE(number, name, description) LinkType{number, #name, description, layout_of(#name)},
#include "wire/link_types.def"
#undef WEIR_LINK_TYPE
  };
  std::ranges::sort(rows, {}, &LinkType::name);
  return rows;
}

constexpr auto rows = sorted_by_name();

static_assert(std::ranges::adjacent_find(rows, {}, &LinkType::name) == rows.end(), "a name stands twice");
static_assert(std::ranges::all_of(layouts, [](const NamedLayout& row) { return is_link_type(row.name); }),
              "a layout without a link type of its name");

constexpr std::string_view without_dlt(std::string_view name) {
  return same_word(name.substr(0, 4), "DLT_") ? name.substr(4) : name;
}

}  // namespace

std::string families(const Layout& l) {
  const struct { bool works; const char* word; } all[] = {
      {true, "bytes"},  // link[…], byte, len
      {l.type_field != TypeField::None, "protocols"},
      {l.type_field != TypeField::None && l.type_field != TypeField::OnlyAppletalk && l.network != unset, "ip"},
      {l.addresses != Addresses::None, "stations"},
      {l.addresses == Addresses::Wlan, "802.11"},
      {l.vlan != Vlan::None, "vlan"},
      {l.mpls, "mpls"},
      {l.llc, "llc"},
      {l.direction.size > 0, "direction"},
      {l.interface.has_value(), "interface"},
      {l.atm, "atm"},
      {l.mtp2.has_value(), "ss7"},
      {l.pf, "pf"},
  };
  std::string words;
  for (const auto& family : all)
    if (family.works) words += (words.empty() ? "" : " ") + std::string(family.word);
  return words;
}

std::span<const LinkType> link_types() { return rows; }

const LinkType* find_link_type(std::string_view name) {
  const std::string_view wanted = without_dlt(name);
  const auto row = std::ranges::find_if(rows, [&](const LinkType& r) { return same_word(r.name, wanted); });
  return row == rows.end() ? nullptr : &*row;
}

const LinkType* find_link_type(int dlt) {
  const auto row = std::ranges::find(rows, dlt, &LinkType::dlt);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace weir::wire
