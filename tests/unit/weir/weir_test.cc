// The library as a sniffer uses it.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "names/names.hpp"
#include "weir/stages.hpp"
#include "weir/weir.hpp"

using namespace weir;

namespace {

std::string listing(std::string_view filter, Options options = {}) {
  const auto f = compile(filter, options);
  REQUIRE_MESSAGE(f, (f ? "" : render(filter, f.error())));
  return *f->dump(Emit::Listing);
}

Diagnostic error(std::string_view filter, Options options = {}) {
  const auto f = compile(filter, options);
  REQUIRE(!f);
  return f.error();
}

std::string words(std::string_view filter, Span s) { return std::string(filter.substr(s.begin, s.end - s.begin)); }

std::string repeated(std::string_view unit, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += unit;
  return text;
}

}  // namespace

TEST_CASE("an empty filter keeps everything") {
  CHECK(listing("") == "(000) ret      #262144\n");
  CHECK(listing(" # nothing\n") == "(000) ret      #262144\n");
}

TEST_CASE("filters match packets") {
  // Ethernet, IPv4 without options, TCP from port 80.
  std::vector<std::uint8_t> packet(60);
  packet[12] = 8, packet[14] = 0x45, packet[23] = 6, packet[35] = 80;
  const auto f = compile("tcp src port 80");
  REQUIRE(f);
  CHECK(f->match({packet, 60, {}}));
  CHECK(f->run({packet, 60, {}}) == 262144);
  packet[35] = 81;
  CHECK(!f->match({packet, 60, {}}));
}

TEST_CASE("threads may be the first to ask one filter for anything, all at once") {
  std::vector<std::uint8_t> packet(60);
  packet[12] = 8, packet[14] = 0x45, packet[26] = 10, packet[29] = 1;
  const std::vector<Packet> packets(65, Packet{packet, 60, {}});
  for (const bool native : {true, false})
    for (int round = 0; round < 10; ++round) {
      Options options;
      options.native = native;
      auto f = compile("ip host 10.0.0.1 or ip6 net fe80::/10 or portrange 5-9", options);
      REQUIRE(f);
      const Filter& filter = *f;
      const auto batch = [&](const Filter& by) {
        std::vector<std::uint64_t> verdicts(2);
        return by.match_batch(packets, verdicts) == packets.size() && verdicts == std::vector<std::uint64_t>{~std::uint64_t{0}, 1};
      };
      const auto asked = [&](int what) {
        switch (what) {
          case 0: return filter.match(packets[0]);
          case 1: return batch(filter);
          case 2:
            return filter.dump(Emit::Ir) ==
                   compile("ip host 10.0.0.1 or ip6 net fe80::/10 or portrange 5-9", options)->dump(Emit::Ir);
          default:
            return filter.dump(Emit::C).has_value() && filter.program({}).has_value() &&
                   filter.dump(Emit::Native).has_value() == native;
        }
      };
      constexpr int ways = 4, threads = 2 * ways;
      std::latch begin(threads);
      std::atomic<int> right = 0;
      {
        std::vector<std::jthread> all;
        for (int t = 0; t < threads; ++t)
          all.emplace_back([&, t] {
            begin.arrive_and_wait();
            right += asked(t % ways);
          });
      }
      CHECK_EQ(right, threads);
      const Filter moved = std::move(*f);
      CHECK(moved.match(packets[0]));
      CHECK(batch(moved));
    }
}

TEST_CASE("the graph after a pass") {
  const auto f = compile("arp or tcp port 80 or tcp port 90");
  REQUIRE(f);
  for (const std::string_view pass : pass_names()) CHECK(f->dump_after(pass).value_or("").contains("root"));
  CHECK(!f->dump_after("facts")->contains(" in {"));
  CHECK(f->dump_after("sets")->contains(" in {"));
  REQUIRE(!f->dump_after("nonsense"));
  CHECK(f->dump_after("nonsense").error().code == Code::Range);
}

TEST_CASE("a listing without dead tests") {
  CHECK(listing("ip and ip and not arp") == listing("ip"));
  CHECK(listing("ip or ip") == listing("ip"));
  CHECK(listing("not not ip") == listing("ip"));
}

TEST_CASE("a filter that matches nothing, or everything, compiles with a warning that says why") {
  struct Row { const char* filter; const char* at; const char* message; const char* hint; const char* link_type = "EN10MB"; };
  const Row rows[] = {
      {"tcp and udp port 53", "tcp and udp port 53", "rejects all packets: 'tcp' and 'udp port 53' exclude each other",
       "bytes 12-13, byte 20 and byte 23"},
      {"len > 5 and ip and port 80 and ip6", "ip and port 80 and ip6", "'ip' and 'ip6' exclude each other", "bytes 12-13 cannot"},
      {"not (ip or not ip)", "not (ip or not ip)", "'(ip or not ip)' always matches, and 'not' turns it around", ""},
      {"arp or ip and len < 0", "len < 0", "'len < 0' never matches", ""},
      {"host 10.0.0.1 and host 10.0.0.2 and host 10.0.0.3", "host 10.0.0.1 and host 10.0.0.2 and host 10.0.0.3",
       "cannot hold together", ""},
      {"(tcp and udp) or (ip and arp)", "tcp and udp", "'tcp' and 'udp' exclude", "none of the alternatives"},
      {"tcp and ip6 host ::1", "ip6 host ::1", "'ip6 host ::1' never matches on DLT_IPV4", "", "IPV4"},
      {"10 / link[0] = 3 and arp", "arp", "'arp' never matches on DLT_LOOP", "", "LOOP"},
      {"10 / ether[1] = 3 and ip and arp", "ip and arp", "'ip' and 'arp' exclude", ""},
      {"src port (80 and 90)", "80 and 90", "'80' and '90' exclude", ""},
      {"ip or not ip", "ip or not ip", "accepts every packet", "empty filter"},
  };
  for (const Row& r : rows) {
    CAPTURE(std::string(r.filter));
    Options options;
    options.link_type = r.link_type;
    const auto f = compile(r.filter, options);
    REQUIRE(f);
    REQUIRE(f->warnings().size() == 1);
    const Diagnostic& d = f->warnings()[0];
    CAPTURE(d.message);
    CHECK(std::string(r.filter).substr(d.span.begin, d.span.end - d.span.begin) == r.at);
    CHECK(d.message.find(r.message) != std::string::npos);
    CHECK(d.hint.find(r.hint) != std::string::npos);
    options.strict = true;
    const auto refused = compile(r.filter, options);
    REQUIRE(!refused);
    CHECK(refused.error() == d);
  }
  CHECK(compile("ip or ip6")->warnings().empty());
  CHECK(compile("")->warnings().empty());
}

TEST_CASE("bare ids inherit what stands before them") {
  CHECK(listing("port 80 or 90") == listing("port 80 or port 90"));
  CHECK(listing("tcp src port (80 or 90)") == listing("tcp src port 80 or tcp src port 90"));
  CHECK(listing("port 80 or (host 10.0.0.1) or 90") == listing("port 80 or host 10.0.0.1 or port 90"));
  CHECK(error("tcp or 80").code == Code::Syntax);
  CHECK(error("(port 80) or 90").code == Code::Syntax);
}

TEST_CASE("equal precedence, left to right") {
  CHECK(listing("ip or arp and len > 5") == listing("(ip or arp) and len > 5"));
  CHECK(listing("not ip or arp") == listing("(not ip) or arp"));
}

TEST_CASE("tunnels move what stands to their right") {
  CHECK(listing("ip and not vlan") != listing("not vlan and ip"));
  CHECK(listing("vlan or ip").find("[16]") != std::string::npos);
}

TEST_CASE("errors point at the words") {
  const std::string net = "tcp and net 10.0.0.1/8";
  CHECK(words(net, error(net).span) == "10.0.0.1/8");
  CHECK(error(net).hint == "the network is 10.0.0.0/8");
  const std::string vlan = "ip or vlan 4096";
  CHECK(words(vlan, error(vlan).span) == "4096");
  CHECK(error(vlan).message == "VLAN tag 4096 greater than maximum 4095");
  const std::string zero = "len / (2 - 2) = 1";
  CHECK(error(zero).code == Code::Arithmetic);
}

TEST_CASE("a name that is none may be a keyword misspelt") {
  struct Row { const char* filter; const char* hint; };
  for (const Row& r : {Row{"tcp or udpp", "did you mean 'udp'?"}, Row{"tcp and syn", "'tcp[tcpflags] & tcp-syn != 0'"},
                       Row{"tcp or 80", "put a qualifier"}}) {
    const auto filter = compile(r.filter);
    REQUIRE(!filter);
    CHECK(filter.error().hint.find(r.hint) != std::string::npos);
  }
}

TEST_CASE("a word of another tool is translated only where the translation may stand") {
  Options options;
  options.link_type = "IEEE802_11";
  const auto filter = compile("type mgt subtype ack", options);
  REQUIRE(!filter);
  CHECK(filter.error().hint.find("tcp") == std::string::npos);
}

TEST_CASE("what a display filter is here matches what it matches there") {
  const auto packet = [](std::uint8_t protocol, const std::vector<std::uint8_t>& transport) {
    const std::uint8_t ip[] = {
        0x45, 0, 0, static_cast<std::uint8_t>(20 + transport.size()), 0, 0, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10,
        0,    0, 2};
    std::vector<std::uint8_t> b(14 + 20 + transport.size());
    b[12] = 8;
    std::ranges::copy(ip, b.begin() + 14);
    std::ranges::copy(transport, b.begin() + 34);
    return b;
  };
  const auto tcp = [&](std::uint8_t flags, std::size_t payload) {
    std::vector<std::uint8_t> t{0, 80, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0};
    t.resize(t.size() + payload);
    return packet(6, t);
  };
  const auto udp = packet(17, {0, 53, 0, 53, 0, 20, 0, 0, 0, 0, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  std::vector<std::uint8_t> arp(60);
  arp[12] = 8;
  arp[13] = 6;
  struct Row { const char* filter; bool syn, ack, data, udp, arp; };
  const Row rows[] = {
      {"tcp.len > 0", false, false, true, false, false},
      {"tcp.flags.ack == 0", true, false, false, false, false},
      {"tcp.flags.syn == 1", true, false, false, false, false},
      {"ip.flags.df == 0", false, false, false, false, false},
      {"dns.flags.response == 0", false, false, false, true, false},
      {"tcp.port != 80", false, false, false, true, true},
      {"!(udp.srcport in {53 54})", true, true, true, false, true},
  };
  for (const Row& r : rows) {
    CAPTURE(std::string(r.filter));
    const auto wrong = compile(r.filter);
    REQUIRE(!wrong);
    const std::string& hint = wrong.error().hint;
    const auto begin = hint.find('\'') + 1;
    std::string text = hint.substr(begin, hint.rfind('\'') - begin);
    if (r.filter[0] == '!') text = "not (" + text + ")";
    CAPTURE(text);
    const auto filter = compile(text);
    REQUIRE(filter);
    const auto matches = [&](const std::vector<std::uint8_t>& b) {
      return filter->match({.bytes = b, .length = static_cast<std::uint32_t>(b.size())});
    };
    CHECK(matches(tcp(0x02, 0)) == r.syn);
    CHECK(matches(tcp(0x10, 0)) == r.ack);
    CHECK(matches(tcp(0x18, 5)) == r.data);
    CHECK(matches(udp) == r.udp);
    CHECK(matches(arp) == r.arp);
  }
}

TEST_CASE("rendering puts a caret under the words, also in long and many-line filters") {
  const std::string filter = "tcp and\n  vlan 5000 or\nudp";
  CHECK(render(filter, error(filter)) ==
        "error: line 2: VLAN tag 5000 greater than maximum 4095\n    vlan 5000 or\n         ^~~~\n  hint: allowed are 0 to 4095\n");
  const std::string far = repeated("tcp port 80 or ", 100) + "vlan 5000" + repeated(" or udp port 53", 100);
  const std::string text = render(far, error(far));
  CHECK(text.find("vlan 5000") != std::string::npos);
  CHECK(text.size() < 500);
  const auto line = text.find("  ...");
  const auto shown = text.substr(line, text.find('\n', line) - line);
  const auto caret = text.substr(text.find('\n', line) + 1);
  CHECK(shown.substr(caret.find('^'), 4) == "5000");
}

TEST_CASE("the order and depth of a filter are bounded, its length is not") {
  CHECK(error(repeated("not ", 200'000) + "ip").code == Code::TooDeep);
  CHECK(error(repeated("(", 200'000) + "ip" + repeated(")", 200'000)).code == Code::TooDeep);
  std::string chain = "ip";
  for (int i = 0; i < 200'000; ++i) chain += i % 2 ? " and ip" : " or arp";
  CHECK(compile(chain));
}

TEST_CASE("what does not fit says by how much, and still matches") {
  std::string hosts = "host 10.0.0.1";
  for (int i = 1; i < 5000; ++i) hosts += " or 10.1." + std::to_string(i / 64) + "." + std::to_string(i % 64 * 3 + 1);
  const auto f = compile(hosts);
  REQUIRE(f);
  const auto code = f->bytecode();
  REQUIRE(!code);
  CHECK(code.error().code == Code::TooLarge);
  CHECK(code.error().message.find("4096") != std::string::npos);
  std::vector<std::uint8_t> packet(60);
  packet[12] = 8, packet[14] = 0x45, packet[26] = 10, packet[27] = 1, packet[29] = 22;
  CHECK(f->match({packet, 60, {}}));
  packet[27] = 2;
  CHECK(!f->match({packet, 60, {}}));
}

/// `((hosts…) and port P) or …`
std::string hosts_with_ports(int terms, int hosts) {
  std::string text;
  for (int i = 0; i < terms; ++i) {
    text += i == 0 ? "((" : " or ((";
    for (int n = hosts * i; n < hosts * (i + 1); ++n)
      text += (n == hosts * i ? "host 10." : " or host 10.") + std::to_string(n * 37 % 251) + "." + std::to_string(n * 91 % 241) +
              "." + std::to_string(n * 53 % 239 + 1);
    text += ") and port " + std::to_string(1000 + 7919 * i % 50000) + ")";
  }
  return text;
}

TEST_CASE("what makes a list fast does not make it too long") {
  const auto fits_only_otherwise = compile(hosts_with_ports(220, 2));
  REQUIRE(fits_only_otherwise);
  CHECK(fits_only_otherwise->bytecode());
  const auto many_hosts = compile(hosts_with_ports(20, 4));
  REQUIRE(many_hosts);
  CHECK(many_hosts->bytecode()->size() < 439);  // of libpcap's program
}

TEST_CASE("jumps reach however far the program is long") {
  std::string ports = "tcp port 1";
  for (int i = 2; i < 400; ++i) ports += " or tcp port " + std::to_string(7 * i);
  const auto f = compile(ports);
  REQUIRE(f);
  REQUIRE(f->bytecode());
  std::vector<std::uint8_t> packet(60);
  packet[12] = 8, packet[14] = 0x45, packet[23] = 6;
  for (int i = 0; i < 3000; ++i) {
    packet[36] = static_cast<std::uint8_t>(i >> 8), packet[37] = static_cast<std::uint8_t>(i);
    REQUIRE(f->match({packet, 60, {}}) == (i == 1 || (i % 7 == 0 && i / 7 >= 2 && i / 7 < 400)));
  }
}

TEST_CASE("names come from where they are told to come from") {
  names::FixedTables tables;
  tables.hosts = {"10.0.0.7 gate"};
  tables.services = {"web 8080/tcp"};
  Options options;
  options.names = names::fixed_names(tables);
  CHECK(listing("host gate", options) == listing("host 10.0.0.7"));
  CHECK(listing("port web", options) == listing("tcp port 8080"));
  CHECK(error("host nowhere", options).code == Code::Name);
}

namespace {

/// Counts what is asked.
struct Counting : names::Names {
  mutable int asked = 0;
  Result<names::Addresses> host(const std::string&) const override { ++asked; return names::Addresses{{0x0a000001}, {}}; }
  Result<std::optional<names::Mac>> ether(const std::string&) const override { ++asked; return names::Mac{0, 1, 2, 3, 4, 5}; }
  Result<std::optional<std::uint32_t>> network(const std::string&) const override { ++asked; return 0x0a000000u; }
  Result<names::Ports> port(const std::string&) const override { ++asked; return names::Ports{80, 80}; }
  Result<std::optional<std::uint32_t>> protocol(const std::string&) const override { ++asked; return 6u; }
};

}  // namespace

TEST_CASE("no name is looked up twice") {
  const auto names = std::make_shared<Counting>();
  Options options;
  options.names = names;
  CHECK(compile("host a or host a or src a or gateway a or ether host a", options));
  CHECK(names->asked == 2);
  CHECK(compile("port p or tcp port p or portrange p-p and proto x or ip proto x and net n and net n", options));
  CHECK(names->asked == 5);
  CHECK(compile("host b and not host b", options)->warnings().size() == 1);  // the explanation asks again, but not the tables
  CHECK(names->asked == 6);
}

TEST_CASE("metadata only where the kernel gives them") {
  CHECK(error("inbound").code == Code::LinkType);
  Options live;
  live.linux_ext = true;
  CHECK(listing("inbound", live).find("type") != std::string::npos);
}

TEST_CASE("cooked sockets show packets from the network header on") {
  Options cooked;
  cooked.link_type = "LINUX_SLL2";
  cooked.cooked = true;
  CHECK(listing("ip[8] = 64", cooked).starts_with("(000) ld       [proto]\n"));
  CHECK(listing("ip[8] = 64", cooked).find("ldb      [8]") != std::string::npos);
  CHECK(listing("link[10] = 4", cooked) == listing("outbound", cooked));
  CHECK(listing("link[28] = 64", cooked).starts_with("(000) ldb      [8]\n"));
  CHECK(listing("less 80", cooked).find("add      #20") != std::string::npos);  // the header counts
  CHECK(error("link[11] = 6", cooked).code == Code::LinkType);
  CHECK(error("byte 11 = 6", cooked).code == Code::LinkType);
  CHECK(error("link[len] = 6", cooked).code == Code::LinkType);
  cooked.link_type = "EN10MB";
  CHECK(error("ip", cooked).code == Code::LinkType);
}

TEST_CASE("a link type of which only the bytes are known") {
  Options options;
  options.link_type = "USB_LINUX";
  CHECK(compile("link[0] = 1 and len > 5", options));
  CHECK(error("ip", options).message ==
        "link-layer type filtering not implemented for DLT_USB_LINUX (USB with the header of Linux, 48 bytes)");
  options.link_type = "NOSUCH";
  CHECK(error("ip", options).code == Code::LinkType);
}

TEST_CASE("a filter on a socket") {
  int sockets[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets) == 0);
  const auto arrives = [&](const char* byte) {
    char got[2];
    REQUIRE(::send(sockets[0], byte, 1, 0) == 1);
    return ::recv(sockets[1], got, sizeof got, MSG_DONTWAIT) == 1;
  };
  const auto filter = compile("ether[0] = 0x61");
  REQUIRE(filter);
  REQUIRE(filter->attach(sockets[1]));
  CHECK(arrives("a"));
  CHECK(!arrives("b"));
  CHECK(filter->attach(-1).error().code == Code::System);
  std::string ports = "port 1";
  for (int port = 3; port < 9000; port += 2) ports += " or port " + std::to_string(port);
  const auto huge = compile(ports);
  REQUIRE(huge);
  CHECK(huge->attach(sockets[1]).error().code == Code::TooLarge);
  CHECK(!arrives("b"));  // the one before stays
  ::close(sockets[0]);
  ::close(sockets[1]);
}

namespace {

/// An Ethernet frame with a TCP segment from 10.0.0.1 to 10.0.0.2.
std::vector<std::uint8_t> tcp_frame(std::uint8_t port) {
  std::vector<std::uint8_t> frame(54);
  frame[12] = 8;
  frame[14] = 0x45;
  frame[23] = 6;
  frame[26] = frame[30] = 10;
  frame[37] = port;
  return frame;
}

}  // namespace

TEST_CASE("native code and the interpreters give the same verdicts") {
  for (const bool native : {true, false}) {
    Options options;
    options.native = native;
    const auto f = compile("tcp port 80", options);
    REQUIRE(f);
    for (int time = 0; time < 3; ++time)
      for (const std::uint8_t port : {std::uint8_t{80}, std::uint8_t{81}})
        for (const std::size_t captured : {std::size_t{54}, std::size_t{38}, std::size_t{37}, std::size_t{0}}) {
          auto frame = tcp_frame(port);
          frame.resize(captured);
          CHECK_EQ(f->match({frame, 54}), port == 80 && captured >= 38);
        }
    std::string why;
    const Engine engine = f->engine(&why);
    if (!native) CHECK_EQ(engine, Engine::Bytecode);
    CHECK_EQ(why.empty(), engine == Engine::Native);
  }
}

TEST_CASE("a program fits where it does so after its tests are joined") {
  std::string text = "ether[0] = 0";
  for (int i = 1; i < 2040; ++i) text += " and ether[" + std::to_string(i) + "] = " + std::to_string(i % 251);
  const auto f = compile(text);
  REQUIRE(f);
  const auto program = f->bytecode();
  REQUIRE(program);
  CHECK(program->size() < 1200);
}

namespace {

/// Whether a batch of records, every third of `yes`, has the verdicts of those, whatever their number.
template <typename Record>
void check_batches(const Filter& f, const Record& yes, const Record& no) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65}, std::size_t{200}}) {
    std::vector<Record> packets;
    for (std::size_t i = 0; i < count; ++i) packets.push_back(i % 3 ? no : yes);
    std::vector<std::uint64_t> verdicts((count + 63) / 64, ~std::uint64_t{0});
    CHECK_EQ(f.match_batch(packets, verdicts), (count + 2) / 3);
    for (std::size_t i = 0; i < verdicts.size() * 64; ++i) CHECK_EQ((verdicts[i / 64] >> i % 64 & 1) != 0, i < count && i % 3 == 0);
  }
}

}  // namespace

TEST_CASE("a batch has the verdict of each packet, whatever records and engine") {
  const auto yes = tcp_frame(80), no = tcp_frame(81);
  for (const bool native : {true, false}) {
    Options options;
    options.native = native;
    const auto f = compile("tcp port 80 and len = 54", options);
    REQUIRE(f);
    check_batches<Packet>(*f, {.bytes = yes, .length = 54}, {.bytes = no, .length = 54});
    check_batches<Packet>(*f, {.bytes = yes, .length = 54}, {.bytes = yes, .length = 53});
    const auto view = [](const std::vector<std::uint8_t>& bytes, std::uint32_t length) {
      return PacketView{bytes.data(), static_cast<std::uint32_t>(bytes.size()), length};
    };
    check_batches<PacketView>(*f, view(yes, 54), view(no, 54));
    check_batches<PacketView>(*f, view(yes, 54), view(yes, 53));
  }
}

TEST_CASE("what is too large for a loop of code is not tried again, with records of another kind or as a function") {
  std::string hosts = "host 10.0.0.1";
  for (int i = 1; i < 60'000; ++i)
    hosts += " or " + std::to_string(11 + i / 65536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) + ".1";
  Options options;
  options.optimize = false;
  const auto f = compile(hosts, options);
  REQUIRE(f);
  const Packet nothing;
  std::uint64_t verdict = 1;
  CHECK_EQ(f->match_batch({&nothing, 1}, {&verdict, 1}), 0);
  CHECK_EQ(verdict, 0);
  CHECK(f->stages().has_no_native);
  CHECK_EQ(f->engine(), Engine::Graph);
  const PacketView view;
  CHECK_EQ(f->match_batch({&view, 1}, {&verdict, 1}), 0);
}

TEST_CASE("of a view, what the kernel knows is 0") {
  Options options;
  options.linux_ext = true;
  const auto f = compile("vlan", options);
  REQUIRE(f);
  auto tagged = tcp_frame(80);
  const auto bare = tagged;
  tagged[12] = 0x81;
  tagged[13] = 0;
  CHECK(f->match({.bytes = bare, .length = 54, .meta = {.vlan_tag_present = 1}}));
  const auto view = [](const std::vector<std::uint8_t>& bytes) {
    return PacketView{bytes.data(), static_cast<std::uint32_t>(bytes.size()), 54};
  };
  check_batches<PacketView>(*f, view(tagged), view(bare));
}

TEST_CASE("a moved filter takes its native code along") {
  auto one = compile("tcp port 80");
  REQUIRE(one);
  const auto frame = tcp_frame(80);
  CHECK(one->match({frame, 54}));
  Filter other = std::move(*one);
  CHECK(other.match({frame, 54}));
  auto third = compile("udp");
  REQUIRE(third);
  CHECK_FALSE(third->match({frame, 54}));
  *third = std::move(other);
  CHECK(third->match({frame, 54}));
}
