// weir_ebpf_bench: what eBPF programs of filters cost in the kernel, in one run.
//
// XDP and tc: beside the same filter in C by hand (hand.bpf.c, clang -O2 -mcpu=v3), in nanoseconds and executed instructions.
// Sockets: beside libpcap's optimized program as the kernel converts it. Then a loop beside the same without one, and lists by
// their lengths. Times are those of a packet that matches; for sockets also those of the packets of all rows. All on one
// processor.
#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <sched.h>

#include "hooks.hpp"
#include "lists.hpp"
#include "settings.hpp"
#include "sockets.hpp"

namespace weir::bench {
namespace {

constexpr const char* usage =
    "weir_ebpf_bench [--seconds S] [--only FILTER | --only xdp|tc-ingress|sockets|loops|lists]\n"
    "  --seconds  how long each number is measured\n"
    "  --only     a row of the tables, or one of them\n";

constexpr std::string_view tables[] = {"xdp", "tc-ingress", "sockets", "loops", "lists"};

bool is_table(std::string_view name) { return std::ranges::count(tables, name) != 0; }

void stay_on_one_processor() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(sched_getcpu()), &one);
  sched_setaffinity(0, sizeof one, &one);
}

int run(const Options& options) {
  using ebpf::Hook;
  const std::string& only = options.only;
  const auto all = rows();
  if (!only.empty() && !is_table(only) && std::ranges::find(all, only, &Row::name) == all.end())
    return fmt::print(stderr, "weir_ebpf_bench: there is no filter and no table `{}`\n", only), 2;
  stay_on_one_processor();
  const auto is_left_out = [&](std::string_view table) { return only != table && is_table(only); };
  if (!is_left_out("xdp")) measure_hook(Hook::Xdp, "xdp_", options);
  if (!is_left_out("tc-ingress")) measure_hook(Hook::TcIngress, "tc_", options);
  if (!is_left_out("sockets")) measure_sockets(options);
  if (only.empty() || only == "loops") measure_loops(options);
  if (!only.empty() && only != "lists") return 0;
  measure_lists(Hook::Xdp, options);
  measure_lists(Hook::TcIngress, options);
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  using namespace weir::bench;
  Settings settings("weir_ebpf_bench", usage, {{"seconds", "0.1"}, {"only", ""}});
  if (const auto status = settings.read(argc, argv)) return *status;
  return printed("weir_ebpf_bench", [&] { return run({settings.number("seconds"), settings.at("only")}); });
}
