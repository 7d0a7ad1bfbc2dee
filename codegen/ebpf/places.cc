#include "ebpf/places.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace weir::ebpf {
namespace {

constexpr std::uint32_t most_bits = 24;
constexpr int tries = 32;

/// Puts a number in at one of its places, the one that was there at its other one, and so on; false when that goes on for too long.
bool put(Places& table, std::vector<bool>& taken, std::uint32_t number) {
  constexpr int most_moves = 200;
  std::uint32_t at = table.place(number, 0);
  for (int move = 0; move < most_moves; ++move) {
    std::swap(number, table.numbers[at]);
    if (!taken[at]) return taken[at] = true;
    const std::uint32_t first = table.place(number, 0);
    at = at == first ? table.place(number, 1) : first;
  }
  return false;
}

/// What stands at places without a member must not be found there.
void fill(Places& table, const std::vector<bool>& taken) {
  for (std::uint32_t at = 0; at < table.numbers.size(); ++at) {
    if (taken[at]) continue;
    std::uint32_t& filler = table.numbers[at];
    filler = 0;
    while (table.place(filler, 0) == at || table.place(filler, 1) == at) ++filler;
  }
}

std::optional<Places> table_with(std::span<const std::uint32_t> members, std::array<std::uint32_t, 2> multipliers, std::uint32_t bits) {
  Places table{multipliers, bits, std::vector<std::uint32_t>(std::size_t{1} << bits)};
  std::vector<bool> taken(table.numbers.size());
  for (const std::uint32_t m : members)
    if (!put(table, taken, m)) return std::nullopt;
  fill(table, taken);
  return table;
}

}  // namespace

std::optional<Places> places_of(std::span<const std::uint32_t> members) {
  constexpr std::uint32_t golden = 2654435761, step = 2246822519;  // odd, with bits all over
  std::array<std::uint32_t, 2> multipliers{golden, step};
  const auto enough = static_cast<std::uint32_t>(std::bit_width(2 * members.size()));  // half of the places stay free
  for (int i = 0; i < tries; ++i) {
    const std::uint32_t bits = std::max(enough + static_cast<std::uint32_t>(i) / 8, 2u);
    if (bits > most_bits) return std::nullopt;
    if (auto made = table_with(members, multipliers, bits)) return made;
    for (std::uint32_t& m : multipliers) m = (m * step + golden * 2) | 1;
  }
  return std::nullopt;
}

}  // namespace weir::ebpf
