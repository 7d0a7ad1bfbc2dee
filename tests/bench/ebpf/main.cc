// weir_ebpf_bench: what eBPF programs of filters cost in the kernel, in one run.
//
//   weir_ebpf_bench [--seconds S] [--only NAME | --only sockets | --only lists]
//
// XDP and tc: beside the same filter in C by hand (hand.bpf.c, clang -O2 -mcpu=v3), in nanoseconds and executed instructions. Sockets: beside
// libpcap's optimized program as the kernel converts it. Then lists by their lengths. Times are those of a packet that matches; for sockets also
// those of the packets of all rows.
#include <cstring>
#include <string_view>

#include "hooks.hpp"
#include "lists.hpp"
#include "sockets.hpp"

int main(int argc, char** argv) {
  weir::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--seconds") options.seconds = std::stod(argv[i + 1]);
    if (std::string_view(argv[i]) == "--only") options.only = argv[i + 1];
  }
  if (options.only != "sockets") {
    weir::bench::measure_hook(weir::ebpf::Hook::Xdp, "xdp_", options);
    weir::bench::measure_hook(weir::ebpf::Hook::TcIngress, "tc_", options);
  }
  weir::bench::measure_sockets(options);
  if (!options.only.empty() && options.only != "lists") return 0;
  weir::bench::measure_lists(weir::ebpf::Hook::Xdp, options);
  weir::bench::measure_lists(weir::ebpf::Hook::TcIngress, options);
}
