#pragma once
#include <array>

#include "optimize/profile.hpp"

namespace weir {

/// What the optimizer takes for likely.
inline constexpr auto usual_shares = optimize::Profile::counted(std::to_array<optimize::Profile::Row>({
#define WEIR_SHARE(size, mask, number, share, elsewhere) {size, mask, number, {share, elsewhere}},
#define WEIR_SHARE_BEHIND(size, number, share, elsewhere) {size, 0, number, {share, elsewhere}, true},
#include "wire/traffic.def"
#undef WEIR_SHARE
#undef WEIR_SHARE_BEHIND
}));
inline constexpr optimize::Profile usual_traffic{usual_shares};
static_assert(usual_traffic.is_in_groups());

/// Ports that many packets have: HTTPS, a fifth of all, and DNS.
inline constexpr std::uint32_t likely_ports[] = {443, 53};

}  // namespace weir
