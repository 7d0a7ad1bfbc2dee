#include "wire/ieee802.hpp"

#include <algorithm>
#include <iterator>

#include "wire/ascii.hpp"

namespace weir::wire {
namespace {

struct Named {
  std::string_view name;
  std::uint8_t value;
};

struct Subtype {
  std::uint8_t type;
  std::string_view name;
  std::uint8_t value;
};

struct NamedKind {
  std::string_view name;
  LlcKind kind;
};

constexpr Named types[] = {
#define WEIR_WLAN_TYPE(name, number) {name, number},
#define WEIR_WLAN_SUBTYPE(type, name, number)
#define WEIR_WLAN_DIRECTION(name, number)
#include "wire/wlan.def"
#undef WEIR_WLAN_TYPE
#undef WEIR_WLAN_SUBTYPE
#undef WEIR_WLAN_DIRECTION
};

constexpr Subtype subtypes[] = {
#define WEIR_WLAN_TYPE(name, number)
#define WEIR_WLAN_SUBTYPE(type, name, number) {type, name, number},
#define WEIR_WLAN_DIRECTION(name, number)
#include "wire/wlan.def"
#undef WEIR_WLAN_TYPE
#undef WEIR_WLAN_SUBTYPE
#undef WEIR_WLAN_DIRECTION
};

constexpr Named directions[] = {
#define WEIR_WLAN_TYPE(name, number)
#define WEIR_WLAN_SUBTYPE(type, name, number)
#define WEIR_WLAN_DIRECTION(name, number) {name, number},
#include "wire/wlan.def"
#undef WEIR_WLAN_TYPE
#undef WEIR_WLAN_SUBTYPE
#undef WEIR_WLAN_DIRECTION
};

constexpr NamedKind kinds[] = {
#define WEIR_LLC_KIND(name, value, mask) {name, {value, mask}},
#include "wire/llc.def"
#undef WEIR_LLC_KIND
};

static_assert(std::ranges::is_sorted(subtypes, {}, &Subtype::type), "the order in which types are looked up");

/// The row of that name, null when there is none.
template <class Row, std::size_t n>
const Row* find_row(const Row (&rows)[n], std::string_view name) {
  const Row* row = std::ranges::find_if(rows, [&](const Row& r) { return same_word(r.name, name); });
  return row == std::end(rows) ? nullptr : row;
}

std::optional<std::uint8_t> value_of(const Named* row) {
  return row ? std::optional(row->value) : std::nullopt;
}

}  // namespace

std::optional<std::uint8_t> wlan_type(std::string_view name) { return value_of(find_row(types, name)); }

std::optional<std::uint8_t> wlan_subtype(std::uint8_t type, std::string_view name) {
  for (const Subtype& row : subtypes)
    if (row.type == type && same_word(row.name, name)) return row.value;
  return std::nullopt;
}

std::optional<std::uint8_t> wlan_any_subtype(std::string_view name) {
  const Subtype* row = find_row(subtypes, name);
  if (!row) return std::nullopt;
  return static_cast<std::uint8_t>(row->type | row->value);
}

std::optional<std::uint8_t> wlan_direction(std::string_view name) { return value_of(find_row(directions, name)); }

std::optional<LlcKind> llc_kind(std::string_view name) {
  const NamedKind* row = find_row(kinds, name);
  return row ? std::optional(row->kind) : std::nullopt;
}

}  // namespace weir::wire
