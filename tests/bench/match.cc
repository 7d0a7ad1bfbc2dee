// What matching costs in our own process: libpcap's bpf_filter, our interpreter, native code one packet a call and in
// batches, and C written by hand, on the same packets in one run.
//   weir_match_bench [--seconds S] [--hot N] [--streaming N] [--filter NAME] [--engine NAME] [--rounds N]
// --rounds: no times, but so many rounds of one engine, for `valgrind --tool=callgrind`.
#include <pcap/pcap.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "aimed.hpp"
#include "hand.h"
#include "lists.hpp"
#include "names/names.hpp"
#include "native/emit.hpp"
#include "traffic.hpp"
#include "vm/cbpf.hpp"
#include "weir/stages.hpp"
#include "weir/weir.hpp"

using namespace weir;
using namespace weir::bench;

namespace {

struct Row {
  std::string name, hand, filter;
  std::size_t hosts = 0;  ///< of a list
};

std::vector<Row> rows() {
  std::vector<Row> all = {
      {"ip", "ip", "ip"},
      {"tcp port 80", "tcp port 80", "tcp port 80"},
      {"host and port", "host and port", "host 10.1.2.3 and tcp port 443"},
      {"syn or fin", "syn or fin", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8"},
      {"http payload", "http payload", "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)"},
      {"ip6 udp 53", "ip6 udp 53", "ip6 and udp port 53"},
      {"three ports", "three ports", "portrange 6000-6063 or port 53 or port 123"},
  };
  for (const std::size_t n : {20u, 100u, 1000u, 10000u})
    all.push_back({fmt::format("{} hosts", n), n <= 400 ? "few hosts" : "many hosts", list_filter(list_kinds()[0], n), n});
  return all;
}

/// Packets, one behind the other as a capture has them.
struct Packets {
  std::vector<std::uint8_t> bytes;
  std::vector<Packet> ours;
  std::vector<hand_packet> theirs;
};

Packets make_packets(const TrafficModel& model, const std::vector<oracle::Sample>& aimed, std::size_t count) {
  Packets p;
  oracle::Setting setting;
  setting.link_type = "EN10MB";
  oracle::Random random(7);
  std::vector<std::pair<std::size_t, std::uint32_t>> places;
  for (std::size_t i = 0; i < count; ++i) {
    const bool aim = !aimed.empty() && random.percent(model.aimed_percent());
    const oracle::Sample s = aim ? aimed[random.below(aimed.size())] : packet(model, setting, random);
    // Nothing is cut off: what is counted is the filter, not what cut packets are worth.
    std::vector<std::uint8_t> frame = s.bytes;
    if (frame.size() < 60) frame.resize(60);
    places.emplace_back(p.bytes.size(), static_cast<std::uint32_t>(frame.size()));
    p.bytes.insert(p.bytes.end(), frame.begin(), frame.end());
  }
  for (const auto& [at, length] : places) {
    p.ours.push_back({.bytes = {p.bytes.data() + at, length}, .length = length});
    p.theirs.push_back({p.bytes.data() + at, length});
  }
  return p;
}

/// Something that counts how many packets pass.
struct Runner {
  std::string name;
  std::function<std::size_t(const Packets&)> run;
};

/// Runs on a stack of its own: libpcap recurses along the list.
void with_large_stack(std::function<void()> what) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, std::size_t{1} << 30);
  pthread_t thread{};
  const auto call = [](void* f) -> void* { return (*static_cast<std::function<void()>*>(f))(), nullptr; };
  if (pthread_create(&thread, &attributes, call, &what) == 0) pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::vector<bpf_insn> compiled_by_libpcap(const std::string& filter, bool optimize) {
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> handle(pcap_open_dead(DLT_EN10MB, 262144), &pcap_close);
  bpf_program program{};
  if (pcap_compile(handle.get(), &program, filter.c_str(), optimize, PCAP_NETMASK_UNKNOWN) != 0) {
    fmt::print(stderr, "libpcap: {}\n", pcap_geterr(handle.get()));
    return {};
  }
  std::vector<bpf_insn> code(program.bf_insns, program.bf_insns + program.bf_len);
  pcap_freecode(&program);
  return code;
}

std::vector<bpf_insn> libpcap_program(const std::string& filter, bool optimize) {
  std::vector<bpf_insn> code;
  with_large_stack([&] { code = compiled_by_libpcap(filter, optimize); });
  return code;
}

std::vector<oracle::Sample> aimed_at(const TrafficModel& model, const std::vector<bpf_insn>& code) {
  cbpf::Program meaning;
  for (const bpf_insn& i : code) meaning.instructions.push_back({i.code, i.jt, i.jf, i.k});
  oracle::Setting setting;
  setting.link_type = "EN10MB";
  oracle::Random random(11);
  return aimed_packets(model, setting, meaning, 400, random);
}

std::shared_ptr<hand_hosts> hosts_of(std::size_t count) {
  if (count == 0) return nullptr;
  std::vector<std::uint32_t> addresses;
  for (std::size_t i = 0; i < count; ++i) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    std::sscanf(list_kinds()[0].element(i).c_str(), "host %u.%u.%u.%u", &a, &b, &c, &d);
    addresses.push_back(a | b << 8 | c << 16 | d << 24);
  }
  return {hand_hosts_new(addresses.data(), count), hand_hosts_free};
}

std::vector<Runner> runners(const Row& row, const Filter& filter, const native::Code& code, std::vector<bpf_insn> libpcap) {
  const auto hand = std::find_if(hand_rows, hand_rows + hand_row_count, [&](const hand_row& h) { return row.hand == h.name; });
  const std::shared_ptr<hand_hosts> hosts = hosts_of(row.hosts);
  const auto each = [](auto verdict) {
    return [verdict](const Packets& p) {
      std::size_t n = 0;
      for (std::size_t i = 0; i < p.ours.size(); ++i) n += verdict(p, i);
      return n;
    };
  };
  const auto batch = [](auto fill) {
    return [fill, verdicts = std::vector<std::uint64_t>()](const Packets& p) mutable {
      verdicts.resize((p.ours.size() + 63) / 64);
      fill(p, verdicts);
      std::size_t n = 0;
      for (const std::uint64_t v : verdicts) n += static_cast<std::size_t>(__builtin_popcountll(v));
      return n;
    };
  };
  std::vector<Runner> all;
  // Nothing where libpcap has no program.
  all.push_back({"bpf_filter", libpcap.empty() ? std::function<std::size_t(const Packets&)>() : each([libpcap](const Packets& p, std::size_t i) {
                   const Packet& q = p.ours[i];
                   return bpf_filter(libpcap.data(), q.bytes.data(), q.length, static_cast<unsigned>(q.bytes.size())) != 0;
                 })});
  all.push_back({"interpreter", each([&filter](const Packets& p, std::size_t i) {
                   return filter.stages().cbpf ? vm::run(*filter.stages().cbpf, p.ours[i]) != 0 : ir::evaluate(filter.stages().ir, p.ours[i]) != 0;
                 })});
  all.push_back({"native", each([f = code.function()](const Packets& p, std::size_t i) {
                   const Packet& q = p.ours[i];
                   return f(q.bytes.data(), q.bytes.size(), q.length, &q.meta) != 0;
                 })});
  all.push_back({"match", each([&filter](const Packets& p, std::size_t i) { return filter.match(p.ours[i]); })});
  all.push_back({"hand", each([f = hand->one, hosts](const Packets& p, std::size_t i) { return f(p.ours[i].bytes.data(), p.ours[i].bytes.size(), hosts.get()) != 0; })});
  all.push_back({"batch", batch([&filter](const Packets& p, std::vector<std::uint64_t>& v) { filter.match_batch(p.ours, v); })});
  all.push_back({"hand batch", batch([f = hand->batch, hosts](const Packets& p, std::vector<std::uint64_t>& v) { f(p.theirs.data(), p.theirs.size(), v.data(), hosts.get()); })});
  return all;
}

struct Arguments {
  double seconds = 0.3;
  std::size_t hot = 2000, streaming = 150'000;
  std::string filter, engine, model = WEIR_BENCH_CORPUS "/traffic/model.txt";
  std::size_t rounds = 0;
};

/// Nanoseconds a packet: the best of several turns, for others use the machine, too.
std::vector<double> measure(std::vector<Runner>& all, const Packets& packets, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int turns = 5;
  std::vector<double> best(all.size(), 1e9);
  for (int turn = 0; turn < turns; ++turn)
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].run) {
        best[i] = std::nan("");
        continue;
      }
      const auto begin = Clock::now();
      std::chrono::duration<double> spent{};
      do {
        const auto before = Clock::now();
        all[i].run(packets);
        const auto after = Clock::now();
        best[i] = std::min(best[i], std::chrono::duration<double, std::nano>(after - before).count() / static_cast<double>(packets.ours.size()));
        spent = after - begin;
      } while (spent.count() < seconds / turns);
    }
  return best;
}

/// The best of compiling an expression and of making its code, in microseconds.
double microseconds(const std::function<void()>& what) {
  double best = 1e9;
  for (int i = 0; i < 200; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    what();
    best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
    if (best > 1e4) break;
  }
  return best;
}

bool agree(std::vector<Runner>& all, const Packets& packets, const std::string& name) {
  const std::size_t expected = all[1].run(packets);
  for (Runner& r : all)
    if (!r.run) continue;
    else if (const std::size_t n = r.run(packets); n != expected) {
      fmt::print("{}: {} accepts {} packets, {} {}\n", name, all[1].name, expected, r.name, n);
      return false;
    }
  return true;
}

Arguments read(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i], value = argv[i + 1];
    if (option == "--seconds") a.seconds = std::stod(value);
    if (option == "--hot") a.hot = std::stoul(value);
    if (option == "--streaming") a.streaming = std::stoul(value);
    if (option == "--filter") a.filter = value;
    if (option == "--engine") a.engine = value;
    if (option == "--rounds") a.rounds = std::stoul(value);
    if (option == "--model") a.model = value;
  }
  return a;
}

struct Line {
  std::string name;
  std::vector<double> nanoseconds;
};

void print(const char* title, const std::vector<std::string>& engines, const std::vector<Line>& results) {
  fmt::print("\n{}\n\n| ns a packet |", title);
  for (const auto& e : engines) fmt::print(" {} |", e);
  fmt::print(" native/hand | batch/hand batch | bpf_filter/native |\n|---|{}\n", [&] {
    std::string line;
    for (std::size_t i = 0; i < engines.size() + 3; ++i) line += "---|";
    return line;
  }());
  double log_sum = 0, counted = 0;
  for (const Line& r : results) {
    fmt::print("| {} |", r.name);
    for (const double ns : r.nanoseconds) fmt::print(" {:.2f} |", ns);
    const double ratio = r.nanoseconds[0] / r.nanoseconds[2];
    fmt::print(" {:.2f} | {:.2f} | {:.1f} |\n", r.nanoseconds[2] / r.nanoseconds[4], r.nanoseconds[5] / r.nanoseconds[6], ratio);
    if (std::isnan(ratio)) continue;
    log_sum += std::log(ratio);
    ++counted;
  }
  if (counted != 0) fmt::print("\nbpf_filter/native, geometric mean: {:.1f}\n", std::exp(log_sum / counted));
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments a = read(argc, argv);
  const auto model = TrafficModel::read(a.model);
  if (!model) {
    fmt::print("{}\n", model.error());
    return 1;
  }
  std::vector<std::string> engines;
  std::vector<Line> hot, streaming;
  std::string making;
  for (const Row& row : rows()) {
    if (!a.filter.empty() && a.filter != row.name) continue;
    const auto filter = weir::compile(row.filter);
    if (!filter) return 1;
    const auto code = native::emit(filter->stages().ir);
    if (!code) {
      fmt::print("{}: {}\n", row.name, code.error().message);
      return 1;
    }
    // libpcap's optimizer takes minutes for long lists.
    // Of 10 000 hosts its parser does, too: then it is left out.
    const bool is_endless = row.hosts > 1000;
    const auto plain = is_endless ? std::vector<bpf_insn>() : libpcap_program(row.filter, false);
    const auto libpcap = is_endless || row.hosts > 100 ? plain : libpcap_program(row.filter, true);
    const auto aimed = row.hosts > 1000 ? aimed_at(*model, libpcap_program(part_of_list(list_kinds()[0], row.hosts, 100), false)) : aimed_at(*model, plain);
    auto all = runners(row, *filter, *code, libpcap);
    const Packets few = make_packets(*model, aimed, a.hot);
    if (!agree(all, few, row.name)) return 1;
    if (a.rounds != 0) {
      for (Runner& r : all)
        if (r.name == a.engine)
          for (std::size_t i = 0; i < a.rounds; ++i) r.run(few);
      continue;
    }
    engines.clear();
    for (const Runner& r : all) engines.push_back(r.name);
    hot.push_back({row.name, measure(all, few, a.seconds)});
    const double ours = microseconds([&] { (void)weir::compile(row.filter); });
    const double made = microseconds([&] { (void)native::emit(filter->stages().ir); });
    const double saved = hot.back().nanoseconds[1] - hot.back().nanoseconds[2];
    making += fmt::format("| {} | {:.0f} | {:.0f} | {} | {:.0f} |\n", row.name, ours, made, code->instructions().size(), made * 1000 / saved);
    if (a.streaming != 0) {
      const Packets many = make_packets(*model, aimed, a.streaming);
      if (!agree(all, many, row.name)) return 1;
      streaming.push_back({row.name, measure(all, many, a.seconds)});
    }
  }
  if (a.rounds != 0) return 0;
  print("Packets hot in the cache", engines, hot);
  if (a.streaming != 0) print("Packets streaming from memory", engines, streaming);
  fmt::print("\nMaking the code\n\n| | weir::compile, µs | native code, µs | bytes | packets until it pays off against the interpreter |\n|---|---|---|---|---|\n{}", making);
  return 0;
}
