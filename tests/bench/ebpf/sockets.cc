// The kernel's conversion of classic BPF, twice: as a program that BPF_PROG_TEST_RUN runs (converted.hpp); and itself, on datagrams that are sent to
// a socket (AF_UNIX) which has the filter. These are dropped there: programs return 0 for what matches. A datagram takes long beside a filter, and
// the filter is cold, so the second is for comparison: each round has all programs, and the medians of the differences from an empty program count.
#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
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

double median(std::vector<double> of) {
  std::ranges::nth_element(of, of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2));
  return of[of.size() / 2];
}

/// The mean of the middle half.
double middle(std::vector<double> of) {
  std::ranges::sort(of);
  const auto quarter = static_cast<std::ptrdiff_t>(of.size() / 4);
  return std::accumulate(of.begin() + quarter, of.end() - quarter, 0.0) / static_cast<double>(static_cast<std::ptrdiff_t>(of.size()) - 2 * quarter);
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

std::optional<Sent> send_all(const Bytes& packet, const attach::Loaded& nothing, const attach::Loaded& ours, const cbpf::Program& theirs, double seconds) {
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
  return Sent{median(ours_ns), median(theirs_ns)};
}

/// A program of so many instructions, to lie between others.
ebpf::Program filling(std::size_t instructions) {
  ebpf::Program p = empty_program(ebpf::Hook::Socket);
  p.instructions.insert(p.instructions.begin(), instructions, p.instructions.front());
  return p;
}

/// A program several times: where the kernel puts it makes a difference of a cycle or two, and short programs take no more than three or four. Now and then
/// one lies so that its jumps are foreseen badly, and takes several nanoseconds more. So they lie all over the place.
class Copies {
 public:
  explicit Copies(const Result<ebpf::Program>& program) {
    constexpr std::uint32_t spread = 2654435761;  // 2^32 by the golden ratio
    for (std::uint32_t i = 0; i < count; ++i) {
      if (auto between = load(filling(20 + (i * spread >> 22)))) between_.push_back(std::move(*between));
      auto one = load(program);
      if (!one) {
        problem_ = one.error().message;
        return;
      }
      copies_.push_back(std::move(*one));
    }
  }
  explicit operator bool() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  const attach::Loaded& one() const { return copies_.front(); }

  static constexpr int count = 24;
  const std::vector<attach::Loaded>& all() const { return copies_; }

 private:
  std::vector<attach::Loaded> copies_, between_;
  std::string problem_;
};

/// A program, by its copies, and what it takes of a packet.
struct Measured {
  Measured(const Copies& program, const Bytes& packet) {
    for (const attach::Loaded& copy : program.all()) timed.push_back({copy.descriptor(), &packet});
  }
  /// The median of the rounds' differences from what empty copies take, of the middle half of the copies.
  double more_than(const Measured& empty) const {
    std::vector<double> copies;
    for (const Timed& t : timed) {
      std::vector<double> more;
      for (std::size_t round = 0; round < t.times.size(); ++round) more.push_back(t.times[round] - empty.in_round(round));
      copies.push_back(median(more));
    }
    return middle(copies);
  }
  double in_round(std::size_t round) const {
    std::vector<double> copies;
    for (const Timed& t : timed) copies.push_back(t.times[round]);
    return middle(copies);
  }
  std::vector<Timed> timed;
};

void measure(std::initializer_list<Measured*> programs, double seconds) {
  std::vector<Timed*> all;
  for (std::size_t copy = 0; copy < Copies::count; ++copy)
    for (Measured* p : programs) all.push_back(&p->timed[copy]);
  bench::measure(all, seconds / Copies::count);
}

/// libpcap's program and ours for one filter, and the empty ones beside which they are measured: theirs runs at tc (converted.hpp).
struct Pair {
  const Copies &theirs, &empty_at_tc, &ours, &empty;
};

/// What both take more than the empty ones, on average of the packets of all filters: of most, a filter keeps some and drops more.
Sent over_packets(const Pair& pair, double seconds) {
  Sent mean{};
  const std::vector<Row> all = rows();
  for (const Row& row : all) {
    const Bytes packet = framed(row.matching);
    Measured theirs(pair.theirs, row.matching), empty_at_tc(pair.empty_at_tc, row.matching), ours(pair.ours, packet), empty(pair.empty, packet);
    measure({&theirs, &empty_at_tc, &ours, &empty}, seconds / 2);
    mean.ours += ours.more_than(empty) / static_cast<double>(all.size());
    mean.theirs += theirs.more_than(empty_at_tc) / static_cast<double>(all.size());
  }
  return mean;
}

/// By hand, for hook socket-btf: whether so many loads find what they never find. No program that looks at as many places takes less.
ebpf::Program least_program(int loads) {
  using namespace ebpf::op;
  ebpf::Program p;
  p.hook = ebpf::Hook::SocketBtf;
  p.instructions = {{.code = ALU64 | MOV | X, .dst = 6, .src = 1},
                    {.code = LDX | MEM | W, .dst = 4, .src = 6, .offset = 76},
                    {.code = LDX | MEM | W, .dst = 5, .src = 6, .offset = 80},
                    {.code = ALU64 | SUB | X, .dst = 5, .src = 4},
                    {.code = ALU | MOV | K, .dst = 0},
                    {.code = JMP | JLT | K, .dst = 5, .offset = static_cast<std::int16_t>(2 * loads + 1), .imm = 34}};
  for (int i = 0; i < loads; ++i) {
    p.instructions.push_back({.code = LDX | MEM | H, .dst = 1, .src = 4, .offset = static_cast<std::int16_t>(12 + 4 * i)});
    p.instructions.push_back({.code = JMP32 | JEQ | K, .dst = 1, .offset = static_cast<std::int16_t>(2 * (loads - i) - 1), .imm = 0x12345});
  }
  p.instructions.push_back({.code = ALU | MOV | K, .dst = 0, .imm = 262144});
  p.instructions.push_back({.code = JMP | EXIT});
  return p;
}

struct Sockets {
  oracle::Reference reference;
  double product = 1, product_over_packets = 1;  ///< of what was gained
  int rows = 0;
};

void print_least(double seconds) {
  const Row row = rows().front();
  const Copies nothing(empty_program(ebpf::Hook::Socket));
  const Bytes packet = framed(row.matching);
  const std::array programs{Copies(least_program(0)), Copies(least_program(1)), Copies(least_program(2)), Copies(least_program(3))};
  for (const Copies& p : programs)
    if (!p) return fmt::print("\n{}\n", p.problem());
  Measured empty(nothing, packet), none(programs[0], packet), one(programs[1], packet), two(programs[2], packet), three(programs[3], packet);
  measure({&empty, &none, &one, &two, &three}, seconds);
  const auto takes = [&](const Measured& m) { return m.more_than(empty); };
  fmt::print("\nThe least that a program for socket-btf takes, by hand: {:.1f} to see how long the packet is, {:.1f} with one load and comparison, {:.1f} with two, {:.1f} with three: the kernel guards each load by seven instructions, "
             "of which one is a jump that is taken.\n\n",
             takes(none), takes(one), takes(two), takes(three));
}

/// By hand, for socket-btf, what the filters take at least that libpcap's programs are fast at: one load for `ip`, three for `ip6 and udp port 53` (byte 20, bytes 12 and
/// 13, and 54 to 57 at once). A packet that is too short, or in parts, is rejected: to look further costs nothing where it does not happen.
struct ByHand {
  const char *row, *text;
};
constexpr ByHand by_hand[] = {
    {"ip",
     "r6 = r1\nr4 = *(u32 *)(r6 +76)\nr5 = *(u32 *)(r6 +80)\nr5 -= r4\nw0 = 0\nif r5 < 14 goto no\nr1 = *(u16 *)(r4 +12)\nif w1 != 8 goto no\nw0 = 262144\nno:\nexit\n"},
    {"ip6 dns",
     "r6 = r1\nr4 = *(u32 *)(r6 +76)\nr5 = *(u32 *)(r6 +80)\nr5 -= r4\nw0 = 0\nif r5 < 58 goto no\nr1 = *(u8 *)(r4 +20)\nif w1 != 17 goto no\nr1 = *(u16 *)(r4 +12)\nif w1 != 0xdd86 goto no\n"
     "r1 = *(u32 *)(r4 +54)\nw2 = w1\nw2 &= 0xffff\nif w2 == 0x3500 goto yes\nw1 >>= 16\nif w1 != 0x3500 goto no\nyes:\nw0 = 262144\nno:\nexit\n"},
};

void print_by_hand(Sockets& all, const ByHand& hand, double seconds) {
  const std::vector<Row> every = rows();
  const Row& row = *std::ranges::find(every, hand.row, &Row::name);
  auto program = ebpf::read_text(hand.text);
  if (program) program->hook = ebpf::Hook::SocketBtf;
  const auto classic = all.reference.compile({}, row.filter, true);
  if (!classic) return;
  const Copies nothing(empty_program(ebpf::Hook::Socket)), nothing_at_tc(empty_program(ebpf::Hook::TcIngress)), theirs(converted(*classic)), ours(program);
  if (!ours || !theirs) return fmt::print("{}: {}\n", row.name, (ours ? theirs : ours).problem());
  const Bytes packet = framed(row.matching);
  Measured empty(nothing, packet), ours_time(ours, packet), empty_at_tc(nothing_at_tc, row.matching), theirs_time(theirs, row.matching);
  measure({&empty, &ours_time, &empty_at_tc, &theirs_time}, seconds);
  const double one = ours_time.more_than(empty), their_one = theirs_time.more_than(empty_at_tc);
  const Sent mean = over_packets({theirs, nothing_at_tc, ours, nothing}, seconds);
  fmt::print("`{}` by hand: {:.1f}, libpcap / by hand {:.2f}; over all packets {:.1f}, {:.2f}.\n", row.name, one, their_one / one, mean.ours, mean.theirs / mean.ours);
}

void print_row(Sockets& all, const Row& row, double seconds) {
  const auto filter = compile(row.filter);
  const ir::Program& graph = filter->stages().ir;
  const Copies nothing(empty_program(ebpf::Hook::Socket)), nothing_at_tc(empty_program(ebpf::Hook::TcIngress));
  const Copies plain(ebpf::emit(graph, {})), btf(ebpf::emit(graph, {.hook = ebpf::Hook::SocketBtf}));
  if (!plain || !btf) return fmt::print("{}: {}\n", row.name, (plain ? btf : plain).problem());
  const Bytes packet = framed(row.matching);
  Measured empty(nothing, packet), plain_time(plain, packet), btf_time(btf, packet);
  const auto classic = row.filter.size() < 10'000 ? all.reference.compile({}, row.filter, true) : std::unexpected(std::string());
  const Copies theirs(classic ? converted(*classic) : Result<ebpf::Program>(fail(Code::TooLarge, {}, "too long for libpcap")));
  if (!theirs) {
    measure({&empty, &plain_time, &btf_time}, seconds);
    return fmt::print("| {} | | {:.1f} | {:.1f} | | | | | | | | |\n", row.name, plain_time.more_than(empty), btf_time.more_than(empty));
  }
  Measured empty_at_tc(nothing_at_tc, row.matching), theirs_time(theirs, row.matching);
  measure({&empty, &plain_time, &btf_time, &empty_at_tc, &theirs_time}, seconds);
  const double a = theirs_time.more_than(empty_at_tc), b = plain_time.more_than(empty), c = btf_time.more_than(empty);
  const Sent mean = over_packets({theirs, nothing_at_tc, btf, nothing}, seconds);
  all.product *= a / c;
  all.product_over_packets *= mean.theirs / mean.ours;
  ++all.rows;
  fmt::print("| {} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} |", row.name, a, b, c, a / b, a / c);
  fmt::print(" {:.1f} | {:.1f} | {:.2f} |", mean.theirs, mean.ours, mean.theirs / mean.ours);
  const Loading dropping = load(ebpf::emit(graph, {.hook = ebpf::Hook::SocketBtf, .match = 0, .no_match = 1}));
  const auto sent = dropping ? send_all(row.matching, nothing.one(), *dropping, *classic, 10 * seconds) : std::nullopt;
  if (sent) fmt::print(" {:.1f} | {:.1f} | {:.2f} |\n", sent->theirs, sent->ours, sent->theirs / sent->ours);
  else fmt::print(" | | |\n");
}

}  // namespace

void measure_sockets(const Options& o) {
  Sockets all;
  for (const ebpf::Hook hook : {ebpf::Hook::Socket, ebpf::Hook::TcIngress})
    if (const Loading nothing = load(empty_program(hook)); !nothing) return fmt::print("SKIPPED: {}\n", nothing.error().message);
  fmt::print("\n### eBPF in the kernel, sockets\n\nNanoseconds more than an empty program: by BPF_PROG_TEST_RUN, libpcap's optimized program as the kernel converts it, weir's programs for hooks "
             "socket and socket-btf, on a packet that matches; the same on average of the packets of all rows, of which few match; and what a datagram takes "
             "with libpcap's program on its socket, and with weir's for socket-btf.\n\n"
             "| | libpcap, converted | socket | socket-btf | libpcap / socket | libpcap / socket-btf | all packets: libpcap | socket-btf | ratio "
             "| datagram: libpcap | socket-btf | ratio |\n"
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  for (const Row& row : rows())
    if (o.only.empty() || o.only == "sockets" || o.only == row.name) print_row(all, row, o.seconds);
  if (all.rows > 1)
    fmt::print("\nlibpcap / socket-btf, geometric mean: {:.2f}; over all packets: {:.2f}\n", std::pow(all.product, 1.0 / all.rows),
               std::pow(all.product_over_packets, 1.0 / all.rows));
  print_least(o.seconds);
  for (const ByHand& hand : by_hand) print_by_hand(all, hand, o.seconds);
}

}  // namespace weir::bench
