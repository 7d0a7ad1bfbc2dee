// Bits that are clear in the product of every number of the set are asked of the others' products: where those are spread well,
// one of the bits is set in each. Factors are tried at random: of some that make do for three numbers beside 0 there is one
// in 30, for four one in 2000.
#include "cbpf/products.hpp"

#include <array>
#include <bit>

namespace weir::cbpf {
namespace {

constexpr std::uint32_t byte_values = 256;
constexpr int most_tries = 64;

/// The linear congruential generator of Numerical Recipes (Press et al. 1992, §7.1), from where the first two suit the
/// extension headers of IPv6 with AH and without.
constexpr std::uint32_t next(std::uint32_t n) { return n * 1664525 + 1013904223; }

std::optional<Product> product_with(std::uint32_t factor, const std::vector<std::uint32_t>& members,
                                    const std::array<bool, byte_values>& is_member) {
  std::uint32_t bits = 0xffffffff;
  for (const std::uint32_t n : members) bits &= ~(n * factor);
  if (std::popcount(bits) < 4) return std::nullopt;  // too few to be set in all the others
  for (std::uint32_t n = 0; n < byte_values; ++n)
    if (!is_member[n] && !((n * factor) & bits)) return std::nullopt;
  return Product{factor, bits};
}

}  // namespace

std::optional<Product> product_of(const Set& set) {
  constexpr std::size_t few = 3, most = 6;
  if (set.empty() || set.low() != 0 || set.high() >= byte_values || set.size() > most ||
      comparisons(set.intervals(), {0, byte_values - 1}) <= few)
    return std::nullopt;
  std::vector<std::uint32_t> members;
  std::array<bool, byte_values> is_member{};
  for (const Interval i : set.intervals())
    for (std::uint32_t n = i.low; n <= i.high; ++n) {
      members.push_back(n);
      is_member[n] = true;
    }
  std::uint32_t factor = 0x7e00d91a;
  for (int i = 0; i < most_tries; ++i, factor = next(factor))
    if (const auto product = product_with(factor, members, is_member)) return product;
  return std::nullopt;
}

}  // namespace weir::cbpf
