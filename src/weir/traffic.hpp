#pragma once
#include "optimize/profile.hpp"

namespace weir {

/// What the optimizer takes for likely.
inline constexpr optimize::Profile::Row usual_shares[] = {
#define WEIR_SHARE(size, mask, number, share, elsewhere) {size, mask, number, {share, elsewhere}},
#include "wire/traffic.def"
#undef WEIR_SHARE
};
inline constexpr optimize::Profile usual_traffic{usual_shares};

}  // namespace weir
