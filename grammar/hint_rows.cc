// What to write instead, by the words around the one that cannot stand there: one row a mistake.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>

#include "grammar/hint_rows.hpp"
#include "grammar/keywords.hpp"

namespace weir::grammar {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

int octets_before_wildcard(Token t) {
  const bool numeric = !t.text.empty() && t.text.find_first_not_of("0123456789.") == t.text.npos && t.text.back() == '.';
  return numeric ? static_cast<int>(std::ranges::count(t.text, '.')) : 0;
}

namespace {

bool is_keyword_in_capitals(Token t) {
  if (!is<Kind::S_NAME>(t) || t.text.size() > 40) return false;
  const std::string lower = lower_case(t.text);
  return lower != t.text && find_keyword(lower);
}

bool looks_like_subtraction(Token t) {
  const bool operand = t.text.starts_with("len") || std::isdigit(static_cast<unsigned char>(t.text.front()));
  return is<Kind::S_NAME>(t) && operand && t.text.find('-') != t.text.npos;
}

// ---- what stands there, more closely

bool takes_value(Token t) { return is_qualifier(t) || is<Kind::S_TUNNEL>(t); }
bool has_ports(Token t) { return t.text == "tcp" || t.text == "udp" || t.text == "sctp"; }
bool has_ipv4_hosts(Token t) { return t.text == "ip" || t.text == "arp" || t.text == "rarp"; }
bool is_link(Token t) { return t.text == "ether" || t.text == "link" || t.text == "wlan"; }
bool is_word(Token t, std::initializer_list<std::string_view> words) {
  return is<Kind::S_NAME>(t) && std::ranges::find(words, t.text) != words.end();
}

std::optional<unsigned> small_number(Token t) {
  unsigned value = 0;
  const auto [end, wrong] = std::from_chars(t.text.data(), t.text.data() + t.text.size(), value);
  return is<Kind::S_NUM>(t) && wrong == std::errc{} && end == t.text.data() + t.text.size() ? std::optional(value) : std::nullopt;
}
bool is_number_up_to(Token t, unsigned most) { return small_number(t).value_or(most + 1) <= most; }

/// `port80`: a type and its value in one word.
bool is_glued(Token t) {
  constexpr std::string_view types[] = {"host", "net", "portrange", "port", "proto"};
  return is<Kind::S_NAME>(t) && std::ranges::any_of(types, [&](std::string_view type) {
           return t.text.starts_with(type) && t.text.size() > type.size() && std::isdigit(static_cast<unsigned char>(t.text[type.size()]));
         });
}

/// `100000000000`; and `012345670123`, which could be a number of 32 bits.
bool is_mac_of_digits(Token t) { return is<Kind::S_MAC48>(t) && t.text.find_first_not_of("0123456789") == t.text.npos; }
bool is_mac_of_octal_digits(Token t) {
  return is<Kind::S_MAC48>(t) && t.text.find_first_not_of("01234567") == t.text.npos && t.text[0] == '0' && t.text[1] < '4';
}

/// `100-199`.
bool is_number_range(Token t) {
  return is<Kind::S_NAME>(t) && t.text.find_first_not_of("0123456789-") == t.text.npos && std::ranges::count(t.text, '-') == 1;
}

/// `0011`, `aabb`: a group of an address.
bool is_four_digits(Token t) {
  return is<Kind::S_NUM, Kind::S_NAME>(t) && t.text.size() == 4 && t.text.find_first_not_of("0123456789abcdefABCDEF") == t.text.npos;
}

/// Names of offsets, which are numbers to the grammar.
bool is_named_offset(Token t) {
  constexpr std::string_view names[] = {"icmptype", "icmpcode", "icmp6type", "icmp6code", "tcpflags"};
  return std::ranges::find(names, t.text) != std::end(names);
}

/// A qualifier may stand before it.
bool may_follow_qualifier(Token t) { return is_id(t) || is_qualifier(t); }
bool is_length(Token t) { return is<Kind::S_LESS, Kind::S_GREATER>(t); }
bool is_escaped_keyword(Token t) { return is<Kind::S_NAME>(t) && t.text.starts_with('\\') && find_keyword(t.text.substr(1)); }

// ---- the table

struct Row {
  bool (*applies)(const Place&);
  const char* hint;
};

/// The first row that applies speaks.
constexpr Row rows[] = {
    {[](const Place& p) { return p.next.text == std::string_view("\0", 1); },
     "a zero byte follows: is this UTF-16? expressions are ASCII or UTF-8"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && is<Kind::S_MINUS>(p.prev) && is<Kind::S_YYEMPTY>(p.before); },
     "an expression does not begin with a minus sign: options stand before it"},
    {[](const Place& p) { return p.in_brackets && (is_compare(p.token) || is_stop(p.token)) && !is<Kind::S_CLOSE>(p.token); },
     "a ']' is missing before it: a field is written like 'tcp[13]' or 'ip[2:2]'"},
    {[](const Place& p) { return is<Kind::S_EQ>(p.token) && is<Kind::S_EQ, Kind::S_NEQ>(p.prev); }, "one '=' is enough"},
    {[](const Place& p) { return is<Kind::S_GT>(p.token) && is<Kind::S_EQ>(p.prev); }, "write '>='"},
    {[](const Place& p) { return is<Kind::S_LT>(p.token) && is<Kind::S_EQ>(p.prev); }, "write '<='"},
    {[](const Place& p) { return is<Kind::S_GT>(p.token) && is<Kind::S_LT>(p.prev); }, "write '!='"},
    {[](const Place& p) { return is<Kind::S_NOT>(p.token) && is<Kind::S_EQ>(p.prev); }, "write '!='"},
    {[](const Place& p) { return is<Kind::S_EQ>(p.token) && takes_value(p.prev); },
     "'{prev}' takes its value without '{word}': leave it out"},
    {[](const Place& p) { return is<Kind::S_NEQ>(p.token) && takes_value(p.prev); },
     "'{prev}' takes its value without '{word}': leave it out, and write 'not' before the condition"},
    {[](const Place& p) { return is_compare(p.token) && is<Kind::S_KIND>(p.prev) && p.prev.text.starts_with("port"); },
     "ports are not compared; a range of them is written like 'portrange 1024-65535'"},
    {[](const Place& p) { return is_compare(p.token) && is_length(p.prev); },
     "'{prev}' takes its number without '{word}'; any comparison may follow 'len', as in 'len >= 100'"},
    {[](const Place& p) { return is_compare(p.token) && is_arithmetic(p.prev); }, "a value is missing before '{word}'"},
    {[](const Place& p) { return is_compare(p.token) && is_start(p.prev); }, "what is compared is missing before '{word}'"},
    {[](const Place& p) { return is_compare(p.token) && is<Kind::S_NUM>(p.prev) && is_compare(p.before); },
     "a comparison has two sides; others are joined to it with 'and'"},
    {[](const Place& p) { return is_stop(p.token) && is_compare(p.prev); }, "what it is compared with is missing behind '{prev}'"},
    {[](const Place& p) { return is<Kind::S_BRACKET>(p.token) && is_qualifier(p.prev); },
     "'{prev}' takes its value without brackets"},
    {[](const Place& p) { return is<Kind::S_COLON>(p.token) && is_qualifier(p.prev); },
     "'{prev}' takes its value without a colon"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && is_qualifier(p.prev) && is<Kind::S_NAME>(p.next) && touch(p.token, p.next); },
     "no name begins with '-'; options stand before the expression"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && (takes_value(p.prev) || is_length(p.prev)); },
     "no number here is negative"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && is<Kind::S_MINUS>(p.next); },
     "a comment begins with '#'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is<Kind::S_SLASH>(p.next); },
     "a comment begins with '#'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is<Kind::S_STAR>(p.next); }, "a comment begins with '#'"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && is<Kind::S_GT>(p.next); },
     "who sends to whom is 'src host 10.0.0.1 and dst host 10.0.0.2'"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && is<Kind::S_SLASH>(p.prev); }, "no prefix length is negative"},
    {[](const Place& p) { return is<Kind::S_PERCENT>(p.token) && is_qualifier(p.prev); }, "is this a placeholder that was not filled in?"},
    {[](const Place& p) { return is_joint(p.token) && is<Kind::S_OPEN>(p.paren) && p.prev.text.starts_with("tcp-"); },
     "bits are joined with '|': 'tcp[tcpflags] & (tcp-syn | tcp-fin) != 0'"},
    {[](const Place& p) { return is<Kind::S_STAR>(p.token) && is_start(p.prev) && is_stop(p.next); },
     "an empty expression keeps every packet"},
    {[](const Place& p) { return is_stop(p.token) && is_start(p.prev); },
     "a condition must stand here, such as 'host 10.0.0.1' or 'tcp port 80'"},
    {[](const Place& p) { return is_stop(p.token) && is_qualifier(p.prev); },
     "'{prev}' must be followed by what it is about: a name, a number or an address"},
    {[](const Place& p) { return is_stop(p.token) && (is_length(p.prev) || is<Kind::S_BYTE, Kind::S_IFINDEX>(p.prev)); },
     "'{prev}' must be followed by a number"},
    {[](const Place& p) { return is_stop(p.token) && is<Kind::S_BYTE>(p.before); },
     "the byte must be compared, as in 'byte {prev} = 1'"},
    {[](const Place& p) { return is_compare(p.token) && is<Kind::S_BYTE>(p.before); },
     "'byte' knows '=', '<', '>', '&' and '|'; any comparison may follow 'link[{prev}]'"},
    {[](const Place& p) { return is_stop(p.token) && p.token.text == "&&" && ends_value(p.prev, p.before); },
     "'&&' joins conditions; for bits write '&' and compare the outcome: tcp[tcpflags] & tcp-syn != 0"},
    {[](const Place& p) { return is_stop(p.token) && p.token.text == "||" && ends_value(p.prev, p.before); },
     "'||' joins conditions; for bits write '|' and compare the outcome: tcp[tcpflags] & (tcp-syn | tcp-fin) != 0"},
    {[](const Place& p) { return is_stop(p.token) && ends_value(p.prev, p.before); },
     "a value alone is no condition: compare it, for example with '!= 0'"},
    {[](const Place& p) { return is_stop(p.token) && p.prev.text.starts_with("tcp-") && is_start(p.before); },
     "'{prev}' is a bit of the TCP flags: tcp[tcpflags] & {prev} != 0"},
    {[](const Place& p) { return is_stop(p.token) && p.prev.text.starts_with("icmp-") && is_start(p.before); },
     "'{prev}' is a type of ICMP: icmp[icmptype] = {prev}"},
    {[](const Place& p) { return is_stop(p.token) && p.prev.text.starts_with("icmp6-") && is_start(p.before); },
     "'{prev}' is a type of ICMPv6: icmp6[icmp6type] = {prev}"},
    {[](const Place& p) { return is_id(p.token) && is<Kind::S_UNBRACKET>(p.prev); },
     "a field is compared: '=' or another comparison is missing before '{word}'"},
    {[](const Place& p) { return !p.in_brackets && (is_id(p.token) || is_stop(p.token)) && is_named_offset(p.prev); },
     "'{prev}' is only the place of a field, which is asked as in 'icmp[icmptype] = 8' and 'tcp[tcpflags] & tcp-syn != 0'"},
    {[](const Place& p) { return !p.in_brackets && is_named_offset(p.token) && is<Kind::S_PROTOCOL>(p.prev); },
     "'{word}' is only the place of a field, which is asked as in 'icmp[icmptype] = 8' and 'tcp[tcpflags] & tcp-syn != 0'"},
    {[](const Place& p) { return is<Kind::S_CLOSE>(p.token) && p.open == 0; },
     "there is no '(' that this could close"},
    {[](const Place& p) { return is_stop(p.token) && is_number_up_to(p.prev, 255) && is_start(p.before); },
     "say what the number is: 'port {prev}', 'proto {prev}', 'vlan {prev}'"},
    {[](const Place& p) { return is_stop(p.token) && is_number_up_to(p.prev, 65535) && is_start(p.before); },
     "say what the number is, as in 'port {prev}'"},
    {[](const Place& p) { return is_stop(p.token) && is<Kind::S_NUM>(p.prev) && is_start(p.before); },
     "say what the number is, as in 'port 80'"},
    {[](const Place& p) {
       return is<Kind::S_PIPE>(p.token) && is<Kind::S_NUM>(p.prev) && is<Kind::S_NUM>(p.next) && (is<Kind::S_KIND>(p.before) || is<Kind::S_OPEN>(p.before));
     },
     "alternatives are joined with 'or', as in 'port ({prev} or {next})'"},
    {[](const Place& p) { return (is<Kind::S_PIPE, Kind::S_AMPERSAND>(p.token) && begins_term(p.next) && ends_term(p.prev)) ||
                                 (is_arithmetic(p.token) && is<Kind::S_PROTOCOL>(p.prev) && (is_keyword(p.next) || is_end(p.next))); },
     "'{word}' is arithmetic; conditions are joined with 'and' and 'or'"},
    {[](const Place& p) { return is_escaped_keyword(p.token); },
     "a backslash makes a name of a keyword, as in 'ip proto {word}'; the keyword has none"},
    {[](const Place& p) { return is_keyword_in_capitals(p.token) && !wants_number(p.prev); },
     "keywords are written in lower case: '{lower}'"},
    {[](const Place& p) { return looks_like_subtraction(p.token) && (is_start(p.prev) || wants_number(p.prev)); },
     "'{word}' is one word; put spaces around the minus sign"},
    {[](const Place& p) { return is<Kind::S_IPV4>(p.token) && is<Kind::S_SLASH>(p.prev) && is<Kind::S_IPV4>(p.before); },
     "a network with a mask is 'net {before} mask {word}'"},
    {[](const Place& p) { return is<Kind::S_MAC8>(p.token) && wants_number(p.prev); },
     "a hexadecimal number begins with 0x"},
    {[](const Place& p) { return is_mac_of_octal_digits(p.token) && wants_number(p.prev); },
     "twelve digits are a MAC address; one more zero makes an octal number of them: '0{word}'"},
    {[](const Place& p) { return is_mac_of_digits(p.token) && wants_number(p.prev); },
     "twelve digits are a MAC address, and more than 32 bits hold: a number is at most 4294967295"},
    {[](const Place& p) { return is<Kind::S_MAC48>(p.token) && wants_number(p.prev); },
     "a field is a number: compare addresses with 'ether src {word}', 'ether dst {word}'"},
    {[](const Place& p) { return is<Kind::S_IPV4, Kind::S_IPV6>(p.token) && wants_number(p.prev); },
     "a field is a number: compare addresses with 'src host {word}', 'dst host {word}'"},
    {[](const Place& p) { return is<Kind::S_UNBRACKET>(p.token) && is<Kind::S_COLON>(p.prev); },
     "behind the colon stands how many bytes are loaded: 1, 2 or 4"},
    {[](const Place& p) { return p.in_brackets && p.token.text == ","; },
     "how many bytes are loaded stands behind a colon, as in 'tcp[4:4]'"},
    {[](const Place& p) { return is<Kind::S_WLAN_TYPE>(p.token) && p.in_brackets; },
     "the fields that have names are 'icmp[icmptype]', 'icmp[icmpcode]', 'icmp6[icmp6type]' and 'tcp[tcpflags]'"},
    {[](const Place& p) { return is_stop(p.token) && is<Kind::S_PROTOCOL>(p.prev) && is_compare(p.before); },
     "a keyword is no number: 'ip proto 6' is TCP, 'ether proto 0x800' IPv4"},
    {[](const Place& p) { return p.token.text == "flags" || p.token.text == "flag"; },
     "flags are bits of a byte: 'tcp[tcpflags] & tcp-syn != 0'"},
    {[](const Place& p) { return p.in_brackets && is<Kind::S_BRACKET>(p.prev) && (is<Kind::S_NAME>(p.token) || is_keyword(p.token)); },
     "the fields that have names are 'icmp[icmptype]', 'icmp[icmpcode]', 'icmp6[icmp6type]' and 'tcp[tcpflags]'; for others stands "
     "the number of their first byte: 'ip[8]' is the time to live, 'tcp[2:2]' the destination port"},
    {[](const Place& p) { return wants_number(p.prev) && is_word(p.token, {"syn", "ack", "fin", "rst", "push", "psh", "urg", "ece", "cwr"}); },
     "the bits are called tcp-fin, tcp-syn, tcp-rst, tcp-push, tcp-ack, tcp-urg, tcp-ece and tcp-cwr"},
    {[](const Place& p) { return wants_number(p.prev) && is<Kind::S_NAME>(p.token) && (p.token.text.starts_with("0b") || p.token.text.starts_with("0B")); },
     "numbers are decimal, hexadecimal with 0x before them, or octal with 0"},
    {[](const Place& p) { return wants_number(p.prev) && is<Kind::S_NAME>(p.token) && std::isdigit(static_cast<unsigned char>(p.token.text.front())); },
     "this is no number: numbers are decimal, hexadecimal with 0x before them, or octal with 0, and have no unit"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && wants_number(p.prev); },
     "arithmetic knows numbers, 'len', fields such as 'tcp[13]' and named numbers such as 'tcp-syn'"},
    {[](const Place& p) { return is_word(p.token, {"any", "all", "everything", "true"}) && is_start(p.prev); },
     "an empty expression keeps every packet"},
    {[](const Place& p) { return is_glued(p.token) && (is_start(p.prev) || is<Kind::S_PROTOCOL>(p.prev) || is_direction(p.prev)); },
     "a keyword and its value are two words, as in 'port 80'"},
    {[](const Place& p) { return is_word(p.token, {"between"}) && is_start(p.prev); },
     "packets between two have both: 'host 10.0.0.1 and host 10.0.0.2'"},
    {[](const Place& p) { return is_word(p.token, {"interface", "iface", "dev", "device"}) && is_start(p.prev); },
     "an interface is chosen with the option -i of weir capture; in a live capture 'ifindex 2' asks for one, by its number"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && is_start(p.prev); },
     "'{word}' is no keyword; if it is a name, say of what: 'host {word}', 'port {word}', 'net {word}'"},
    {[](const Place& p) { return is<Kind::S_MAC48>(p.token) && is_start(p.prev); },
     "say what the address is: 'ether host {word}', 'ether src {word}'"},
    {[](const Place& p) { return is<Kind::S_MAC8>(p.token) && is_start(p.prev); },
     "say what the address is: 'link host {word}'"},
    {[](const Place& p) { return is<Kind::S_IPV4, Kind::S_IPV6>(p.token) && is_start(p.prev) && is<Kind::S_SLASH>(p.next) && is<Kind::S_NUM>(p.after); },
     "say what it is: 'net {word}/{after}'"},
    {[](const Place& p) { return is<Kind::S_IPV4>(p.token) && is_start(p.prev) && is<Kind::S_COLON>(p.next) && is_number_up_to(p.after, 65535); },
     "an address and a port are two conditions: 'host {word} and port {after}'"},
    {[](const Place& p) { return is<Kind::S_IPV4, Kind::S_IPV6>(p.token) && is_start(p.prev) && is<Kind::S_GT>(p.next) && is<Kind::S_IPV4, Kind::S_IPV6>(p.after); },
     "who sends to whom is 'src host {word} and dst host {after}'"},
    {[](const Place& p) { return is_address(p.token) && is_start(p.prev); },
     "say what the address is: 'host {word}', 'src {word}', 'net {word}'"},
    {[](const Place& p) { return is<Kind::S_NOT>(p.token) && is_link(p.prev) && may_follow_qualifier(p.next); },
     "'not' stands before all qualifiers"},
    {[](const Place& p) { return is<Kind::S_LONE_KIND>(p.token) && is_direction(p.prev); },
     "'{word}' takes no direction; leave out '{prev}'"},
    {[](const Place& p) {
       const bool two = is<Kind::S_SRC, Kind::S_DST>(p.token) && may_follow_qualifier(p.next);
       const bool joined = is<Kind::S_AMPERSAND, Kind::S_PIPE>(p.token) && is<Kind::S_SRC, Kind::S_DST>(p.next);
       return is<Kind::S_SRC, Kind::S_DST>(p.prev) && (two || joined);
     },
     "for one of them write 'src or dst', for both 'src and dst'"},
    {[](const Place& p) {
       return is<Kind::S_SRC, Kind::S_DST>(p.token) && is_joint(p.prev) && p.before.text == p.token.text && may_follow_qualifier(p.next);
     },
     "'{word}' once is enough; for either of the two write 'src or dst', for both 'src and dst'"},
    {[](const Place& p) { return is_stop(p.token) && is<Kind::S_SLASH>(p.prev) && is<Kind::S_IPV4, Kind::S_IPV6>(p.before); },
     "behind '/' stands how many bits of the address are the network's"},
    {[](const Place& p) { return is<Kind::S_KIND>(p.token) && is<Kind::S_KIND>(p.prev) && is_id(p.next); },
     "'{prev}' and '{word}' both say what '{next}' is: leave one of them out"},
    {[](const Place& p) { return is_direction(p.token) && is<Kind::S_KIND>(p.prev) && is_id(p.next); },
     "the direction stands first: '{word} {prev} {next}'"},
    {[](const Place& p) { return is_direction(p.token) && is<Kind::S_KIND>(p.prev) && is<Kind::S_KIND>(p.next); },
     "the direction stands first, and one type behind it: '{word} {next}'"},
    {[](const Place& p) { return has_ports(p.token) && p.prev.text == "port" && is<Kind::S_SLASH>(p.next) && is_id(p.after); },
     "the protocol stands first: '{word} port {after}'"},
    {[](const Place& p) { return has_ports(p.token) && p.prev.text.starts_with("port") && is_id(p.next); },
     "the protocol stands first: '{word} {prev} {next}'"},
    {[](const Place& p) { return is<Kind::S_PROTOCOL>(p.token) && is_direction(p.prev) && is<Kind::S_KIND>(p.next) && is_id(p.after); },
     "the protocol stands first: '{word} {prev} {next} {after}'"},
    {[](const Place& p) {
       const bool two = (is<Kind::S_PROTOCOL>(p.token) || is_qualifier(p.token)) && (is_direction(p.prev) || is<Kind::S_KIND>(p.prev));
       return two && may_follow_qualifier(p.next);
     },
     "qualifiers stand in this order: protocol, direction, type, as in 'tcp src port 80'"},
    {[](const Place& p) { return is<Kind::S_PROTOCOL>(p.token) && is<Kind::S_WLAN_TYPE>(p.prev) && is_link(p.before); },
     "which protocol a frame carries is 'ether proto \\{word}', or just '{word}'"},
    {[](const Place& p) { return is<Kind::S_WAY>(p.token) && is<Kind::S_WLAN_DIR>(p.prev); }, "'{word}' stands alone"},
    {[](const Place& p) { return is_keyword(p.token) && is_qualifier(p.prev); },
     "'{word}' is a keyword; to use it as a name write '\\{word}' (in a shell, within quotes)"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_PPPOED>(p.prev); },
     "'pppoed' has no session yet; 'pppoes {word}' is the session"},
    {[](const Place& p) { return is<Kind::S_MAC48>(p.token) && is<Kind::S_PROTOCOL>(p.prev); },
     "say what the address is: 'ether host {word}'"},
    {[](const Place& p) { return is<Kind::S_IPV4>(p.token) && has_ipv4_hosts(p.prev); },
     "say what the address is: '{prev} host {word}'"},
    {[](const Place& p) { return is<Kind::S_IPV6>(p.token) && p.prev.text == "ip6"; },
     "say what the address is: 'ip6 host {word}'"},
    {[](const Place& p) { return is<Kind::S_IPV4, Kind::S_IPV6>(p.token) && is<Kind::S_PROTOCOL>(p.prev) && !is_link(p.prev); },
     "addresses are a condition of their own: '{prev} and host {word}'"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_PROTOCOL>(p.prev) && is<Kind::S_UNBRACKET>(p.next); },
     "a field is written with brackets: '{prev}[{word}]'"},
    {[](const Place& p) { return is<Kind::S_SLASH, Kind::S_COLON, Kind::S_EQ>(p.token) && has_ports(p.prev) && is_number_up_to(p.next, 65535); },
     "say what '{next}' is: '{prev} port {next}'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && p.before.text == "port" && has_ports(p.next); },
     "the protocol stands first: '{next} port {prev}'"},
    {[](const Place& p) { return is_number_up_to(p.token, 65535) && has_ports(p.prev); },
     "say what '{word}' is: '{prev} port {word}'"},
    {[](const Place& p) { return is_number_up_to(p.token, 255) && (p.prev.text == "ip" || p.prev.text == "ip6"); },
     "say what '{word}' is: '{prev} proto {word}'"},
    {[](const Place& p) { return is_number_up_to(p.token, 65535) && is_link(p.prev); },
     "say what '{word}' is: '{prev} proto {word}'"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && (p.prev.text == "icmp" || p.prev.text == "icmp6"); },
     "types are compared, as in 'icmp[icmptype] = icmp-echo' or 'icmp6[icmp6type] = icmp6-neighborsolicit'"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && p.prev.text == "arp"; },
     "the operation is compared: 'arp[6:2] = 1' is a request, 'arp[6:2] = 2' a reply"},
    {[](const Place& p) { return has_ports(p.prev) && is_number_range(p.token); }, "say what '{word}' is: '{prev} portrange {word}'"},
    {[](const Place& p) { return is_word(p.token, {"bssid"}); }, "the BSSID is one of the addresses, in most frames the third: 'wlan addr3 00:11:22:33:44:55'"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && is<Kind::S_PROTOCOL>(p.prev); },
     "if '{word}' is a name, say of what, with 'host' or 'port' before it; if it is a condition, join it with 'and'"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_MASK>(p.prev); },
     "a mask is written like an address: mask 255.255.255.0"},
    {[](const Place& p) { return is_keyword(p.token) && is_joint(p.prev) && is_id(p.group); },
     "parentheses that begin with a value without a qualifier may hold only such values; write the first one in full"},
    {[](const Place& p) { return is_word(p.token, {"netmask"}) && is<Kind::S_IPV4>(p.prev) && is<Kind::S_IPV4>(p.next); },
     "a network with a mask is 'net {prev} mask {next}'"},
    {[](const Place& p) { return is_word(p.token, {"to"}) && is<Kind::S_IPV4>(p.prev); },
     "there are no ranges of addresses; networks have a prefix length, as in 'net 10.0.0.0/29'"},
    {[](const Place& p) { return is_word(p.token, {"bytes", "byte", "b", "B"}) && is<Kind::S_NUM>(p.prev); },
     "numbers have no unit: leave out '{word}'"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_LEN>(p.prev); },
     "a length is compared, as in 'len = {word}' or 'len > {word}'"},
    {[](const Place& p) { return is<Kind::S_IPV4>(p.token) && is<Kind::S_IPV4>(p.prev) && !p.token.text.starts_with("255."); },
     "two addresses are joined with 'and' or 'or'"},
    {[](const Place& p) { return is<Kind::S_IPV4>(p.token) && is<Kind::S_IPV4>(p.prev); },
     "a network with a mask is 'net {prev} mask {word}'"},
    {[](const Place& p) { return is<Kind::S_OPEN>(p.token) && is<Kind::S_PROTOCOL>(p.prev) && is<Kind::S_NUM>(p.next); },
     "a field is written with brackets: '{prev}[{next}]'"},
    {[](const Place& p) {
       return is_word(p.token, {"id", "label", "session", "vni", "tag"}) && is<Kind::S_TUNNEL>(p.prev) && is<Kind::S_NUM>(p.next);
     },
     "the number follows at once: '{prev} {next}'"},
    {[](const Place& p) { return is_word(p.token, {"than"}) && is<Kind::S_LESS, Kind::S_GREATER>(p.prev) && is<Kind::S_NUM>(p.next); },
     "the number follows at once: '{prev} {next}'"},
    {[](const Place& p) { return p.prev.text == "vlan" && (is_compare(p.token) || is_number_range(p.token)); },
     "'vlan' takes one number; tags are compared behind it: 'vlan and ether[14:2] & 0xfff >= 100 and ether[14:2] & 0xfff <= 199'"},
    {[](const Place& p) { return (is_compare(p.token) || is<Kind::S_NAME>(p.token)) && is<Kind::S_TUNNEL>(p.prev); },
     "'{prev}' takes one number, or none"},
    {[](const Place& p) { return is<Kind::S_NAME>(p.token) && (is_length(p.prev) || is<Kind::S_BYTE, Kind::S_IFINDEX>(p.prev)); },
     "'{prev}' must be followed by a number"},
    {[](const Place& p) { return is<Kind::S_NUM>(p.token) && is<Kind::S_NUM>(p.prev) && p.before.text == "portrange"; },
     "a range of ports is one word: 'portrange {prev}-{word}'"},
    {[](const Place& p) { return is_word(p.prev, {"range", "between"}) && is<Kind::S_KIND>(p.before); },
     "a range of ports is written like 'portrange 80-90'"},
    {[](const Place& p) { return p.token.text == "to" && is<Kind::S_NUM>(p.prev) && is<Kind::S_NUM>(p.next); },
     "a range of ports is one word: 'portrange {prev}-{next}'"},
    {[](const Place& p) { return is_word(p.prev, {"in"}) && is_qualifier(p.before); },
     "alternatives stand in parentheses, joined with 'or', as in 'port (80 or 443)'"},
    {[](const Place& p) { return is<Kind::S_PERCENT>(p.token) && is<Kind::S_IPV6>(p.prev) && touch(p.prev, p.token); },
     "addresses have no zones here: 'host {prev}'"},
    {[](const Place& p) {
       return is<Kind::S_COLON>(p.token) && is_four_digits(p.prev) && is_four_digits(p.next) && (p.before.text == "host" || is_direction(p.before));
     },
     "a MAC address in groups of four digits has dots between them: '0011.2233.4455'; an IPv6 address has eight groups, fewer around one '::'"},
    {[](const Place& p) { return is<Kind::S_COLON>(p.token) && is<Kind::S_NUM>(p.prev) && (p.before.text == "host" || p.before.text == "net"); },
     "an IPv6 address has eight groups of up to four hexadecimal digits, fewer around one '::'"},
    {[](const Place& p) { return is<Kind::S_IPV6>(p.prev) && touch(p.prev, p.token); },
     "an IPv6 address has eight groups of up to four hexadecimal digits, fewer around one '::'"},
    {[](const Place& p) { return is<Kind::S_IPV4, Kind::S_IPV6>(p.token) && is<Kind::S_BROADCAST, Kind::S_MULTICAST>(p.prev); },
     "an address is a condition of its own, joined with 'and': 'dst host {word}'"},
    {[](const Place& p) { return (p.token.text == "ip" || p.token.text == "ip6" || is_link(p.token)) && is<Kind::S_MULTICAST>(p.prev); },
     "the protocol stands first: '{word} multicast'"},
    {[](const Place& p) { return begins_term(p.token) && ends_term(p.prev); },
     "'and' or 'or' is missing before '{word}'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is_number_up_to(p.prev, 255) && p.before.text == "net"; },
     "a network with a prefix length needs dots: 'net {prev}.0.0.0/8'"},
    {[](const Place& p) { return is<Kind::S_STAR>(p.token) && octets_before_wildcard(p.prev) > 0; },
     "there are no wildcards; a network is written with a prefix length: 'net {network}'"},
    {[](const Place& p) { return is<Kind::S_STAR>(p.token) && (is_id(p.prev) || is_qualifier(p.prev)); },
     "there are no wildcards"},
    {[](const Place& p) {
       return is<Kind::S_COLON, Kind::S_MINUS>(p.token) && is_number_up_to(p.prev, 65535) && is_number_up_to(p.next, 65535) &&
              p.before.text.starts_with("port");
     },
     "a range of ports is one word with a hyphen: 'portrange {prev}-{next}'"},
    {[](const Place& p) {
       return is<Kind::S_MINUS>(p.token) && is_number_up_to(p.prev, 65535) && p.before.text.starts_with("port") && !may_follow_qualifier(p.next);
     },
     "a range of ports has two ends, as in 'portrange {prev}-65535'"},
    {[](const Place& p) { return is<Kind::S_MINUS>(p.token) && ends_term(p.prev) && is<Kind::S_NAME>(p.next) && touch(p.token, p.next); },
     "options stand outside of the expression"},
    {[](const Place& p) { return is<Kind::S_COLON>(p.token) && is<Kind::S_IPV4, Kind::S_NAME>(p.prev) && is_number_up_to(p.next, 65535); },
     "a port is a condition of its own, joined with 'and': 'port {next}'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is<Kind::S_NAME>(p.prev) && is<Kind::S_NUM>(p.next) && p.before.text == "net"; },
     "a network by its name has no prefix length: give its address, as in 'net 10.0.0.0/8'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is<Kind::S_NUM>(p.prev) && is<Kind::S_LONE_KIND>(p.before); },
     "'{before}' takes one number or name"},
    {[](const Place& p) {
       const bool is_path = is<Kind::S_SLASH>(p.token) && is<Kind::S_NAME>(p.prev) && (p.before.text == "host" || is_direction(p.before));
       return is_path || (is<Kind::S_COLON>(p.token) && is<Kind::S_SLASH>(p.next));
     },
     "an address on the web is no host: only its name is, as in 'host example.com'"},
    {[](const Place& p) { return is<Kind::S_SLASH>(p.token) && is<Kind::S_NAME>(p.prev) && is_qualifier(p.before) && !is_stop(p.next); },
     "a name with a '/' in it has a backslash before it: '\\{prev}/{next}'"},
    {[](const Place& p) { return is_compare(p.token) && (is<Kind::S_PROTOCOL>(p.prev) || is_qualifier(p.before)); },
     "numbers are compared, 'len', and fields such as 'tcp[13]'"},
    {[](const Place& p) { return (is_stop(p.token) || is<Kind::S_UNBRACKET>(p.token)) && is_arithmetic(p.prev); },
     "a value is missing behind '{prev}'"},
    {[](const Place& p) { return is<Kind::S_BRACKET, Kind::S_UNBRACKET>(p.token); },
     "a field is written like 'tcp[13]' or 'ip[2:2]'"},
};

}  // namespace

const char* hint_row(const Place& p) {
  const auto row = std::ranges::find_if(rows, [&p](const Row& r) { return r.applies(p); });
  return row == std::end(rows) ? nullptr : row->hint;
}

}  // namespace weir::grammar
