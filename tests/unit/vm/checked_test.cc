// What ebpf::check accepts, the machine runs to its end: random programs on packets of all lengths, linear and not.
#include <doctest/doctest.h>

#include "../ebpf/random_program.hpp"
#include "vm/ebpf.hpp"

namespace weir::vm {
namespace {

TEST_CASE("accepted programs never fault") {
  test::RandomEbpf random(11);
  std::size_t accepted = 0, refused = 0;
  for (int n = 0; n < 12000 / WEIR_PART; ++n) {
    const ebpf::Program p = random.mutant();
    if (ebpf::check(p)) {
      ++refused;
      continue;
    }
    ++accepted;
    EbpfMachine machine(p);
    for (int run = 0; run < 6; ++run) {
      std::vector<std::uint8_t> bytes(random.below(80));
      for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random.below(3) ? random.below(256) : 8 * random.below(2));
      EbpfSetting setting;
      setting.linear = random.below(bytes.size() + 1);
      const EbpfResult r = machine.run({bytes, static_cast<std::uint32_t>(bytes.size())}, setting);
      std::string listing;
      for (const auto& i : p.instructions) listing += to_string(i) + "\n";
      INFO(listing);
      REQUIRE_MESSAGE(!r.fault, (r.fault ? std::to_string(r.fault->instruction) + " " + r.fault->reason : ""));
    }
  }
  MESSAGE(accepted, " programs accepted, ", refused, " refused");
  CHECK(accepted > 2000 / WEIR_PART);
}

}  // namespace
}  // namespace weir::vm
