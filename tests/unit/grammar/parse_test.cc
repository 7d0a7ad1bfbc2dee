#include "grammar/parse.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

#include "dump.hpp"

namespace weir::grammar {
namespace {

struct Case {
  std::string filter;
  std::string tree;
};

void check(const Case& c) {
  CAPTURE(c.filter);
  CHECK(parsed(c.filter) == c.tree);
}

TEST_CASE("joining: and and or bind equally, not binds to what follows") {
  const Case cases[] = {
      {"", "everything"},
      {" \t\r\n # nothing but a comment", "everything"},
      {"ip # the rest\n and tcp", "chain{ip, and tcp}"},
      {"ip or tcp and udp or arp", "chain{ip, or tcp, and udp, or arp}"},
      {"ip||tcp&&udp", "chain{ip, or tcp, and udp}"},
      {"not host 10.0.0.1 or ip", "chain{not{host ipv4 10.0.0.1}, or ip}"},
      {"! not ip", "not{not{ip}}"},
      {"(ip or tcp) and udp", "chain{group{chain{ip, or tcp}}, and udp}"},
      {"((ip))", "group{group{ip}}"},
      {"not (ip and not tcp)", "not{group{chain{ip, and not{tcp}}}}"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("qualifiers and ids") {
  const Case cases[] = {
      {"host a", "host name a"},
      {"tcp src port 80", "tcp src port number 80"},
      {"port (80)", "port number 80"},
      {"src or dst net 10.0.0.0/8", "src or dst net ipv4-prefix 10.0.0.0/8"},
      {"dst or src host a", "src or dst host name a"},
      {"src and dst host a", "src and dst host name a"},
      {"dst and src a", "src and dst name a"},
      {"net 10.0.0.0 mask 255.0.0.0", "net ipv4-mask 10.0.0.0 mask 255.0.0.0"},
      {"ip6 host ::1/128", "ip6 host ipv6-prefix ::1/128"},
      {"ether src 00:11:22:33:44:55", "link src mac48 00:11:22:33:44:55"},
      {"link host $1f", "link host mac8 $1f"},
      {"wlan addr1 a", "link addr1 name a"},
      {"address4 a", "addr4 name a"},
      {"ra a and ta b", "chain{ra name a, and ta name b}"},
      {"ip proto \\tcp", "ip proto name \\tcp"},
      {"protochain 6", "protochain number 6"},
      {"gateway snup", "gateway name snup"},
      {"portrange ftp-data-90", "portrange name ftp-data-90"},
      {"port not 80", "port{not{number 80}}"},
      {"port (80 or 90)", "port{chain{number 80, or number 90}}"},
      {"host (a)", "host{name a}"},
      {"port (80 and (90 or 91) or not (http))",
       "port{chain{number 80, and group{chain{number 90, or number 91}}, or not{group{name http}}}}"},
      {"port ((80) or 90)", "port{chain{number 80, or number 90}}"},
      {"port ((80 or 90) or 91)", "error: syntax error: unexpected 'or'"},  // what is first may be no group
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("ids without qualifiers follow and, or, not; in parentheses they keep to themselves") {
  const Case cases[] = {
      {"port 80 or 90 or http", "chain{port number 80, or number 90, or name http}"},
      {"port 80 or not 90", "chain{port number 80, or not{number 90}}"},
      {"port 80 or (90)", "chain{port number 80, or number 90}"},
      {"port 80 or (90 or not 91)", "chain{port number 80, or group{chain{number 90, or not{number 91}}}}"},
      {"(port 80 or 90) and tcp", "chain{group{chain{port number 80, or number 90}}, and tcp}"},
      {"ip or 1.2.3.4", "chain{ip, or ipv4 1.2.3.4}"},
      {"len > 5 or 6", "chain{relation >{len, 5}, or number 6}"},
      {"80", "error: syntax error: unexpected end of the expression"},
      {"a", "error: syntax error: unexpected 'a'"},
      {"not a", "error: syntax error: unexpected 'a'"},
      {"(a or port 80)", "error: syntax error: unexpected 'a'"},
      {"port 80 or (90 or port 91)", "error: syntax error: unexpected 'port'"},
      {"port 80 or (a and tcp)", "error: syntax error: unexpected 'tcp'"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("arithmetic: precedence, and % and ^ that swallow all to their right") {
  const Case cases[] = {
      {"1 + 2 * 3 = 7", "relation ={+{1, *{2, 3}}, 7}"},
      {"1 - 2 - 3 = 4", "relation ={-{-{1, 2}, 3}, 4}"},
      {"1 | 2 & 3 << 4 + 5 * -6 = len", "relation ={|{1, &{2, <<{3, +{4, *{5, negate{6}}}}}}, len}"},
      {"-1 * 2 + 3 << 4 & 5 | 6 = 0", "relation ={|{&{<<{+{*{negate{1}, 2}, 3}, 4}, 5}, 6}, 0}"},
      {"7 % 4 + 1 = 2", "relation ={%{7, +{4, 1}}, 2}"},
      {"2*3 % 4 = 6", "relation ={*{2, %{3, 4}}, 6}"},
      {"len >> 2 ^ 1 = 0", "relation ={>>{len, ^{2, 1}}, 0}"},
      {"-len ^ 1 = 0", "relation ={negate{^{len, 1}}, 0}"},
      {"7 % 4 % 2 = 0", "relation ={%{7, %{4, 2}}, 0}"},
      {"(7 % 4) + 1 = 4", "relation ={+{%{7, 4}, 1}, 4}"},
      {"len - 1 >= ((5))", "relation >={-{len, 1}, 5}"},
      {"tcp[tcpflags] & (tcp-syn|tcp-ack) != 0", "relation !={&{tcp[:1]{13}, |{2, 16}}, 0}"},
      {"ether[ip[0]:2] == 0x800", "relation ={link[:2]{ip[:1]{0}}, 2048}"},
      {"ip[0:3] < 1", "relation <{ip[:3]{0}, 1}"},
      {"1 = 2 = 3", "error: syntax error: unexpected '='"},
      {"ip[0:(1)] = 1", "error: syntax error: unexpected '('"},
      {"len-1 = 5", "error: syntax error: unexpected 'len-1'"},
      {"len", "error: syntax error: unexpected end of the expression"},
  };
  for (const Case& c : cases) check(c);
}

TEST_CASE("primitives with a form of their own") {
  const Case cases[] = {
      {"broadcast or ether broadcast", "chain{broadcast, or link broadcast}"},
      {"ip6 multicast", "ip6 multicast"},
      {"less 5 and greater 0x10", "chain{less 5, and greater 16}"},
      {"less (5)", "error: syntax error: unexpected '('"},
      {"byte 8 | 5", "byte 8 | 5"},
      {"byte 8 == 5", "byte 8 = 5"},
      {"byte 1 <= 2", "error: syntax error: unexpected '<='"},
      {"inbound or outbound", "chain{inbound, or outbound}"},
      {"ifindex 2", "ifindex 2"},
      {"vlan and vlan 10 and vlan ((11))", "chain{vlan, and vlan 10, and vlan 11}"},
      {"vlan (1 or 2)", "error: syntax error: unexpected 'or'"},
      {"mpls 1 and pppoed and pppoes 2 and geneve 3 and vxlan 4",
       "chain{mpls 1, and pppoed, and pppoes 2, and geneve 3, and vxlan 4}"},
      {"pppoed 1", "error: syntax error: unexpected '1'"},
      {"wlan type mgt subtype beacon", "wlan type mgt subtype beacon"},
      {"type 0 subtype 0x10", "wlan type 0 subtype 16"},
      {"subtype probe-req", "wlan subtype probe-req"},
      {"wlan subtype 0", "error: syntax error: unexpected '0'"},
      {"dir tods or direction 3", "chain{dir tods, or dir 3}"},
      {"llc and llc i and llc rnr and llc sabme", "chain{llc, and llc i, and llc rnr, and llc sabme}"},
      {"on en0 and rset x and rnr 1 and subrulenum 2",
       "chain{ifname en0, and ruleset x, and rulenum 1, and subrulenum 2}"},
      {"reason match or reason 2 or action pass", "chain{reason match, or reason 2, or action pass}"},
      {"action 1", "error: syntax error: unexpected '1'"},
      {"lane and oamf4sc and metaconnect", "chain{lane, and oamf4sc, and metaconnect}"},
      {"vpi 3 and vci > 4", "chain{vpi = 3, and vci > 4}"},
      {"vpi (105 or 0x7a || 0311)", "vpi = 105 or = 122 or = 201"},
      {"vpi ((3))", "error: syntax error: unexpected '('"},
      {"fisu or lsu or hmsu", "chain{fisu, or lssu, or hmsu}"},
      {"dpc (1 or 2) and hsls != 3", "chain{dpc = 1 or = 2, and hsls != 3}"},
      {"dst proto \\tcp", "error: syntax error: unexpected 'proto'"},
      {"ip proto icmp", "error: syntax error: unexpected 'icmp'"},
      {"net 10/8", "error: syntax error: unexpected '/'"},
      {"net 10.0.0.0 mask 255", "error: syntax error: unexpected '255'"},
  };
  for (const Case& c : cases) check(c);
}

/// The words of a span.
std::string words(std::string_view text, Span s) { return std::string(text.substr(s.begin, s.end - s.begin)); }

TEST_CASE("spans cover the words of a node") {
  const std::string text = "  not ( tcp src port ( 80 ) or 90 )  and vlan 0x10 and ip[ 2 : 4 ] & (1 + len) = 3 ";
  const Result<ast::Expr> e = parse(text);
  REQUIRE(e);
  CHECK(words(text, e->span) == "not ( tcp src port ( 80 ) or 90 )  and vlan 0x10 and ip[ 2 : 4 ] & (1 + len) = 3");
  const auto& chain = std::get<ast::Chain>(e->node).operands;
  CHECK(words(text, chain[0].span) == "not ( tcp src port ( 80 ) or 90 )");
  const ast::Expr& group = *std::get<ast::Not>(chain[0].node).operand;
  CHECK(words(text, group.span) == "( tcp src port ( 80 ) or 90 )");
  const ast::Expr& port = std::get<ast::Chain>(std::get<ast::Group>(group.node).inner->node).operands[0];
  CHECK(words(text, port.span) == "tcp src port ( 80 )");
  const auto& primitive = std::get<ast::Primitive>(port.node);
  CHECK(words(text, primitive.qualifiers->span) == "tcp src port");
  CHECK(words(text, primitive.id.span) == "( 80 )");
  CHECK(words(text, std::get<ast::Tunnel>(chain[1].node).number_span) == "0x10");
  const ast::Value& left = std::get<ast::Relation>(chain[2].node).left;
  CHECK(words(text, left.span) == "ip[ 2 : 4 ] & (1 + len)");
  const auto& bits = std::get<ast::Binary>(left.node);
  CHECK(words(text, bits.right->span) == "(1 + len)");
  CHECK(words(text, std::get<ast::Accessor>(bits.left->node).size_span) == "4");
}

TEST_CASE("a qualifier that is only implied adds nothing to the span") {
  const Result<ast::Expr> e = parse("ip and   port 80");
  REQUIRE(e);
  CHECK(std::get<ast::Chain>(e->node).operands[1].span == Span{9, 16});
}

TEST_CASE("nesting is limited, chains are not") {
  const auto code = [](const std::string& text) {
    const Result<ast::Expr> e = parse(text);
    return e ? "ok" : e.error().code == Code::TooDeep ? "too deep" : "other";
  };
  static_assert(std::is_nothrow_move_constructible_v<ast::Expr>, "chains grow by moving their operands");
  CHECK(code(repeat("not ", 999) + "ip") == "ok");
  CHECK(code(repeat("(", 999) + "ip" + repeat(")", 999)) == "ok");
  CHECK(code(repeat("1 + ", 998) + "1 = 1") == "ok");
  for (const char* opening :
       {"not ", "!", "(", "port (", "ip[", "- ", "1 + ", "1 % ", "1 + (", "host a or (not (", "len ^ -"}) {
    CAPTURE(opening);
    CHECK(code(repeat(opening, 200'000)) != "ok");
  }
  for (const char* opening : {"not ", "(", "ip[", "- ", "1 + ", "1 % "}) {
    CAPTURE(opening);
    CHECK(code(repeat(opening, 200'000) + "1 = 1") == "too deep");
  }
  CHECK(code(repeat("ip and tcp or ", 100'000) + "udp") == "ok");
  CHECK(code("port 80" + repeat(" or 80", 20'000)) == "ok");
  CHECK(code("port (80" + repeat(" or 80", 20'000) + ")") == "ok");
  CHECK(code("vpi (1" + repeat(" or 1", 20'000) + ")") == "ok");
}

TEST_CASE("depth counts what nests") {
  CHECK(parse("ip or tcp")->depth == 1);
  CHECK(parse("(ip or not tcp)")->depth == 3);
  CHECK(parse("port (80 or 90)")->depth == 2);
  CHECK(parse("len = 1 + 2")->depth == 3);
  CHECK(!parse("not not ip", Limits{.depth = 2}));
  CHECK(parse("not not ip", Limits{.depth = 3}));
}

}  // namespace
}  // namespace weir::grammar
