// Where errors point, and what they advise.
#include <doctest/doctest.h>

#include <string>

#include "dump.hpp"

namespace weir::grammar {
namespace {

struct Case {
  std::string filter;
  std::string at;    ///< the words pointed at
  std::string hint;  ///< a part of the hint
};

TEST_CASE("common mistakes") {
  const Case cases[] = {
      {"10.0.0.1", "10.0.0.1", "host 10.0.0.1"},
      {"00:11:22:33:44:55", "00:11:22:33:44:55", "ether host 00:11:22:33:44:55"},
      {"tcp and (80 or port 90)", "port", "begin with a value without a qualifier"},
      {"(80 or port 90)", "or", "port 80"},
      {"80", "80", "port 80"},
      {"dns or port 53", "dns", "'port 53'"},
      {"net 10.0.0.0 255.0.0.0", "255.0.0.0", "net 10.0.0.0 mask 255.0.0.0"},
      {"ip(8) = 5", "(", "ip[8]"},
      {"tcp-syn", "tcp-syn", "tcp[tcpflags] & tcp-syn != 0"},
      {"ipv6 and tcp", "ipv6", "'ip6'"},
      {"host 10.0.0.5 port 5432", "port", "'and' or 'or' is missing before 'port'"},
      {"tcp 80", "80", "tcp port 80"},
      {"ip 10.0.0.1", "10.0.0.1", "ip host 10.0.0.1"},
      {"ip proto icmp", "icmp", "'\\icmp'"},
      {"dst proto \\tcp", "proto", "no direction"},
      {"tcp[tcpflags] && tcp-syn != 0", "&&", "for bits write '&'"},
      {"tcp[13] & 2", "2", "compare it"},
      {"TCP port 80", "TCP", "'tcp'"},
      {"host a AND port 80", "AND", "'and'"},
      {"tcp.port eq 55082", "tcp.port eq 55082", "here that is 'tcp port 55082'"},
      {"len-1 = 5", "len-1", "spaces around the minus"},
      {"host 10.0.0.1 and", "and", "a condition must stand here"},
      {"port", "port", "followed by what it is about"},
      {"(tcp or udp", "(", "a ')' is missing"},
      {"tcp)", ")", "no '('"},
      {"host 1.2.3.4:80", ":", "'port 80'"},
      {"net 10/8", "/", "10.0.0.0/8"},
      {"port 80, 90", ",", "port (80 or 443)"},
      {"\"tcp\"", "\"", "quotes"},
      {"pppoed 7", "7", "pppoes 7"},
      // misspelt keywords
      {"host 10.0.0.1 or hots 10.0.0.2", "hots", "did you mean 'host'?"},
      {"tpc port 80", "tpc", "did you mean 'tcp'?"},
      {"ip and dst prot 22", "prot", "did you mean 'port'?"},
      {"tcp prot 80", "prot", "did you mean 'port' or 'proto'?"},
      {"tcp adn port 80", "adn", "did you mean 'and'?"},
      {"host a nto port 80", "nto", "'and' or 'or'"},
      {"tcp[tcpflag] & tcp-sym != 0", "tcpflag", "did you mean 'tcpflags'?"},
      {"udp portrnage 1-2", "portrnage", "did you mean 'portrange'?"},
      {"ether brodcast", "brodcast", "did you mean 'broadcast'?"},
      {"(tcp and hsot a) or upd port 53", "hsot", "did you mean 'host'?"},
      {"ip or (van and ip)", "van", "did you mean 'vlan'?"},
      {"trp[13] & 4 == 4", "trp", "'tcp'?"},
      {"foo", "foo", "host foo"},
      // Wireshark
      {"ip.addr == 1.2.3.4", "ip.addr == 1.2.3.4", "here that is 'host 1.2.3.4'"},
      {"tcp and ip.addr == 10.0.0.0/8", "ip.addr == 10.0.0.0/8", "here that is 'net 10.0.0.0/8'"},
      {"ip.src != 1.2.3.4", "ip.src != 1.2.3.4", "here that is 'not src host 1.2.3.4'"},
      {"!(tcp.dstport in {80, 443})", "tcp.dstport in {80, 443}", "here that is 'tcp dst port (80 or 443)'"},
      {"frame.len >= 100", "frame.len >= 100", "here that is 'len >= 100'"},
      {"tcp.flags.syn == 1 && tcp.flags.ack == 0", "tcp.flags.syn == 1", "here that is 'tcp[tcpflags] & tcp-syn != 0'"},
      {"tcp.flags.reset == 0", "tcp.flags.reset == 0", "'tcp[tcpflags] & tcp-rst = 0'"},
      {"http", "http", "here that is 'tcp port 80'"},
      {"http.request", "http.request", "filters here name addresses"},
      {"tcp contains \"GET\"", "contains", "search nothing"},
      {"ip.addr == nonsense!", "ip.addr == nonsense!", "filters here name addresses"},
      {"eth.addr ==", "eth.addr ==", "filters here name addresses"},
      // what looks alike
      {"port 80 | port 443", "|", "joined with 'and' and 'or'"},
      {"tcp & port 80", "&", "joined with"},
      {"src port = 80", "=", "leave it out"},
      {"not udp and port != 80", "!=", "write 'not' before"},
      {"vlan == 5", "==", "leave it out"},
      {"port > 1024", ">", "'portrange 1024-65535'"},
      {"portrange 80:90", ":", "portrange 80-90"},
      {"vlan id 5", "id", "'vlan 5'"},
      {"mpls label 16", "label", "'mpls 16'"},
      {"host 10.0.0.*", "*", "'net 10.0.0.0/24'"},
      {"port 80 to 90", "to", "'portrange 80-90'"},
      {"port range 80-90", "80-90", "portrange"},
      {"port in (80 or 90)", "(", "'port (80 or 443)'"},
      {"port 80 -- web", "-", "comment"},
      {"tcp[tcpflags] & (tcp-syn or tcp-ack) != 0", "or", "joined with '|'"},
      {"tcp[13] === 2", "=", "one '='"},
      {"tcp[13] <> 2", ">", "'!='"},
      {"tcp[13] = $02", "$02", "0x"},
      {"ip[9] = tcp", "tcp", "'ip proto 6'"},
      {"icmp[type] = 8", "type", "icmp[icmptype]"},
      {"tcp + udp", "+", "joined with"},
      {"icmp echo", "echo", "icmp[icmptype] = icmp-echo"},
      {"tcp 10.0.0.1", "10.0.0.1", "'tcp and host 10.0.0.1'"},
      {"greater than 100", "than", "'greater 100'"},
      {"any", "any", "empty expression"},
      {"*", "*", "empty expression"},
      {"src ip 10.0.0.1", "ip", "in this order: protocol, direction, type"},
      {"src tcp port 80", "tcp", "first: 'tcp src port 80'"},
      {"port tcp 80", "tcp", "first: 'tcp port 80'"},
      {"port src 80", "src", "first: 'src port 80'"},
      {"net src host 10.0.0.1", "src", "'src host'"},
      {"port host 80", "host", "leave one of them out"},
      {"host -x", "-", "no name begins with '-'"},
      {"10.0.0.0/8", "10.0.0.0", "'net 10.0.0.0/8'"},
      {"10.0.0.1:80", "10.0.0.1", "'host 10.0.0.1 and port 80'"},
      {"10.0.0.1 > 10.0.0.2", "10.0.0.1", "'src host 10.0.0.1 and dst host 10.0.0.2'"},
      {"tcp 80-90", "80-90", "'tcp portrange 80-90'"},
      {"port 80|443", "|", "'port (80 or 443)'"},
      {"vlan 1,2", ",", "looked for inside the first"},
      {"vlan > 5", ">", "ether[14:2] & 0xfff"},
      {"len > 1k", "1k", "no unit"},
      {"len > 5 bytes", "bytes", "no unit"},
      {"len = 60,61", ",", "'len = 60 or len = 61'"},
      {"tcp[13] =", "=", "missing behind '='"},
      {"1 = 1 = 1", "=", "two sides"},
      {"src dst 10.0.0.1", "dst", "'src or dst'"},
      {"host [::1]", "[", "without brackets"},
      {"host fe80::1%eth0", "%", "no zones here: 'host fe80::1'"},
      {"host 2001:db8", ":", "eight groups"},
      {"net 10.0.0.0 netmask 255.0.0.0", "netmask", "'net 10.0.0.0 mask 255.0.0.0'"},
      {"host 10.0.0.1 to 10.0.0.9", "to", "no ranges of addresses"},
      {"port 22 or 80)", ")", "no '('"},
      {"port 22-", "-", "two ends"},
      {"port http/tcp", "/", "'tcp port http'"},
      {"tcp:80", ":", "'tcp port 80'"},
      {"tcp port80", "port80", "two words"},
      {"tcp 13] = 1", "13", "'tcp[13]'"},
      {"tcp[13:] = 1", "]", "1, 2 or 4"},
      {"tcp[13,2] = 1", ",", "behind a colon"},
      {"ip[] = 1", "]", "'ip[2:2]'"},
      {"tcp[13] & (2|16 != 0", "(", "missing before '!='"},
      {"len 100", "100", "'len > 100'"},
      {"tcp and greater", "greater", "followed by a number"},
      {"vlan -1", "-", "negative"},
      {"byte 5", "5", "'byte 5 = 1'"},
      {"byte 5 != 3", "!=", "'link[5]'"},
      {"ttl < 5", "ttl < 5", "here that is 'ip[8] < 5'"},
      {"ttl 5", "ttl 5", "here that is 'ip[8] = 5'"},
      {"ip ttl < 3", "ip ttl < 3", "here that is 'ip[8] < 3'"},
      {"tcp and ip len > 100", "ip len > 100", "here that is 'ip[2:2] > 100'"},
      {"ip ttl", "ip ttl", "here that is 'ip[8]'"},
      {"tcp port 80 > out.pcap", ">", "numbers are compared"},
      {"tcp port 80 -w out.pcap", "-", "outside of the expression"},
      {"host example.com/index.html", "/", "only its name"},
      {"tcp \\( udp", "\\", "backslash"},
      {"tcp dport 22", "dport", "here that is 'dst port'"},
      {"ip.addr in {10.0.0.0/8 192.168.0.0/16}", "ip.addr in {10.0.0.0/8 192.168.0.0/16}", "'net (10.0.0.0/8 or 192.168.0.0/16)'"},
      {"ip[12:4] = 10.0.0.1", "10.0.0.1", "'src host 10.0.0.1'"},
      {"tcp[13 & 2 != 0", "!=", "']' is missing"},
      {"net 10.*", "*", "no wildcards"},
      {"net 10.0.0.0/255.0.0.0", "255.0.0.0", "net 10.0.0.0 mask 255.0.0.0"},
      {"host 2001:db8::g", "g", "eight groups"},
      {"\\tcp", "\\tcp", "backslash"},
      {"-i eth0 tcp", "i", "options stand before it"},
      {"tcp \xe2\x80\x93 udp", "\xe2\x80\x93", "plain '-'"},
      {"host\xc2\xa0""a", "\xc2\xa0", "ordinary space"},
      {"\xef\xbb\xbftcp", "\xef\xbb\xbf", "byte order mark"},
      {std::string("t\0c\0p\0", 6), "t", "UTF-16"},
      {"port \xe9", "\xe9", "not UTF-8"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.filter);
    const Result<ast::Expr> e = parse(c.filter);
    REQUIRE(!e);
    CHECK(e.error().code == Code::Syntax);
    CHECK(c.filter.substr(e.error().span.begin, e.error().span.end - e.error().span.begin) == c.at);
    CAPTURE(e.error().hint);
    CHECK(e.error().hint.find(c.hint) != std::string::npos);
  }
}

}  // namespace
}  // namespace weir::grammar
