#include "generate.hpp"
#include "values.hpp"

namespace weir::oracle {
namespace {

class PrimitiveGenerator {
 public:
  PrimitiveGenerator(std::string_view link_type, bool careful, Random& random)
      : layout_(wire::find_link_type(link_type)->layout), link_type_(link_type), careful_(careful), r_(random) {}

  std::string run(Kind kind) {
    switch (kind) {
      case Kind::Abbreviation: return abbreviation();
      case Kind::Host: return host();
      case Kind::Net: return net();
      case Kind::Port: return port();
      case Kind::Portrange: return portrange();
      case Kind::Proto: return proto();
      case Kind::Protochain: return r_.pick({"ip protochain ", "ip6 protochain ", "protochain "}) + ip_protocol();
      case Kind::LinkHost: return link_host();
      case Kind::LinkProto: return link_proto();
      case Kind::Gateway: return r_.pick({"gateway localhost", "ip gateway localhost", "gateway 10.0.0.1"});
      case Kind::Cast: return cast();
      case Kind::Length: return r_.pick({"less ", "greater "}) + number(r_.pick({0u, 1u, 60u, 100u, 1500u, 65535u, 0xffffffffu}), r_);
      case Kind::Byte: return byte();
      case Kind::Relation: return relation(link_type_, careful_, r_);
      case Kind::Direction: return direction_primitive();
      case Kind::Vlan: return tunnel("vlan", {1, 2, 10, 4095, 0}, 4096);
      case Kind::Mpls: return tunnel("mpls", {16, 100, 1023, 0, 0xfffff}, 0x100000);
      case Kind::Pppoe: return r_.percent(30) ? "pppoed" : tunnel("pppoes", {1, 10, 0x3b, 65535, 0}, 65536);
      case Kind::Geneve: return tunnel("geneve", {10, 11, 0, 0xffffff}, 0x1000000);
      case Kind::Vxlan: return tunnel("vxlan", {10, 11, 0, 0xffffff, 100}, 0x1000000);
      case Kind::Llc:
        return r_.pick({"llc", "llc", "llc i", "llc s", "llc u", "llc rr", "llc rnr", "llc rej", "llc ui", "llc ua", "llc disc",
                        "llc dm", "llc sabme", "llc test", "llc xid", "llc frmr"});
      case Kind::Wlan: return wlan();
      case Kind::Foreign: return foreign();
      case Kind::Odd: return odd();
      case Kind::Words: break;
      case Kind::Broken:
        return r_.pick({"ip[", "port", "host", "()", "tcp udp", "not", "1", "10.0.0.1", "and", "ip proto tcp", "len", "len > ",
                        "net 10.0.0.1/8", "\\tcp", "port 65536", "ip[0:5] = 1", "host 10.0.0.0/33", "80and ip"});
    }
    return {};
  }

 private:
  /// Mostly what libpcap accepts; sometimes, unless care is taken, what it refuses.
  std::string either(std::initializer_list<const char*> good, std::initializer_list<const char*> bad) {
    return r_.pick(!careful_ && r_.percent(20) ? bad : good);
  }

  std::string abbreviation() {
    if (r_.percent(65)) return r_.pick({"ip", "ip", "ip6", "tcp", "tcp", "udp", "udp", "arp", "icmp", "icmp6", "rarp", "sctp"});
    return r_.pick({"igmp",
                    "igrp",
                    "pim",
                    "vrrp",
                    "carp",
                    "ah",
                    "esp",
                    "atalk",
                    "aarp",
                    "decnet",
                    "lat",
                    "sca",
                    "moprc",
                    "mopdl",
                    "iso",
                    "esis",
                    "isis",
                    "es-is",
                    "is-is",
                    "clnp",
                    "stp",
                    "ipx",
                    "netbeui",
                    "l1",
                    "l2",
                    "iih",
                    "lsp",
                    "snp",
                    "csnp",
                    "psnp",
                    careful_ ? "ah" : "link",
                    careful_ ? "esp" : "radio"});
  }

  std::string direction(std::uint32_t none = 45) {
    return r_.percent(none) ? "" : r_.pick({"src ", "dst ", "src ", "dst ", "src or dst ", "src and dst ", "dst or src ", "dst and src "});
  }

  /// `QUALIFIERS ID`, or the same with several ids that share the qualifiers.
  template <class Id>
  std::string with_ids(const std::string& qualifiers, Id id) {
    const std::string first = (r_.percent(4) ? "not " : "") + id();
    if (r_.percent(80)) return qualifiers + first;
    std::string list = first;
    for (std::uint32_t more = r_.between(1, 4); more > 0; --more)
      list += (r_.percent(85) ? " or " : " and ") + std::string(r_.percent(5) ? "not " : "") +
              (r_.percent(8) ? "(" + id() + " or " + id() + ")" : id());
    return qualifiers + (r_.percent(40) ? "(" + list + ")" : list);
  }

  std::string ipv4() { return std::string(r_.pick<std::string_view>(ipv4_hosts)); }
  std::string ipv6() { return std::string(r_.pick<std::string_view>(ipv6_hosts)); }
  std::string mac() { return std::string(r_.pick<std::string_view>(macs)); }

  std::string host() {
    const std::uint32_t what = r_.below(100);
    const std::string type = r_.percent(70) ? "host " : "";
    if (what < 60) {
      const std::string d = direction();
      const std::string protocol = r_.pick({"", "", "", "ip ", "ip ", "arp ", "rarp "});
      return with_ids(protocol + d + (protocol.empty() && d.empty() ? "host " : type), [&] { return ipv4(); });
    }
    if (what < 80) {
      const std::string d = direction();
      const std::string protocol = r_.pick({"", "", "ip6 "});
      return with_ids(protocol + d + (protocol.empty() && d.empty() ? "host " : type), [&] { return ipv6(); });
    }
    // Not behind `arp`: where the system knows ::1 by this name too, libpcap refuses it and weir takes the IPv4 address.
    if (what < 86) return r_.pick({"", "ip "}) + direction() + "host localhost";
    if (what < 90) return r_.pick({"host 10", "src host 10.1", "host 192.168.1", "dst host 10.0.0", "ip host 0", "src 10.1"});
    if (what < 94)
      return either({"ip6 host ::1/128", "host ::1/128", "ip6 src fe80::1/128"},
                    {"host 10.0.0.1/32", "src 10.0.0.0/24", "host ::ffff:1.2.3.4", "ip6 src fe80::1/64"});
    return "decnet " + r_.pick({"src ", "dst ", "host ", "src or dst ", "src and dst "}) +
           either({"1.1", "1.10", "63.1023", "1.0"}, {"64.1", "1.1024", "1"});
  }

  std::string net() {
    const std::string qualifiers = r_.pick({"", "", "", "ip ", "arp ", "rarp "}) + direction() + "net ";
    if (r_.percent(65))
      return with_ids(qualifiers, [&] {
        return r_.pick({"10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/31", "192.168.0.0/16", "192.168.1.0/25",
                        "0.0.0.0/0",  "128.0.0.0/1", "10",          "10.0",           "10.0.0",
                        "192.168",    "300",         "224.0.0.0/4", "10.0.0.1/32",    "10.0.0.1",
                        "10.1",       "0",           "172.16/12",   "10/8",           "10.0.1.7"});
      });
    if (r_.percent(30))
      return qualifiers + either({"10.0.0.0 mask 255.0.0.0", "192.168.1.1 mask 255.255.255.255", "0.0.0.1 mask 0.0.0.255",
                                  "192.168.0.0 mask 255.255.0.0", "10.0.0.1 mask 255.0.255.255"},
                                 {"10.0.0.1 mask 255.0.0.0", "10 mask 255", "192.168 mask 255.255.0.0", "10.0.0.0 mask 255"});
    if (r_.percent(30)) return qualifiers + either({"loopback", "link-local", "default"}, {"10.0.0.1/8", "10.0.0.0/33", "::/129"});
    return r_.pick({"", "ip6 "}) + direction() + "net " +
           either({"2001:db8::/32", "fe80::/10", "::/0", "::1/128", "2001:db8::1/128", "ff00::/8", "2001:db8:1:2::/64",
                   "2001:db8:1:2::/65", "2000::/3"},
                  {"2001:db8::1/64", "2001:db8::/129", "::1"});
  }

  std::string port_id() {
    if (r_.percent(12)) return either({"domain", "https"}, {"http", "ssh", "login", "who", "ftp-data", "amqp"});
    return number(ports[r_.below(ports.size())], r_);
  }
  std::string transport() { return r_.pick({"", "", "", "tcp ", "tcp ", "udp ", "udp ", "sctp "}); }

  std::string port() {
    return with_ids(transport() + direction() + "port ", [&] { return port_id(); });
  }

  std::string portrange() {
    return transport() + direction() + "portrange " +
           either({"80-81", "22-80", "80-443", "0-65535", "81-80", "0-0", "1-79", "1024-65535", "6000-6081", "443-443", "domain-https"},
                  {"0x50-81", "ssh-http", "ssh-80", "ftp-data-90", "80", "80-65536"});
  }

  std::string ip_protocol() {
    if (r_.percent(40)) return r_.pick({"\\tcp", "\\udp", "\\icmp", "\\sctp", "\\ah", "\\esp", "\\pim", "\\vrrp", "\\igmp"});
    return number(r_.pick<std::uint8_t>(ip_protocols), r_);
  }

  std::string proto() {
    if (r_.percent(10))
      return either({"iso proto ", "isis proto "}, {"clnp proto ", "tcp proto "}) +
             either({"0x83", "18", "0x81"}, {"\\isis", "\\esis", "\\clnp"});
    if (r_.percent(4)) return "iso proto " + r_.pick({"\\isis", "\\esis", "\\clnp"});
    return with_ids(r_.pick({"ip ", "ip ", "ip6 ", ""}) + std::string("proto "), [&] { return ip_protocol(); });
  }

  std::string link_proto() {
    return with_ids(r_.pick({"ether ", "ether ", "link ", "ppp ", "wlan "}) + std::string("proto "), [&] {
      if (r_.percent(35))
        return r_.pick({"\\ip", "\\ip6", "\\arp", "\\rarp", "\\stp", "\\ipx", "\\iso", "\\netbeui", "\\atalk", "\\aarp",
                        "\\decnet", "\\lat", "\\sca", "\\moprc", "\\mopdl"});
      if (r_.percent(30))
        return number(r_.pick({0x42u, 0xaau, 0xfeu, 0xe0u, 0xf0u, 6u, 0u, 0xffu, 1u, 4u, 1500u, 1501u, 0x5ffu, 0x600u, 65535u,
                               65536u, 0x12345678u}),
                      r_);
      return number(ethertypes[r_.below(ethertypes.size())], r_);
    });
  }

  std::string link_host() {
    if (layout_.addresses == wire::Addresses::Mac8)
      return with_ids("link " + r_.pick({"host ", "src ", "dst ", "src and dst ", "src or dst "}), [&] {
        return r_.pick({"$1f", "$00", "$ff", "$7", "$5A"});
      });
    const std::string protocol = r_.pick({"ether ", "ether ", "link ", "wlan "});
    const std::string d = direction();
    return with_ids(protocol + d + (d.empty() || r_.percent(50) ? "host " : ""),
                    [&] { return careful_ || r_.percent(96) ? mac() : "$1f"; });
  }

  std::string cast() {
    const bool addresses = layout_.addresses != wire::Addresses::None;
    if (layout_.type_field == wire::TypeField::None) return r_.pick({"", "link "}) + std::string("broadcast");
    if (!careful_) return r_.pick({"", "ether ", "ip ", "ip6 ", "wlan ", "link ", "arp "}) + r_.pick({"broadcast", "multicast"});
    if (!addresses || r_.percent(50)) return r_.pick({"ip multicast", "ip6 multicast", "ip broadcast"});
    return r_.pick({"", "ether ", "link ", "wlan "}) + r_.pick({"broadcast", "multicast"});
  }

  std::string byte() {
    return "byte " + number(r_.pick({0u, 1u, 9u, 12u, 13u, 14u, 23u, 40u, 1000u}), r_) + " " + r_.pick({"=", "<", ">", "&", "|"}) + " " +
           number(r_.pick({0u, 1u, 6u, 8u, 0x45u, 0x80u, 255u, 256u}), r_);
  }

  std::string direction_primitive() {
    return r_.percent(70) ? r_.pick({"inbound", "outbound"}) : "ifindex " + number(r_.pick({0u, 1u, 2u, 5u, 0xffffffffu}), r_);
  }

  std::string tunnel(const char* word, std::initializer_list<std::uint32_t> numbers, std::uint32_t too_large) {
    if (r_.percent(65)) return word;
    return word + (" " + number(!careful_ && r_.percent(10) ? too_large : r_.pick(numbers), r_));
  }

  std::string wlan() {
    switch (r_.below(6)) {
      case 0:
        return either({"type mgt", "type ctl", "type data", "wlan type data", "type 0", "type 1", "type 2", "type 3"},
                      {"type 4", "type mgmt"});
      case 1:
        return "type mgt subtype " + either({"assoc-req", "assoc-resp", "reassoc-req", "reassoc-resp", "probe-req", "probe-resp",
                                             "beacon", "atim", "disassoc", "auth", "deauth", "4"},
                                            {"16", "ack"});
      case 2: return "type ctl subtype " + either({"ps-poll", "rts", "cts", "ack", "cf-end", "cf-end-ack", "15"}, {"bar", "ba", "beacon"});
      case 3:
        return "type data subtype " +
               either({"data", "data-cf-ack", "null", "cf-ack-poll", "qos-data", "qos", "qos-null", "8"}, {"beacon", "99"});
      case 4:
        return either({"subtype beacon", "subtype qos-data", "wlan subtype ack", "dir nods", "dir tods", "dir fromds",
                       "dir dstods", "dir 1", "dir 3"},
                      {"dir 256", "subtype 4", "dir up"});
      default:
        return "wlan " +
               r_.pick(
                   {"addr1 ", "addr2 ", "addr3 ", "addr4 ", "ra ", "ta ", "src ", "dst ", "host ", "address1 ", "src and dst "}) +
               mac();
    }
  }

  /// What only one family of link types has.
  std::string foreign() {
    const std::uint32_t what = careful_ || r_.percent(70) ? (layout_.atm    ? 0
                                                             : layout_.mtp2 ? 1
                                                             : layout_.pf   ? 2
                                                                            : r_.below(3))
                                                          : r_.below(3);
    if (what == 0) return atm();
    return what == 1 ? mtp() : pf();
  }

  std::string alternatives(const char* field, std::initializer_list<std::uint32_t> values, std::uint32_t too_large) {
    const auto value = [&] { return number(!careful_ && r_.percent(8) ? too_large : r_.pick(values), r_); };
    if (r_.percent(30)) return field + (" (" + value() + " or " + value() + (r_.percent(30) ? " or " + value() : "") + ")");
    return field + r_.pick({" ", " ", " = ", " > ", " < ", " >= ", " <= ", " != "}) + value();
  }

  std::string atm() {
    if (r_.percent(30)) return alternatives("vpi", {0, 1, 3, 255}, 256);
    if (r_.percent(30)) return alternatives("vci", {0, 1, 2, 3, 4, 5, 16, 32, 65535}, 65536);
    return r_.pick({"lane", "lane", "lane", "metac", "bcc", "oamf4sc", "oamf4ec", "sc", "ilmic", "oam", "oamf4", "connectmsg",
                    "metaconnect"});
  }

  std::string mtp() {
    if (r_.percent(40)) return r_.pick({"fisu", "lssu", "lsu", "msu", "hfisu", "hlssu", "hmsu"});
    const std::string high = r_.pick({"", "h"});
    switch (r_.below(4)) {
      case 0: return alternatives((high + "sio").c_str(), {0, 1, 0x83, 255}, 256);
      case 1: return alternatives((high + "opc").c_str(), {0, 1, 255, 256, 5000, 16383}, 16384);
      case 2: return alternatives((high + "dpc").c_str(), {0, 1, 255, 256, 5000, 16383}, 16384);
      default: return alternatives((high + "sls").c_str(), {0, 1, 7, 15}, 16);
    }
  }

  std::string pf() {
    switch (r_.below(6)) {
      case 0: return r_.pick({"ifname ", "on "}) + either({"en0", "eth0", "a", "abcdefghijklmno"}, {"abcdefghijklmnop"});
      case 1: return r_.pick({"rset ", "ruleset "}) + either({"x", "main", "abcdefghijklmno"}, {"abcdefghijklmnop"});
      case 2: return r_.pick({"rnr ", "rulenum ", "srnr ", "subrulenum "}) + number(r_.pick({0u, 1u, 5u, 0xffffffffu}), r_);
      case 3: return "action " + either({"pass", "accept", "block", "drop", "scrub", "nat", "rdr", "nordr", "synproxy-drop"}, {"reject"});
      default:
        return "reason " +
               either({"match", "bad-offset", "short", "memory", "congestion", "src-limit", "synproxy", "3", "256"}, {"none"});
    }
  }

  /// Any qualifiers before any id: mostly refused, and the refusals must agree too.
  std::string odd() {
    const std::string protocol = r_.pick({"", "ether ", "ip ", "arp ", "rarp ", "tcp ", "udp ", "icmp ", "ip6 ", "sctp ",
                                          "decnet ", "iso ", "isis ", "vrrp ", "ah ", "link ", "radio ", "stp ", "atalk "});
    const std::string d = r_.pick({"", "src ", "dst ", "src and dst ", "addr1 ", "ra "});
    const std::string type = r_.pick({"", "host ", "net ", "port ", "portrange ", "gateway ", "proto ", "protochain "});
    const std::string id = r_.pick({"80", "10.0.0.1", "10.0.0.0/8", "::1", "::/0", "00:11:22:33:44:55", "$1f", "\\tcp", "80-81",
                                    "1.1", "10.0.0.0 mask 255.0.0.0", "0x1234", "65536"});
    return protocol + d + type + id;
  }

  const wire::Layout& layout_;
  std::string_view link_type_;
  bool careful_;
  Random& r_;
};

}  // namespace

std::string primitive(Kind kind, std::string_view link_type, bool careful, Random& random) {
  return PrimitiveGenerator(link_type, careful, random).run(kind);
}

}  // namespace weir::oracle
