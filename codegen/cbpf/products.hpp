// Scattered numbers of a byte that 0 is one of, such as the extension headers of IPv6, asked by two instructions:
// n in S == ((n * factor) & bits) == 0. Tested by tests/unit/cbpf/products_test.cc.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/set.hpp"

namespace weir::cbpf {

struct Product {
  std::uint32_t factor, bits;
};

/// For numbers up to 255. Nothing where comparisons are as short, or where no factor is found soon.
std::optional<Product> product_of(const Set& set);

/// Those of a program's sets, each looked for once.
class Products {
 public:
  const std::optional<Product>& of(const Set& set) {
    for (const auto& [known, product] : known_)
      if (known == &set) return product;
    return known_.emplace_back(&set, product_of(set)).second;
  }

 private:
  std::vector<std::pair<const Set*, std::optional<Product>>> known_;
};

}  // namespace weir::cbpf
