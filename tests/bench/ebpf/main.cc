// weir_ebpf_bench: what eBPF programs of filters cost in the kernel, in one run.
//
//   weir_ebpf_bench [--seconds S] [--only NAME]
//
// XDP and tc: BPF_PROG_TEST_RUN, beside the same filter in C by hand (hand.bpf.c, clang -O2 -mcpu=v3), in nanoseconds and executed instructions.
// Sockets: the kernel runs its conversion of classic BPF on no request, so packets are sent to a datagram socket (AF_UNIX) that has
// the filter: libpcap's optimized program (SO_ATTACH_FILTER), and ours (SO_ATTACH_BPF). What sending costs with an empty program is
// subtracted. Each number is the least of several. Times are those of packets that match, whose way is the longest.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/core.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach/load.hpp"
#include "attach/options.hpp"
#include "attach/socket_program.hpp"
#include "ebpf/emit.hpp"
#define PCAP_DONT_INCLUDE_PCAP_BPF_H  // its bpf_insn is another one than the kernel's
#include "reference.hpp"
#include "vm/ebpf.hpp"
#include "weir/stages.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Bytes = std::vector<std::uint8_t>;

std::uint32_t host(std::uint32_t i) { return 0x0a000000 | ((i * 2654435761u) & 0xffffff); }

std::string hosts(std::uint32_t count) {
  std::string text;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t a = host(i);
    text += fmt::format("{}{}.{}.{}.{}", i ? " or host " : "host ", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
  }
  return text;
}

void put(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = bytes; i-- > 0;) to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

/// A TCP or UDP packet with ten bytes of data.
Bytes packet(bool v6, std::uint32_t from, std::uint8_t protocol, std::uint16_t source, std::uint16_t destination) {
  Bytes b(12, 2);
  put(b, v6 ? 0x86dd : 0x0800, 2);
  if (v6) {
    put(b, 0x60000000, 4);
    put(b, 30, 2);
    put(b, protocol, 1);
    put(b, 64, 1);
    for (int i = 0; i < 8; ++i) put(b, 0x20010db8u + static_cast<std::uint32_t>(i), 4);
  } else {
    put(b, 0x45000032, 4);
    put(b, 0, 4);
    put(b, 64, 1);
    put(b, protocol, 1);
    put(b, 0, 2);
    put(b, from, 4);
    put(b, 0xc0000201, 4);
  }
  put(b, source, 2);
  put(b, destination, 2);
  put(b, 1, 4);
  put(b, 2, 4);
  put(b, 0x5002, 2);  // SYN
  put(b, 0, 6);
  b.resize(b.size() + 10);
  return b;
}

struct Row {
  std::string name, filter;
  std::string by_hand;  ///< the function in hand.bpf.c; empty: none
  Bytes matching;
};

std::vector<Row> rows() {
  constexpr std::uint32_t other = 0xc6336401;
  return {
      {"ip", "ip", "only_ip", packet(false, other, 6, 1000, 80)},
      {"tcp port 80", "tcp port 80", "tcp_port_80", packet(false, other, 6, 1000, 80)},
      {"host and port", "host 10.1.2.3 and tcp port 443", "host_and_port", packet(false, 0x0a010203, 6, 1000, 443)},
      {"tcp flags", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp_flags", packet(false, other, 6, 1000, 80)},
      {"http payload", "tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "http_payload", packet(false, other, 6, 1000, 80)},
      {"ip6 dns", "ip6 and udp port 53", "dns_over_ip6", packet(true, 0, 17, 1000, 53)},
      {"some ports", "portrange 6000-6063 or port 53 or port 123", "some_ports", packet(false, other, 17, 1000, 123)},
      {"20 hosts", hosts(20), "hosts_20", packet(false, host(13), 6, 1000, 80)},
      {"100 hosts", hosts(100), "hosts_100", packet(false, host(77), 6, 1000, 80)},
      {"100000 hosts", hosts(100000), "", packet(false, host(77777), 6, 1000, 80)},
  };
}

/// A run's time in nanoseconds, as the kernel measures it: the mean of the better half of several, for the kernel gives whole numbers.
double time_of(int program, const Bytes& data, double seconds) {
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (times.size() < 4 || Clock::now() < end) {
    auto options = attach::no_options<bpf_test_run_opts>();
    options.data_in = data.data();
    options.data_size_in = static_cast<std::uint32_t>(data.size());
    options.repeat = 100'000;
    if (bpf_prog_test_run_opts(program, &options) != 0) return -1;
    times.push_back(options.duration);
  }
  std::ranges::sort(times);
  times.resize(times.size() / 2);
  return std::accumulate(times.begin(), times.end(), 0.0) / static_cast<double>(times.size());
}

std::uint64_t executed(const ebpf::Program& p, const Bytes& data) {
  vm::EbpfMachine machine(p);
  Packet packet{data, static_cast<std::uint32_t>(data.size()), {}};
  const auto result = machine.run(packet);
  if (result.fault) fmt::print("fault: {} at {}\n", result.fault->reason, result.fault->instruction);
  return result.steps;
}

/// hand.bpf.o in the kernel.
class Hand {
 public:
  Hand() : object_(bpf_object__open_file(WEIR_HAND_OBJECT, nullptr), bpf_object__close) {
    if (object_ == nullptr || bpf_object__load(object_.get()) != 0) object_ = nullptr;
  }
  bpf_program* find(const std::string& name) const { return object_ ? bpf_object__find_program_by_name(object_.get(), name.c_str()) : nullptr; }

  static ebpf::Program program(const bpf_program* p, ebpf::Hook hook) {
    ebpf::Program all;
    all.hook = hook;
    all.instructions.resize(bpf_program__insn_cnt(p));
    std::memcpy(static_cast<void*>(all.instructions.data()), bpf_program__insns(p), all.instructions.size() * sizeof(ebpf::Instruction));
    return all;
  }

 private:
  std::unique_ptr<bpf_object, void (*)(bpf_object*)> object_;
};

ebpf::Program empty_program(ebpf::Hook hook) {
  ebpf::Program p;
  p.hook = hook;
  p.instructions = {{.code = ebpf::op::ALU | ebpf::op::MOV | ebpf::op::K, .imm = 262144}, {.code = ebpf::op::JMP | ebpf::op::EXIT}};
  return p;
}

struct Options {
  double seconds = 0.1;
  std::string only;
};

/// Datagrams through a filter.
class Wire {
 public:
  Wire() { ok_ = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair_) == 0; }
  ~Wire() { close(pair_[0]), close(pair_[1]); }
  int receiver() const { return pair_[0]; }

  /// What a datagram takes, on average of a few thousand.
  double time(const Bytes& data) const {
    std::array<std::uint8_t, 256> buffer{};
    constexpr int times = 3000;
    const auto start = Clock::now();
    for (int i = 0; i < times; ++i) {
      (void)!send(pair_[1], data.data(), data.size(), 0);
      (void)!recv(pair_[0], buffer.data(), buffer.size(), MSG_DONTWAIT);
    }
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / times;
  }

 private:
  int pair_[2] = {-1, -1};
  bool ok_ = false;
};

const ir::Program& graph_of(const Row& row, std::map<std::string, Result<Filter>>& filters) {
  auto found = filters.find(row.name);
  if (found == filters.end()) found = filters.emplace(row.name, compile(row.filter)).first;
  return found->second->stages().ir;
}

void pointers(ebpf::Hook hook, const char* prefix, const Options& o, std::map<std::string, Result<Filter>>& filters) {
  const Hand hand;
  const auto nothing = attach::Loaded::load(empty_program(hook), {});
  if (!nothing) return fmt::print("SKIPPED: {}\n", nothing.error().message);
  const double base = time_of(nothing->descriptor(), rows()[0].matching, o.seconds);
  fmt::print("\n{}: an empty program takes {:.1f} ns\n{:14} {:>9} {:>9} {:>6} {:>11} {:>11} {:>6} {:>8}\n", to_string(hook), base, "filter", "weir ns", "by hand", "ratio", "weir instr.",
             "by hand", "ratio", "load ms");
  for (const Row& row : rows()) {
    if (!o.only.empty() && o.only != row.name) continue;
    const ir::Program& graph = graph_of(row, filters);
    ebpf::EmitOptions options;
    options.hook = hook;
    const auto start = Clock::now();
    const auto program = ebpf::emit(graph, options);
    if (!program) {
      fmt::print("{:14} {}\n", row.name, program.error().message);
      continue;
    }
    const auto loaded = attach::Loaded::load(*program, {});
    const double load = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    if (!loaded) {
      fmt::print("{:14} {}\n", row.name, loaded.error().message);
      continue;
    }
    const double ours = time_of(loaded->descriptor(), row.matching, o.seconds);
    const auto steps = executed(*program, row.matching);
    const bpf_program* theirs = hand.find(prefix + row.by_hand);
    if (theirs == nullptr) {
      fmt::print("{:14} {:9.1f} {:>9} {:>6} {:11} {:>11} {:>6} {:8.1f}\n", row.name, ours, "", "", steps, "", "", load);
      continue;
    }
    const double by_hand = time_of(bpf_program__fd(theirs), row.matching, o.seconds);
    const auto hand_steps = executed(Hand::program(theirs, hook), row.matching);
    fmt::print("{:14} {:9.1f} {:9.1f} {:6.2f} {:11} {:11} {:6.2f} {:8.1f}\n", row.name, ours, by_hand, ours / by_hand, steps, hand_steps,
               static_cast<double>(steps) / static_cast<double>(hand_steps), load);
  }
}

/// libpcap's program on the socket; false where there is none, or the kernel does not take it.
bool attach_classic(const cbpf::Program* p, int socket) {
  if (p == nullptr) return false;
  sock_fprog f{};
  f.len = static_cast<unsigned short>(p->instructions.size());
  f.filter = reinterpret_cast<sock_filter*>(const_cast<cbpf::Instruction*>(p->instructions.data()));
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f) == 0;
}

/// Rounds, so that what else the machine does strikes all alike; the least of each.
void socket_row(const Row& row, const attach::Loaded& nothing, const attach::Loaded& ours, const cbpf::Program* theirs, double seconds) {
  const Wire wire;
  double empty_ns = 1e9, ours_ns = 1e9, theirs_ns = 1e9;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (attach::attach_socket(nothing, wire.receiver())) empty_ns = std::min(empty_ns, wire.time(row.matching));
    if (attach::attach_socket(ours, wire.receiver())) ours_ns = std::min(ours_ns, wire.time(row.matching));
    if (attach_classic(theirs, wire.receiver())) theirs_ns = std::min(theirs_ns, wire.time(row.matching));
  }
  Bytes framed(14, 0);  // which the kernel takes for the link layer's header, and away
  framed[12] = 0x88, framed[13] = 0xb5;
  framed.insert(framed.end(), row.matching.begin(), row.matching.end());
  const double alone = time_of(ours.descriptor(), framed, seconds / 10) - time_of(nothing.descriptor(), framed, seconds / 10);
  fmt::print("{:14} {:9.1f} {:9.1f} {:9.1f}", row.name, alone, empty_ns, ours_ns - empty_ns);
  if (theirs_ns < 1e9) fmt::print(" {:9.1f} {:6.2f}", theirs_ns - empty_ns, (theirs_ns - empty_ns) / (ours_ns - empty_ns));
  fmt::print("\n");
}

void sockets(const Options& o, std::map<std::string, Result<Filter>>& filters) {
  oracle::Reference reference;
  const auto nothing = attach::Loaded::load(empty_program(ebpf::Hook::Socket), {});
  if (!nothing) return fmt::print("SKIPPED: {}\n", nothing.error().message);
  fmt::print("\nsocket: nanoseconds more than an empty program, by BPF_PROG_TEST_RUN, and for a datagram that is sent (which takes long: believe it on an idle machine only)\n"
             "{:14} {:>9} {:>9} {:>9} {:>9} {:>6}\n", "filter", "weir", "datagram", "weir", "libpcap", "ratio");
  for (const Row& row : rows()) {
    if (!o.only.empty() && o.only != row.name) continue;
    const auto program = ebpf::emit(graph_of(row, filters), {});
    const auto loaded = program ? attach::Loaded::load(*program, {}) : Result<attach::Loaded>(std::unexpected(program.error()));
    if (!loaded) {
      fmt::print("{:14} {}\n", row.name, loaded.error().message);
      continue;
    }
    const auto theirs = row.filter.size() < 10'000 ? reference.compile({}, row.filter, true) : std::unexpected(std::string());
    socket_row(row, *nothing, *loaded, theirs ? &*theirs : nullptr, 10 * o.seconds);
  }
}

int run(const Options& o) {
  std::map<std::string, Result<Filter>> filters;
  pointers(ebpf::Hook::Xdp, "xdp_", o, filters);
  pointers(ebpf::Hook::TcIngress, "tc_", o, filters);
  sockets(o, filters);
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) {
  weir::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::string_view(argv[i]) == "--seconds") options.seconds = std::stod(argv[i + 1]);
    if (std::string_view(argv[i]) == "--only") options.only = argv[i + 1];
  }
  return weir::bench::run(options);
}
