// The kernel's conversion of classic BPF, twice: as a program that BPF_PROG_TEST_RUN runs (converted.hpp); and itself, on
// datagrams that are sent to a socket (AF_UNIX) which has the filter. These are dropped there: programs return 0 for what
// matches. A datagram takes long beside a filter, and the filter is cold, so the second is for comparison: each round has all
// programs, and the medians of the differences from an empty program count.
#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <iterator>
#include <optional>
#include <vector>

#include <fmt/core.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach/socket_program.hpp"
#include "converted.hpp"
#include "ebpf/emit.hpp"
#define PCAP_DONT_INCLUDE_PCAP_BPF_H  // its bpf_insn is another one than the kernel's
#include "reference.hpp"
#include "weir/stages.hpp"

namespace weir::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Loading = Result<attach::Loaded>;

Loading load(const Result<ebpf::Program>& program) {
  return program ? attach::Loaded::load(*program, {}) : Loading(std::unexpected(program.error()));
}

/// Datagrams to a filter that drops them.
class Wire {
 public:
  Wire() { (void)!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair_); }
  Wire(const Wire&) = delete;
  ~Wire() { close(pair_[0]), close(pair_[1]); }
  int receiver() const { return pair_[0]; }

  /// What one takes, on average of several sent at once.
  double time(const Bytes& data) const {
    constexpr int times = 512;
    iovec bytes{const_cast<std::uint8_t*>(data.data()), data.size()};
    std::array<mmsghdr, times> messages{};
    for (mmsghdr& m : messages) m.msg_hdr.msg_iov = &bytes, m.msg_hdr.msg_iovlen = 1;
    const auto start = Clock::now();
    (void)!sendmmsg(pair_[1], messages.data(), times, 0);
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count() / times;
  }

 private:
  int pair_[2] = {-1, -1};
};

/// libpcap's program on the socket, returning 0 everywhere.
bool attach_classic(cbpf::Program p, int socket) {
  for (auto& i : p.instructions)
    if ((i.code & 7) == cbpf::op::RET) i = {.code = cbpf::op::RET | cbpf::op::K};
  sock_fprog f{};
  f.len = static_cast<unsigned short>(p.instructions.size());
  f.filter = reinterpret_cast<sock_filter*>(p.instructions.data());
  return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f) == 0;
}

struct Sent {
  double ours, theirs;  ///< more than an empty program
};

std::optional<Sent> send_all(const Bytes& packet, const attach::Loaded& nothing, const attach::Loaded& ours,
                             const cbpf::Program& theirs, double seconds) {
  const Wire wire;
  std::vector<double> ours_ns, theirs_ns;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  do {
    if (!attach::attach_socket(nothing, wire.receiver())) return std::nullopt;
    const double empty = wire.time(packet);
    if (!attach::attach_socket(ours, wire.receiver())) return std::nullopt;
    ours_ns.push_back(wire.time(packet) - empty);
    if (!attach_classic(theirs, wire.receiver())) return std::nullopt;
    theirs_ns.push_back(wire.time(packet) - empty);
  } while (Clock::now() < end);
  return Sent{quartiles(ours_ns).median, quartiles(theirs_ns).median};
}

/// By hand, for socket-btf, what the filters take at least that libpcap's programs are fast at: one load for `ip`, three for `ip6
/// and udp port 53` (byte 20, bytes 12 and 13, and 54 to 57 at once). A packet that is too short, or in parts, is rejected: to
/// look further costs nothing where it does not happen.
struct ByHand {
  const char *row, *text;
};
constexpr ByHand by_hand[] = {
    {"ip",
     "r6 = r1\nr4 = *(u32 *)(r6 +76)\nr5 = *(u32 *)(r6 +80)\nr5 -= r4\nw0 = 0\nif r5 < 14 goto no\nr1 = *(u16 *)(r4 +12)\nif w1 "
     "!= 8 goto no\nw0 = 262144\nno:\nexit\n"},
    {"ip6 dns",
     "r6 = r1\nr4 = *(u32 *)(r6 +76)\nr5 = *(u32 *)(r6 +80)\nr5 -= r4\nw0 = 0\nif r5 < 58 goto no\nr1 = *(u8 *)(r4 +20)\nif w1 "
     "!= 17 goto no\nr1 = *(u16 *)(r4 +12)\nif w1 != 0xdd86 goto no\n"
     "r1 = *(u32 *)(r4 +54)\nw2 = w1\nw2 &= 0xffff\nif w2 == 0x3500 goto yes\nw1 >>= 16\nif w1 != 0x3500 goto no\nyes:\nw0 = "
     "262144\nno:\nexit\n"},
};

std::optional<Copies> hand_program(const std::string& row) {
  const auto* hand = std::ranges::find(by_hand, row, &ByHand::row);
  if (hand == std::end(by_hand)) return std::nullopt;
  auto program = ebpf::read_text(hand->text);
  if (program) program->hook = ebpf::Hook::SocketBtf;
  return Copies(program);
}

/// What runs as a socket filter, and what runs at tc (converted.hpp), with the empty program of each.
class Measured {
 public:
  Measured(const Bytes& packet, const Copies& nothing, const Copies& nothing_at_tc)
      : at_tc_(packet), at_socket_(framed(packet)), empty_(nothing, at_socket_), empty_at_tc_(nothing_at_tc, at_tc_) {}
  Measured(const Measured&) = delete;  // what is timed points to the packets
  std::size_t add(const Copies& program, bool is_at_tc) {
    programs_.push_back({Timed(program, is_at_tc ? at_tc_ : at_socket_), is_at_tc});
    return programs_.size() - 1;
  }
  void measure(double seconds) {
    std::vector<Timed*> all{&empty_, &empty_at_tc_};
    for (auto& p : programs_) all.push_back(&p.first);
    bench::measure(all, seconds);
  }
  double empty() const { return empty_.nanoseconds(); }
  const std::vector<double>& whole(std::size_t program) const { return programs_[program].first.rounds; }
  /// More than the empty program, by rounds.
  std::vector<double> net(std::size_t program) const {
    const auto& [timed, is_at_tc] = programs_[program];
    return less(timed.rounds, (is_at_tc ? empty_at_tc_ : empty_).rounds);
  }

 private:
  Bytes at_tc_, at_socket_;
  Timed empty_, empty_at_tc_;
  std::vector<std::pair<Timed, bool>> programs_;
};

/// The programs of a row, by their numbers in a Measured.
enum Of : std::size_t { Theirs, Plain, Btf, Hand };

class Sockets {
 public:
  explicit Sockets(const Options& o)
      : options_(o), nothing_(empty_program(ebpf::Hook::Socket)), nothing_at_tc_(empty_program(ebpf::Hook::TcIngress)) {}

  void print(const Row& row) {
    const ir::Program graph = compile(row.filter)->stages().ir;
    const Copies plain(ebpf::emit(graph, {})), btf(ebpf::emit(graph, {.hook = ebpf::Hook::SocketBtf}));
    const auto classic = row.filter.size() < 10'000 ? reference_.compile({}, row.filter, true) : std::unexpected(std::string());
    const Copies theirs(classic ? converted(*classic) : Result<ebpf::Program>(fail(Code::TooLarge, {}, "too long for libpcap")));
    const auto hand = hand_program(row.name);
    for (const Copies* p : {&plain, &btf, hand ? &*hand : &btf})
      if (!*p) return fmt::print("{}: {}\n", row.name, p->problem());
    if (!theirs) return print_alone(row, plain, btf);
    Measured m(row.matching, nothing_, nothing_at_tc_);
    m.add(theirs, true), m.add(plain, false), m.add(btf, false);
    if (hand) m.add(*hand, false);
    m.measure(options_.seconds);
    const auto ratio = [&](Of ours) { return ratios(m.net(Theirs), m.net(ours)); };
    const auto more = [&](Of which) { return quartiles(m.net(which)).median; };
    fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {} | {} | {:.2f} |", row.name, more(Theirs), more(Plain), more(Btf),
               quartiles(ratio(Plain)).median, to_string(quartiles(ratio(Btf))), hand ? to_string(quartiles(ratio(Hand))) : "",
               quartiles(ratios(m.whole(Theirs), m.whole(Btf))).median);
    print_all_packets(theirs, btf, hand ? &*hand : nullptr);
    print_sent(row, graph, *classic);
    product_ *= quartiles(ratio(Btf)).median;
    ++rows_;
  }

  void print_means() const {
    if (rows_ > 1)
      fmt::print("\nlibpcap / socket-btf, geometric mean: {:.2f}; over all packets: {:.2f}\n", std::pow(product_, 1.0 / rows_),
                 std::pow(product_over_packets_, 1.0 / rows_));
  }

 private:
  void print_alone(const Row& row, const Copies& plain, const Copies& btf) const {
    Measured m(row.matching, nothing_, nothing_at_tc_);
    const auto a = m.add(plain, false), b = m.add(btf, false);
    m.measure(options_.seconds);
    fmt::print("| {} | | {:.1f} | {:.1f} | | | | | | | | | | | |\n", row.name, quartiles(m.net(a)).median, quartiles(m.net(b)).median);
  }

  /// On average of the packets of all filters: of most, a filter keeps some and drops more.
  void print_all_packets(const Copies& theirs, const Copies& btf, const Copies* hand) {
    std::deque<Measured> all;
    for (const Row& row : rows()) {
      Measured& m = all.emplace_back(row.matching, nothing_, nothing_at_tc_);
      m.add(theirs, true), m.add(btf, false);
      if (hand) m.add(*hand, false);
      m.measure(options_.seconds / 2);
    }
    const auto mean = [&](std::size_t program) {
      std::vector<double> sum = all[0].net(program);
      for (std::size_t i = 1; i < all.size(); ++i) sum = more(sum, all[i].net(program));
      for (double& s : sum) s /= static_cast<double>(all.size());
      return sum;
    };
    const Quartiles ratio = quartiles(ratios(mean(0), mean(1)));
    product_over_packets_ *= ratio.median;
    fmt::print(" {:.1f} | {:.1f} | {} | {} |", quartiles(mean(0)).median, quartiles(mean(1)).median, to_string(ratio),
               hand ? to_string(quartiles(ratios(mean(0), mean(2)))) : "");
  }

  void print_sent(const Row& row, const ir::Program& graph, const cbpf::Program& classic) const {
    const Loading dropping = load(ebpf::emit(graph, {.hook = ebpf::Hook::SocketBtf, .match = 0, .no_match = 1}));
    const auto sent = dropping ? send_all(row.matching, nothing_.one(), *dropping, classic, 10 * options_.seconds) : std::nullopt;
    if (sent) fmt::print(" {:.1f} | {:.1f} | {:.2f} |\n", sent->theirs, sent->ours, sent->theirs / sent->ours);
    else fmt::print(" | | |\n");
  }

  const Options& options_;
  oracle::Reference reference_;
  Copies nothing_, nothing_at_tc_;
  double product_ = 1, product_over_packets_ = 1;  ///< of what was gained
  int rows_ = 0;
};

}  // namespace

void measure_sockets(const Options& o) {
  for (const ebpf::Hook hook : {ebpf::Hook::Socket, ebpf::Hook::TcIngress})
    if (const Loading nothing = load(empty_program(hook)); !nothing) return fmt::print("SKIPPED: {}\n", nothing.error().message);
  fmt::print(
      "\n### eBPF in the kernel, sockets\n\nNanoseconds more than an empty program: by BPF_PROG_TEST_RUN, libpcap's optimized "
      "program as the kernel converts it, weir's programs for hooks "
      "socket and socket-btf, on a packet that matches; the same on average of the packets of all rows, of which few match; and "
      "what a datagram takes "
      "with libpcap's program on its socket, and with weir's for socket-btf. Of ratios, the median of all rounds and in brackets "
      "the quartiles; by hand: libpcap's program beside the least that a program "
      "for socket-btf takes; whole runs: with what the empty program takes.\n\n"
      "| | libpcap, converted | socket | socket-btf | libpcap / socket | libpcap / socket-btf | libpcap / by hand | whole runs | "
      "all packets: libpcap | socket-btf | ratio | by hand "
      "| datagram: libpcap | socket-btf | ratio |\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  Sockets all(o);
  for (const Row& row : rows())
    if (o.only.empty() || o.only == "sockets" || o.only == row.name) all.print(row);
  all.print_means();
}

}  // namespace weir::bench
