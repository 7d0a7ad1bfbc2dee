// How long compiling takes, beside libpcap in the same run, and what a long list costs.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <pcap/pcap.h>

#include <string>

#include "grammar/parse.hpp"
#include "names/names.hpp"
#include "resolve/resolve.hpp"
#include "weir/weir.hpp"

namespace {

const char* const filters[] = {
    "tcp port 80",
    "host 10.0.0.1 and not port 22",
    "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)",
    "port 53 or port 80 or port 443",
};

std::string hosts(std::int64_t n) {
  std::string text = "host 10.0.0.0";
  for (std::int64_t i = 1; i < n; ++i) {
    const auto a = static_cast<unsigned>(i) * 2654435761u;
    text += " or host 10." + std::to_string(a >> 8 & 255) + "." + std::to_string(a >> 16 & 255) + "." + std::to_string(a >> 24);
  }
  return text;
}

void weir_compile(benchmark::State& state) {
  const char* filter = filters[state.range(0)];
  weir::Options options;
  for (auto _ : state) benchmark::DoNotOptimize(weir::compile(filter, options));
  state.SetLabel(filter);
}
BENCHMARK(weir_compile)->DenseRange(0, 3);

void libpcap_compile(benchmark::State& state, int optimize) {
  const char* filter = filters[state.range(0)];
  pcap_t* handle = pcap_open_dead(DLT_EN10MB, 262144);
  for (auto _ : state) {
    bpf_program program;
    if (pcap_compile(handle, &program, filter, optimize, PCAP_NETMASK_UNKNOWN) != 0) state.SkipWithError(pcap_geterr(handle));
    pcap_freecode(&program);
  }
  pcap_close(handle);
  state.SetLabel(filter);
}
BENCHMARK_CAPTURE(libpcap_compile, optimized, 1)->DenseRange(0, 3);
BENCHMARK_CAPTURE(libpcap_compile, plain, 0)->DenseRange(0, 3);

void parse_and_resolve_hosts(benchmark::State& state) {
  const std::string text = hosts(state.range(0));
  const weir::wire::Target target{weir::wire::find_link_type("EN10MB"), 262144, {}, false, {}};
  const auto names = weir::names::system_names();
  for (auto _ : state) {
    const auto ast = weir::grammar::parse(text);
    benchmark::DoNotOptimize(weir::resolve::resolve(*ast, target, *names));
  }
}
BENCHMARK(parse_and_resolve_hosts)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

/// Heap that a compiled list keeps, by host: all stages, since a filter can show each.
void memory_of_hosts(benchmark::State& state) {
  const std::string text = hosts(state.range(0));
  std::size_t kept = 0;
  for (auto _ : state) {
    const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    const auto filter = weir::compile(text);
    kept = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    benchmark::DoNotOptimize(filter);
  }
  state.counters["bytes_a_host"] = static_cast<double>(kept) / static_cast<double>(state.range(0));
}
BENCHMARK(memory_of_hosts)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
