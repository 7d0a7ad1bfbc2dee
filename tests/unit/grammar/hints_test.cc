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
      {"dns or port 53", "dns", "write 'port 53'"},
      {"net 10.0.0.0 255.0.0.0", "255.0.0.0", "net 10.0.0.0 mask 255.0.0.0"},
      {"ip(8) = 5", "(", "ip[8]"},
      {"tcp-syn", "tcp-syn", "tcp[tcpflags] & tcp-syn != 0"},
      {"ipv6 and tcp", "ipv6", "write 'ip6'"},
      {"host 10.0.0.5 port 5432", "port", "'and' or 'or' is missing before 'port'"},
      {"tcp 80", "80", "tcp port 80"},
      {"ip 10.0.0.1", "10.0.0.1", "ip host 10.0.0.1"},
      {"ip proto icmp", "icmp", "'\\icmp'"},
      {"dst proto \\tcp", "proto", "no direction"},
      {"tcp[tcpflags] && tcp-syn != 0", "&&", "for bits write '&'"},
      {"tcp[13] & 2", "2", "compare it"},
      {"TCP port 80", "TCP", "'tcp'"},
      {"host a AND port 80", "AND", "'and'"},
      {"tcp.port eq 55082", "tcp.port", "Wireshark"},
      {"len-1 = 5", "len-1", "spaces around the minus"},
      {"host 10.0.0.1 and", "and", "a condition must stand here"},
      {"port", "port", "followed by what it is about"},
      {"(tcp or udp", "udp", "a ')' is missing"},
      {"tcp)", ")", "no '('"},
      {"host 1.2.3.4:80", ":", "host 1.2.3.4 and port 80"},
      {"net 10/8", "/", "10.0.0.0/8"},
      {"port 80, 90", ",", "port (80 or 443)"},
      {"\"tcp\"", "\"", "quotes"},
      {"pppoed 7", "7", "pppoes 7"},
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
