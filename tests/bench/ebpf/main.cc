// weir_ebpf_bench: what eBPF programs of filters cost in the kernel, in one run.
//
//   weir_ebpf_bench [--seconds S] [--only NAME | --only xdp | --only tc-ingress | --only sockets | --only loops | --only lists]
//
// XDP and tc: beside the same filter in C by hand (hand.bpf.c, clang -O2 -mcpu=v3), in nanoseconds and executed instructions.
// Sockets: beside libpcap's optimized program as the kernel converts it. Then a loop beside the same without one, and lists by
// their lengths. Times are those of a packet that matches; for sockets also those of the packets of all rows. All on one
// processor.
#include <algorithm>
#include <string>
#include <string_view>

#include <sched.h>

#include "hooks.hpp"
#include "lists.hpp"
#include "sockets.hpp"

namespace {

void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof one, &one);
}

}  // namespace

int main(int argc, char** argv) {
  using weir::ebpf::Hook;
  weir::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--seconds") options.seconds = std::stod(argv[i + 1]);
    if (std::string_view(argv[i]) == "--only") options.only = argv[i + 1];
  }
  stay_on_one_processor();
  const auto is_left_out = [&](std::string_view table) {
    constexpr std::string_view tables[] = {"xdp", "tc-ingress", "sockets", "loops", "lists"};
    return options.only != table && std::ranges::count(tables, options.only) > 0;
  };
  if (!is_left_out("xdp")) weir::bench::measure_hook(Hook::Xdp, "xdp_", options);
  if (!is_left_out("tc-ingress")) weir::bench::measure_hook(Hook::TcIngress, "tc_", options);
  if (!is_left_out("sockets")) weir::bench::measure_sockets(options);
  if (options.only.empty() || options.only == "loops") weir::bench::measure_loops(options);
  if (!options.only.empty() && options.only != "lists") return 0;
  weir::bench::measure_lists(Hook::Xdp, options);
  weir::bench::measure_lists(Hook::TcIngress, options);
}
