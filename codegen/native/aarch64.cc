#include "native/aarch64.hpp"

#include "native/encoders.hpp"

namespace weir::native::aarch64 {

Result<Encoded> encode(const ir::Program& p, const Plan& plan, Form form) {
  constexpr std::uint32_t aligned = 16;          // the stack pointer, whenever memory is reached through it (AAPCS64 6.4.5)
  constexpr std::size_t farthest = 1000 * 1024;  // so far does `adr` reach, and a bit more
  std::uint32_t frame = 0;
  Reach reach = Reach::Near;
  for (;;) {
    Select select(p, plan, frame, reach, form);
    select.run();
    if (select.too_long()) return too_large();
    const std::uint32_t needed = (select.words() * 4 + aligned - 1) / aligned * aligned;
    auto done = std::move(select).finished();
    const bool is_far = done.bytes.size() > farthest && !done.tables().empty() && reach == Reach::Near;
    if (needed == frame && !is_far) return done;
    frame = needed;
    if (is_far) reach = Reach::Far;
  }
}

}  // namespace weir::native::aarch64
