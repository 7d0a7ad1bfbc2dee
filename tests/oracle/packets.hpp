// Realistic packets of a link type, as starting points: what is on real wires, in all the shapes that the language
// tells apart. Their fields take values from values.hpp.
#pragma once
#include <string_view>

#include "random.hpp"
#include "setting.hpp"

namespace weir::oracle {

Sample realistic_packet(std::string_view link_type, Random& random);

}  // namespace weir::oracle
