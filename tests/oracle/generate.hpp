// Filters for a link type, over the whole language, mostly such as libpcap accepts. The same seed gives the same filter.
#pragma once
#include <bitset>
#include <cstdint>
#include <string>

#include "random.hpp"
#include "setting.hpp"

namespace weir::oracle {

/// Kinds of primitives; rows in primitives.def.
enum class Kind : std::uint8_t {
#define WEIR_KIND(name, weight, words) name,
#include "primitives.def"
#undef WEIR_KIND
};
inline constexpr std::size_t kind_count = 0
#define WEIR_KIND(name, weight, words) +1
#include "primitives.def"
#undef WEIR_KIND
    ;
const char* words(Kind kind);

using Kinds = std::bitset<kind_count>;

struct Generated {
  Setting setting;
  std::string filter;
  Kinds kinds;  ///< what it is made of
};

/// A filter and what it is compiled for.
Generated generate(std::string_view link_type, Random& random);

/// Words of the language where most of them may not stand: any keyword before any value, any words in a row. Mostly refused.
Generated generate_words(std::string_view link_type, Random& random);

/// An arithmetic comparison, such as `tcp[tcpflags] & tcp-syn != 0`.
std::string relation(std::string_view link_type, bool careful, Random& random);

/// One primitive of a kind (or a few joined by or, which share their qualifiers). `careful`: hardly any that libpcap refuses.
std::string primitive(Kind kind, std::string_view link_type, bool careful, Random& random);

/// A number in one of the shapes of the language.
std::string number(std::uint32_t value, Random& random);

}  // namespace weir::oracle
