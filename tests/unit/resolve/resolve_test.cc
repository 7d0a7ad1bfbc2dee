// What primitives mean in numbers, and what they refuse with which words. Verdicts are the oracle's business.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "grammar/parse.hpp"
#include "resolve/resolve.hpp"

using namespace weir;

namespace {

struct Where {
  const char* link_type = "EN10MB";
  bool linux_ext = false;
  wire::Savefile savefile = wire::Savefile::None;
};

Result<pred::Filter> meaning(const std::string& filter, Where where = {}) {
  names::FixedTables tables;
  tables.hosts = {"10.0.0.1 one", "10.0.0.3 many", "10.0.0.2 many", "2001:db8::1 many", "2001:db8::2 six"};
  tables.ethers = {"00:11:22:33:44:55 one"};
  tables.networks = {"home 192.168"};
  tables.services = {"web 80/tcp", "web 80/udp", "shell 514/tcp", "syslog 514/udp", "ftp-data 20/tcp", "ftp 21/tcp"};
  tables.protocols = {"icmp 1 ICMP", "tcp 6 TCP"};
  const auto names = names::fixed_names(tables);
  auto ast = grammar::parse(filter);
  if (!ast) return std::unexpected(ast.error());
  const wire::Target target{wire::find_link_type(where.link_type), 65535, std::nullopt, where.linux_ext, where.savefile};
  return resolve::resolve(*ast, target, *names);
}

std::string text(const std::string& filter, Where where = {}) {
  const auto f = meaning(filter, where);
  REQUIRE_MESSAGE(f, (f ? "" : f.error().message));
  return pred::to_string(*f);
}

}  // namespace

TEST_CASE("filters that mean the same") {
  struct Row { const char* a; const char* b; Where where = {}; };
  const Row rows[] = {
      {"host one", "host 10.0.0.1"},
      {"ip host many", "ip host 10.0.0.2 or 10.0.0.3", {"IPV4"}},
      {"net home", "net 192.168.0.0"},
      {"net 300", "net 1.44.0.0/16"},
      {"host 10.1", "net 10.1.0.0/16"},
      {"port web", "port 80"},
      {"port shell", "tcp port 514"},
      {"udp port syslog", "udp port 514"},
      {"portrange ftp-data-ftp", "tcp portrange 20-21"},
      {"portrange 0x50-82", "portrange 80-82"},
      {"portrange 9-5", "portrange 5-9"},
      {"portrange 7", "port 7"},
      {"ip proto \\icmp", "ip proto 1"},
      {"ether host one", "ether host 00-11-22-33-44-55"},
      {"ether host 0011.2233.4455", "ether host 001122334455"},
      {"ether host 0.11.22.33.44.55", "ether host 0:11:22:33:44:55"},
      {"ether proto \\ip", "ip"},
      {"vrrp", "ip proto 112"},
      {"ip6 host ::1", "ip6 net ::1/128"},
      {"tcp[tcpflags] & tcp-syn != 0", "tcp[13] & 2 != 0"},
      {"wlan type mgt", "type 0", {"IEEE802_11_RADIO"}},
      {"subtype beacon", "type mgt subtype beacon", {"IEEE802_11_RADIO"}},
      {"net 0.0.0.0/0 or arp", "(ip or arp or rarp) or arp"},
  };
  for (const Row& r : rows) {
    CAPTURE(r.a);
    CHECK(text(r.a, r.where) == text(r.b, r.where));
  }
}

TEST_CASE("filters that do not") {
  CHECK(text("ip and not vlan") != text("not vlan and ip"));
  CHECK(text("port shell") != text("port 514"));
  CHECK(text("1 + ip[9] = 7").find("0x800") == std::string::npos);  // only the left operand's guard counts
  CHECK(text("ip[9] + 1 = 7").find("0x800") != std::string::npos);
}

TEST_CASE("address families in savefiles match in either byte order") {
  const std::string native = text("ip", {"NULL", false, wire::Savefile::Native});
  CHECK(native.find("== 2\n") != std::string::npos);
  CHECK(native.find("0x2000000") != std::string::npos);
  CHECK(text("ip6", {"LOOP", false, wire::Savefile::Native}) == text("ip6", {"LOOP", false, wire::Savefile::Swapped}));
}

TEST_CASE("what is refused, where, and with which words") {
  struct Row { const char* filter; const char* at; const char* message; Where where = {}; };
  const Row rows[] = {
      {"tcp or vlan 4096", "4096", "VLAN tag 4096 greater than maximum 4095"},
      {"mpls 1048576", "1048576", "MPLS label 1048576 greater than maximum 1048575"},
      {"pppoes 65536", "65536", "PPPoE session number 65536 greater than maximum 65535"},
      {"geneve 16777216", "16777216", "Geneve VNI 16777216 greater than maximum 16777215"},
      {"port 65536", "65536", "port number 65536 greater than maximum 65535"},
      {"net 10.0.0.1/8", "10.0.0.1/8", "non-network bits set in \"10.0.0.1/8\""},
      {"net 10.0.0.0/33", "10.0.0.0/33", "netmask length 33 greater than maximum 32"},
      {"ip6 net 2001:db8::1/32", "2001:db8::1/32", "non-network bits set in \"2001:db8::1/32\""},
      {"host 10.0.0.256", "10.0.0.256", "invalid IPv4 address '10.0.0.256'"},
      {"host 10.0.0.1/32", "host 10.0.0.1/32", "'host' is not a valid qualifier for '10.0.0.1/32'"},
      {"tcp and port 10.0.0.1", "port 10.0.0.1", "'port' qualifier applied to IPv4 address"},
      {"tcp host 10.0.0.1", "tcp host 10.0.0.1", "'tcp' is not a valid qualifier for 'host <IPv4 address>'"},
      {"ip addr1 host 1.2.3.4", "ip addr1 host", "'addr1' is valid for 802.11 syntax only"},
      {"host nowhere", "nowhere", "unknown host 'nowhere'"},
      {"ip host six", "six", "unknown host 'six' for specified address family"},
      {"udp port shell", "shell", "port 'shell' is tcp"},
      {"port nowhere", "nowhere", "unknown port 'nowhere'"},
      {"portrange 1-2-3", "1-2-3", "port range '1-2-3' contains more than one hyphen, and no part of it is a known port"},
      {"proto nowhere", "nowhere", "unknown 'proto' value 'nowhere'"},
      {"ether host 10.0.0.1", "10.0.0.1", "illegal link-layer address '10.0.0.1'"},
      {"host 00:11:22:33:44:55", "00:11:22:33:44:55", "Ethernet address used in non-ether expression"},
      {"radio", "radio", "'radio' cannot be used as an abbreviation"},
      {"ip or ether", "ether", "the link layer alone cannot be used as an abbreviation"},
      {"tcp port $80", "tcp port $80", "'port' is not a valid qualifier for '$XX'"},
      {"ah[0] = 1", "ah[0]", "'ah' does not support the index operation"},
      {"ip[0:3] = 1", "3", "data size must be 1, 2, or 4"},
      {"len / (5 - 5) = 1", "(5 - 5)", "division by zero"},
      {"1 << 32 = 1", "32", "shift by more than 31 bits"},
      {"ip broadcast", "ip broadcast", "netmask not known, so 'ip broadcast' not supported"},
      {"tcp and inbound", "inbound", "not a live capture, 'inbound' not supported on DLT_EN10MB (Ethernet)"},
      {"mpls and arp", "arp", "unsupported protocol over mpls"},
      {"mpls and vlan", "vlan", "no VLAN match after MPLS"},
      {"ip or tcp or type mgt", "type mgt", "'type/subtype' not supported on DLT_EN10MB (Ethernet)"},
      {"type 1", "1", "invalid 802.11 type value 0x01", {"IEEE802_11_RADIO"}},
      {"protochain 4", "protochain 4", "'protochain' not supported with variable length headers", {"IEEE802_11_RADIO"}},
      {"vpi 1", "vpi 1", "'vpi' supported only on SUNATM"},
      {"fisu", "fisu", "'fisu' supported only on SS7"},
      {"decnet host 64.1", "64.1", "invalid DECnet address '64.1'"},
  };
  for (const Row& r : rows) {
    CAPTURE(std::string(r.filter));
    const auto f = meaning(r.filter, r.where);
    REQUIRE(!f);
    CHECK(f.error().message == r.message);
    const Span s = f.error().span;
    CHECK(std::string(r.filter).substr(s.begin, s.end - s.begin) == r.at);
  }
}

TEST_CASE("what is advised") {
  struct Row { const char* filter; const char* hint; Where where = {}; };
  const Row rows[] = {
      {"dst 10.0.0.0/8", "'dst net 10.0.0.0/8'"},
      {"net 10.0.0.1/8", "the network is 10.0.0.0/8"},
      {"net 10.0.0.1 mask 255.0.0.0", "the network is 10.0.0.0 mask 255.0.0.0"},
      {"net 2001:db8::1/32", "the network is 2001:db8::/32"},
      {"ip src host 2001:db8::1", "'ip6 src host 2001:db8::1'"},
      {"ip6 net 192.0.2.0/24", "'ip net 192.0.2.0/24'"},
      {"arp net 2001:db8::/32", "icmp6-neighborsolicit"},
      {"tcp host 10.0.0.1", "'tcp and host 10.0.0.1'"},
      {"udp src one", "'udp and src host one'"},
      {"ip port 80", "'ip and port 80'"},
      {"icmp dst port 80", "only 'tcp', 'udp' and 'sctp' have ports"},
      {"gateway 10.0.0.1", "/etc/ethers"},
      {"port 80-90", "'portrange 80-90'"},
      {"tcp src port 80-90", "'tcp src portrange 80-90'"},
      {"host 10.0.0.1-10.0.0.9", "no ranges of addresses"},
      {"net 10.0.0.1-10.0.0.9", "no ranges of addresses"},
      {"port 10.0.0.1", "addresses go with 'host'"},
      {"ip6 port 10.0.0.1", "addresses go with 'host'"},
      {"portrange 1.2-3", "give the number"},
      {"udp port shell", "'tcp port shell', or the number"},
      {"tcp addr1 port 80", "'tcp src port 80'"},
      {"ether src net 10.0.0.0/8", "'src net 10.0.0.0/8'"},
      {"ether host 2001:db8::/32", "'net 2001:db8::/32'"},
      {"decnet src ::1", "'decnet host 1.10'"},
      {"arp broadcast", "'arp and broadcast'"},
      {"ip6 broadcast", "'ip6 multicast'"},
      {"port WEB", "'web'"},
      {"icmp type 8", "icmp[icmptype] = 8"},
      {"host 00:11:22:33:44:55", "ether host 00:11:22:33:44:55"},
  };
  for (const Row& r : rows) {
    CAPTURE(std::string(r.filter));
    const auto f = meaning(r.filter, r.where);
    REQUIRE(!f);
    CAPTURE(f.error().hint);
    CHECK(f.error().hint.find(r.hint) != std::string::npos);
  }
}

namespace {

/// The dump of `a or b or …` put together from those of a, b, …
std::string dump_of_list(const std::vector<std::string>& operands, Where where) {
  std::string all = "or\n";
  for (const std::string& operand : operands) {
    const std::string one = text(operand, where);
    for (std::size_t at = 0; one.compare(at, 6, "accept") != 0; at = one.find('\n', at) + 1)
      all += "  " + one.substr(at, one.find('\n', at) + 1 - at);
  }
  return all + "accept 65535\n";
}

}  // namespace

TEST_CASE("in a list everything means what it means alone") {
  struct Row { std::vector<std::string> operands; Where where = {}; };
  const Row rows[] = {
      {{"host 10.0.0.1", "host 10.0.0.2", "host 10.0.0.3", "host 10.0.0.2", "src host 10.0.0.4", "host 10.0.0.5"}},
      // addresses that are numbers of protocols, too
      {{"host 0.0.8.0", "host 0.0.8.6", "host 0.0.128.53", "host 10.0.0.1", "host 0.0.8.0", "host 0.0.0.0"}},
      {{"host 77.71.67.0", "host 1.1.1.1", "host 77.71.67.0", "host 2.2.2.2"}, {"JUNIPER_MLPPP"}},
      {{"host 2.2.2.2", "host 77.71.67.0", "host 3.3.3.3", "host 4.4.4.4"}, {"JUNIPER_MLPPP"}},
      {{"net 10.0.0.0/8", "net 11.0.0.0/8", "net 12.0.0.0/16", "net 13.0.0.0/8", "net 14.0.0.0/16", "net 15.0.0.0/16",
        "net 1.2.3.4/32", "net 1.2.3.5", "net 1.2.3.6/32", "net 1.2", "net 1.3", "net 1.4.0.0/16"}},
      {{"port 80", "port 6", "port 17", "port 132", "port 8191", "port 443", "tcp port 80", "tcp port 6", "tcp port 22",
        "tcp src port 17", "udp port 80", "tcp src port 6", "port 2048", "port 80"}},
      {{"ip host 10.0.0.1", "arp host 10.0.0.1", "ip host 10.0.0.2", "arp host 10.0.0.2", "ip host 10.0.0.3", "arp host 10.0.0.3"}},
      {{"host 10.0.0.1", "host 10.0.0.2", "host 10.0.0.3", "port 80", "port 81", "port 82"}, {"RAW"}},
      {{"host 10.0.0.1", "host 10.0.0.2", "host 10.0.0.3", "port 80", "port 81", "port 82"}, {"NULL"}},
  };
  for (const Row& r : rows) {
    std::vector<std::string> operands = r.operands;
    operands.insert(operands.end(), r.operands.begin(), r.operands.end());  // short lists are resolved one by one
    std::string list = operands.front();
    for (std::size_t i = 1; i < operands.size(); ++i) list += " or " + operands[i];
    CAPTURE(list);
    CHECK(text(list, r.where) == dump_of_list(operands, r.where));
  }
}

TEST_CASE("in a list behind a tunnel the headers of the tunnel count") {
  CHECK(text("host 1.1.1.1 or host 1.1.1.2 or host 1.1.1.3 or ip or ip or ip or vlan or host 1.1.1.4").find("[16:2] == 0x800") !=
        std::string::npos);
  CHECK(text("vlan and (host 1.1.1.1 or host 1.1.1.2 or host 1.1.1.3)").find("[12:2] == 0x800") == std::string::npos);
}

TEST_CASE("in a list what is wrong is still found") {
  for (const char* wrong : {"host 10.0.0.256", "net 10.0.0.1/8", "net 10.0.0.0/33", "host 10.0.0.0/32", "port 65536"}) {
    const std::string right =
        std::string(wrong).starts_with("port")
            ? "port 1 or port 2 or port 3 or ip or ip or ip or ip"
            : "host 10.0.0.1 or net 1.0.0.0/8 or host 10.0.0.2 or net 2.0.0.0/8 or host 10.0.0.3 or net 3.0.0.0/8";
    CAPTURE(std::string(wrong));
    const auto f = meaning(right + " or " + wrong);
    REQUIRE(!f);
    const auto alone = meaning(wrong);
    REQUIRE(!alone);
    CHECK(f.error().message == alone.error().message);
    CHECK(f.error().span.begin == alone.error().span.begin + right.size() + 4);
  }
}
