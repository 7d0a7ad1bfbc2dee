// Long lists, as block lists and inventories hold them, of any length and always the same.
#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace weir::bench {

struct ListKind {
  const char* name;   ///< in tables and plots
  std::string (*element)(std::size_t n);
  std::size_t most;   ///< so many different elements there are
};

std::span<const ListKind> list_kinds();

/// `host 10.4.7.1 or host …`: the first n elements.
std::string list_filter(const ListKind& kind, std::size_t n);
/// The same of so many elements spread over the first n: what packets are aimed at.
std::string part_of_list(const ListKind& kind, std::size_t n, std::size_t elements);

}  // namespace weir::bench
