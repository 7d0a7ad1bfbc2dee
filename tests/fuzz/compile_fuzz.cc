// Any text, on any link type, compiles or is refused; what is compiled can be shown in every form, is a program that
// machines take, and all engines agree about it on packets that are made for it: those that follow the meaning to the
// letter are equal to it, the optimized ones refine it (f(p,n) => f'(p,n) => f(p,∞)).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "endless.hpp"
#include "expect.hpp"
#include "explore.hpp"
#include "input.hpp"
#include "names/names.hpp"
#include "packets.hpp"
#include "subject.hpp"

namespace weir::fuzz {
namespace {

using oracle::Engine;
using oracle::Sample;
using oracle::Subject;
using oracle::Tail;

/// A few names of each kind, so that filters with names get further; nobody else is asked, least of all a name server.
std::shared_ptr<const names::Names> fixed() {
  static const std::shared_ptr<const names::Names> all = names::fixed_names(
      {.hosts = {"127.0.0.1 localhost", "10.0.0.1 here both", "2001:db8::1 there both"},
       .ethers = {"02:00:00:00:00:01 here", "02:00:00:00:00:02 both"},
       .networks = {"loopback 127.0.0.0", "private 10.0.0.0"},
       .services = {"ftp-data 20/tcp", "ftp 21/tcp", "ssh 22/tcp", "domain 53/tcp", "domain 53/udp", "bootps 67/udp", "bootpc 68/udp",
                    "http 80/tcp www", "ntp 123/udp", "snmp 161/udp", "https 443/tcp", "https 443/udp", "login 513/tcp"},
       .protocols = {"icmp 1", "igmp 2", "tcp 6", "udp 17", "esp 50", "ah 51", "ospf 89", "pim 103", "vrrp 112", "sctp 132"}});
  return all;
}

Options options_of(const oracle::Setting& s, bool optimize) {
  Options o;
  o.link_type = s.link_type;
  o.snaplen = s.snaplen;
  o.netmask = s.netmask;
  o.optimize = optimize;
  o.linux_ext = s.linux_ext;
  o.savefile = static_cast<Options::Savefile>(s.savefile);
  o.names = fixed();
  return o;
}

constexpr Emit forms[] = {Emit::Listing,  Emit::CArray, Emit::Decimal, Emit::Asm, Emit::Json,
                          Emit::Bytecode, Emit::Ast,    Emit::Pred,    Emit::Ir,  Emit::Dot};

/// Every form can be had, unless the program does not fit; then that is what is said.
void check_forms(const std::string& text, const Filter& filter) {
  const bool fits = filter.bytecode().has_value();
  for (const Emit form : forms) {
    const auto shown = filter.dump(form);
    if (shown) expect(!shown->empty(), "a form without a text");
    else expect(!fits && shown.error().code == Code::TooLarge, "a form that cannot be had: " + shown.error().message);
  }
  for (const Diagnostic& warning : filter.warnings()) expect_presentable(text, warning);
}

/// The numbers that go to other programs are those that the program is made of.
void check_numbers(const Filter& filter, const cbpf::Program& program) {
  const auto decimal = filter.dump(Emit::Decimal);
  const auto again = decimal ? cbpf::read_decimal(*decimal) : std::unexpected(decimal.error());
  expect(again && *again == program, "the decimal form is another program");
}

/// What the meaning returns when the packet goes on behind byte n: as it did, and then with zeros or ones, or with noise at once.
bool may_return(const Subject& s, const Sample& sample, std::size_t n, std::uint32_t expected) {
  return oracle::evaluate(s.meaning, sample.whole(), Tail::Zeros) == expected &&
         oracle::evaluate(s.meaning, sample.whole(), Tail::Ones) == expected &&
         oracle::evaluate(s.meaning, sample.cut(n), Tail::Noise) == expected;
}

/// One that knows no other length of a packet than that of what there is.
void check_whole(const oracle::EngineRow& row, const Subject& s, const Packet& packet) {
  const Packet whole{.bytes = packet.bytes, .length = static_cast<std::uint32_t>(packet.bytes.size()), .meta = packet.meta};
  const Sample sample{{packet.bytes.begin(), packet.bytes.end()}, whole.length, packet.meta};
  const std::uint32_t meant = oracle::run(Engine::Pred, s, whole), got = oracle::run(row.engine, s, whole);
  expect(got == meant || (meant == 0 && may_return(s, sample, sample.bytes.size(), got)),
         fmt::format("{} returns {}, the meaning {}, for a packet of {} bytes", row.name, got, meant, whole.length));
}

void check_packet(const Subject& s, const Sample& sample, std::size_t n) {
  const Packet packet = sample.cut(n);
  const std::uint32_t meant = oracle::run(Engine::Pred, s, packet);
  const bool metadata = oracle::uses_metadata(s.code) || oracle::uses_metadata(s.optimized_code);
  for (const oracle::EngineRow& row : oracle::engines) {
    // libpcap's interpreter knows of no metadata but VLAN tags.
    if (metadata && (row.engine == Engine::Cbpf || row.engine == Engine::CbpfOptimized)) continue;
    if (oracle::sees_whole_packets_only(row.engine)) {
      check_whole(row, s, packet);
      continue;
    }
    const std::uint32_t got = oracle::run(row.engine, s, packet);
    const bool refines = row.agreement == oracle::Agreement::Refines && meant == 0 && may_return(s, sample, n, got);
    expect(got == meant || refines,
           fmt::format("{} returns {}, the meaning {}, for {} of {} bytes", row.name, got, meant, n, sample.bytes.size()));
  }
}

/// The input's packet, a real one, and such as take the ways of the program.
std::vector<Sample> packets_for(const Input& input, const Subject& s, oracle::Random& random) {
  constexpr std::size_t runs = 24;
  std::vector<Sample> packets = {input.packet, oracle::realistic_packet(input.setting.link_type, random)};
  oracle::explore(s.code, packets, runs, random);
  return packets;
}

void check_packets(const Input& input, const Subject& s) {
  oracle::Random random(std::hash<std::string>{}(input.text));
  for (const Sample& sample : packets_for(input, s, random)) {
    check_packet(s, sample, sample.bytes.size());
    check_packet(s, sample, random.below(sample.bytes.size() + 1));
  }
}

/// Too large for classic BPF: the graph is all there is to run.
void check_graph(const Input& input, const Filter& plain, const Filter& optimized) {
  const Packet packet = input.packet.whole();
  expect(plain.run(packet) == 0 || plain.run(packet) == optimized.run(packet), "the optimized graph loses a packet");
}

void compile_one(const Input& input) {
  const auto plain = compile(input.text, options_of(input.setting, false));
  const auto optimized = compile(input.text, options_of(input.setting, true));
  expect(plain.has_value() == optimized.has_value(), "the optimizer decides what is a filter");
  if (!plain) return expect_presentable(input.text, plain.error());
  check_forms(input.text, *optimized);  // a third of all time goes into them: those of one filter are enough
  const auto stages = oracle::compile(input.setting, input.text, *fixed());
  if (!stages) {
    expect(stages.error().code == Code::TooLarge, "compiled by the library, but not by its stages: " + stages.error().message);
    return check_graph(input, *plain, *optimized);
  }
  const auto wrong = oracle::defect(*stages);
  expect(!wrong, wrong.value_or(""));
  check_numbers(*plain, stages->code);
  check_numbers(*optimized, stages->program());
  check_packets(input, *stages);
}

}  // namespace
}  // namespace weir::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  weir::fuzz::compile_one(weir::fuzz::read_input({data, size}));
  return 0;
}
