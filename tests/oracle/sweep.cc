#include "sweep.hpp"

#include <functional>
#include <string_view>

#include <fmt/core.h>

#include "wire/ieee802.hpp"

namespace weir::oracle {
namespace {

using Words = std::vector<std::string>;
using Take = std::function<void(const std::string&)>;

/// One spelling of each protocol, and none.
const Words& protocols() {
  static const Words all = {
      "",
#define WEIR_PROTOCOL(name, ...) Words{__VA_ARGS__}.front(),
#include "ast/protocols.def"
#undef WEIR_PROTOCOL
  };
  return all;
}

constexpr std::string_view directions[] = {"src", "dst", "src or dst", "dst or src", "src and dst", "dst and src", "addr1", "addr2", "addr3", "addr4", "ra", "ta"};
constexpr std::string_view types[] = {"", "host", "net", "port", "portrange", "gateway", "proto", "protochain"};
constexpr std::string_view every_id[] = {"80", "10.0.0.1", "10.0.0.0/8", "10.1 mask 255.255.0.0", "2001:db8::1", "2001:db8::/32", "00:11:22:33:44:55", "$1f",
                                    "\\tcp", "\\ip", "\\esis", "80-90", "1.10"};

std::string join(std::initializer_list<std::string_view> words) {
  std::string text;
  for (const std::string_view word : words)
    if (!word.empty()) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

void with_qualifiers(bool directed, const Take& take) {
  for (const std::string& protocol : protocols())
    for (const std::string_view type : types)
      for (const std::string_view id : every_id) {
        if (!directed) take(join({protocol, type, id}));
        if (directed)
          for (const std::string_view direction : directions) take(join({protocol, direction, type, id}));
      }
}

void of_protocols(const Take& take) {
  for (const std::string& p : protocols()) {
    if (p.empty()) continue;
    take(p);
    for (const char* rest : {"[0] = 1", "[2:2] & 0xff > 5", "[4:4] != 0", "[60] = 0 or ip"}) take(p + rest);
    for (const char* word : {"broadcast", "multicast", "type mgt", "dir tods"}) take(p + " " + word);
  }
}

/// `FIELD N`, `FIELD = N` and so on, at and beyond the limit.
void of_field(const char* field, std::uint32_t limit, const Take& take) {
  for (const std::uint32_t n : {0u, 1u, limit / 2, limit, limit + 1})
    for (const char* op : {" ", " = ", " != ", " > ", " >= ", " < ", " <= "}) take(fmt::format("{}{}{}", field, op, n));
  take(fmt::format("{} (1 or {})", field, limit));
}

void of_link_types(const Take& take) {
  for (const char* word : {"lane", "metac", "bcc", "oamf4sc", "oamf4ec", "sc", "ilmic", "oam", "oamf4", "connectmsg", "metaconnect", "fisu", "lssu", "lsu", "msu", "hfisu",
                           "hlssu", "hmsu", "llc", "inbound", "outbound", "ifindex 2", "broadcast", "multicast", "pppoed", "lane and ip", "lane and vlan 5 and arp"})
    take(word);
  of_field("vpi", 255, take);
  of_field("vci", 65535, take);
  for (const std::string high : {"", "h"}) {
    of_field((high + "sio").c_str(), 255, take);
    of_field((high + "opc").c_str(), 16383, take);
    of_field((high + "dpc").c_str(), 16383, take);
    of_field((high + "sls").c_str(), 15, take);
  }
  for (const char* reason : {"match", "bad-offset", "fragment", "short", "normalize", "memory", "bad-timestamp", "congestion", "ip-option", "proto-cksum", "state-mismatch",
                             "state-insert", "state-limit", "src-limit", "synproxy", "Match", "BAD-OFFSET", "3", "256", "none"})
    take(std::string("reason ") + reason);
  for (const char* action : {"pass", "accept", "drop", "block", "scrub", "noscrub", "nat", "nonat", "binat", "nobinat", "rdr", "nordr", "synproxy-drop", "Pass", "SYNPROXY-DROP", "none"})
    take(std::string("action ") + action);
  for (const char* text : {"ifname en0", "on en0", "ifname abcdefghijklmno", "ifname abcdefghijklmnop", "rset x", "ruleset main", "rnr 5", "rulenum 5", "srnr 5", "subrulenum 5"}) take(text);
}

void of_wlan(const Take& take) {
  for (const char* type : {"mgt", "management", "ctl", "control", "data", "DATA", "0", "4", "8", "12", "1"}) {
    take(std::string("type ") + type);
#define WEIR_WLAN_TYPE(word, number)
#define WEIR_WLAN_DIRECTION(word, number)
#define WEIR_WLAN_SUBTYPE(of, word, number) take(fmt::format("type {} subtype {}", type, word));
#include "wire/wlan.def"
#undef WEIR_WLAN_SUBTYPE
#define WEIR_WLAN_SUBTYPE(of, word, number)
    take(fmt::format("type {} subtype 0x10", type));
#undef WEIR_WLAN_SUBTYPE
#undef WEIR_WLAN_TYPE
#undef WEIR_WLAN_DIRECTION
  }
  for (const char* direction : {"nods", "tods", "fromds", "dstods", "ToDS", "0", "1", "2", "3", "4", "up"}) take(std::string("dir ") + direction);
}

void of_llc(const Take& take) {
  for (const char* kind : {"i", "s", "u", "rr", "rnr", "rej", "ui", "ua", "disc", "dm", "sabme", "test", "xid", "frmr", "UI", "x"}) take(std::string("llc ") + kind);
}

void of_tunnels(const Take& take) {
  const struct { const char* word; std::uint32_t limit; } tunnels[] = {{"vlan", 4095}, {"mpls", 0xfffff}, {"pppoes", 65535}, {"geneve", 0xffffff}};
  for (const auto& [word, limit] : tunnels) {
    for (const std::uint32_t n : {0u, limit, limit + 1}) take(fmt::format("{} {}", word, n));
    for (const char* rest : {"", " and ip", " and tcp port 80", " and ip6 host 2001:db8::1", " and arp", " and ether host 00:11:22:33:44:55", " and link[0] = 1", " and iso"})
      take(std::string(word) + rest);
    for (const auto& inner : tunnels) take(fmt::format("{} and {} and udp", word, inner.word));
  }
}

void of_numbers(const Take& take) {
  for (const char* text : {"", "len > 100", "less 100", "greater 100", "byte 0 = 1", "byte 3 < 5", "link[0] = 1", "ether[100:4] = 0", "radio[0] = 0", "1 = 1", "1 = 2", "ether proto 0x88cc",
                           "ether proto 6", "ether proto 300", "ip proto 6", "ip6 protochain 6"})
    take(text);
}

/// Numbers in every form wherever one may stand; ids in parentheses, behind `not`, and with the qualifiers of what stood before.
void of_shapes(const Take& take) {
  for (const char* text : {"net 10.0.0.0/010", "net 10.0.0.0/0x8", "net 10.0.0.0/08", "net 10.0.0.0/tcp-push", "ip6 host ::1/0200", "net 2001:db8::/040", "net 010.0.0.0/8",
                           "net 10.0.0.0 mask 0255.0.0.0", "net 0xa0b0c0", "src 0x7f000001", "dst 017700000001", "host 10.0x0a", "host tcpflags", "net icmp-echo", "port tcp-syn",
                           "port 0x0050", "portrange 0x50-0120", "vlan icmp-echo", "mpls tcp-urg", "ip proto tcp-rst", "ether proto icmp6-echo", "less tcp-urg",
                           "byte tcpflags & tcp-syn", "tcp[tcpflags:tcp-syn] = 1", "tcp[tcpflags:icmp6-timeexceeded] = 1", "tcp[015:01] & 02 != 00", "ip[(2):1] = 1", "ip[2:(1)] = 1",
                           "ip[2:1+1] = 1", "--1=1", "2 - - 1 = 3", "1 = 1 = 1", "(len) > (60) and (ip)", "((60)) < len", "((60) < len)", "((tcp[13]) & (2)) != (0)",
                           "(ip[0]=69)=1", "!tcp[13]&2!=0", "not not not tcp", "!(!(!tcp))", "host (10.0.0.1 or (10.0.0.2 and not 10.0.0.3))", "host not (10.0.0.1 or 10.0.0.2)",
                           "host !10.0.0.1", "not src 10.0.0.1 and 10.0.0.2", "tcp port not (80 or 443)", "port ((80) or 443)", "port (80) or (443)", "port 80 or (443) and tcp",
                           "port 80 or (443 or tcp)", "port 80 or (tcp or 443)", "port 80 or not (443)", "(port 80 or 443)", "(port 80) or port 443 or 22", "(port 80 or 443) or 22",
                           "tcp or port 80 or 443", "port 80 or tcp or port 443 or 22", "port 80 or udp and 443", "host 10.0.0.1 and port 80 or 443",
                           "net 10.0.0.0/8 or 11.0.0.0/8 or 172.16", "host 10.0.0.1 or ::1", "ether host 00:11:22:33:44:55 or 10.0.0.1", "ether src 00:11:22:33:44:55 or dst 10.0.0.1",
                           "ip proto 6 or \\udp", "ether proto 0x800 or \\arp or 0x86dd", "portrange 1-2 or 80", "vlan 5 or 6", "vlan (5 or 6)", "vlan 5 or vlan 6", "vlan and not vlan",
                           "not vlan and vlan", "(vlan 5 and ip) or ip", "vlan and (ip or vlan and ip)", "mpls and mpls and ip", "mpls or ip", "vlan and pppoes and ip",
                           "geneve and vlan and ip", "not geneve and ip", "(geneve and ip) or ip", "geneve and ip6 protochain 6", "protochain 6 or vlan"})
    take(text);
}

class Sweep {
 public:
  Sweep(Examiner& examiner, std::uint64_t every, std::uint64_t first, std::uint64_t seed) : examiner_(examiner), every_(every), at_(every - first % every), random_(seed) {}

  void run() {
    for (const wire::LinkType& link_type : wire::link_types()) {
      const auto take = [&](const std::string& filter) { examine(link_type, filter); };
      of_numbers(take);
      of_protocols(take);
      of_link_types(take);
      of_tunnels(take);
      of_llc(take);
      // Where only the bytes are known, one such link type stands for all.
      const bool known = link_type.layout.type_field != wire::TypeField::None || link_type.layout.addresses != wire::Addresses::None || link_type.name == "USB_LINUX";
      if (!known) continue;
      of_shapes(take);
      of_wlan(take);
      with_qualifiers(false, take);
      if (is_directed(link_type.name)) with_qualifiers(true, take);
    }
    fmt::print("sweep: {} filters, {} tried: {} compared, {} refused by both, {} excused, {} disagree\n", seen_, counts_[0] + counts_[1] + counts_[2] + counts_[3] + counts_[4],
               counts_[static_cast<int>(Outcome::Compared)], counts_[static_cast<int>(Outcome::RefusedByBoth)], counts_[static_cast<int>(Outcome::Excused)],
               counts_[static_cast<int>(Outcome::Disagreed)]);
  }

 private:
  /// Directions mean the same wherever addresses do: one link type of each kind.
  static bool is_directed(std::string_view name) {
    for (const std::string_view one : {"EN10MB", "RAW", "IEEE802_11", "ARCNET", "FDDI", "PFLOG", "JUNIPER_ETHER", "USB_LINUX"})
      if (name == one) return true;
    return false;
  }

  void examine(const wire::LinkType& link_type, const std::string& filter) {
    ++seen_;
    if (++at_ <= every_) return;
    at_ = 1;
    Case c;
    c.setting.link_type = link_type.name;
    c.filter = filter;
    ++counts_[static_cast<std::size_t>(examiner_.examine(c, random_))];
  }

  Examiner& examiner_;
  std::uint64_t every_, at_, seen_ = 0;
  std::array<std::uint64_t, outcome_count> counts_{};
  Random random_;
};

}  // namespace

void run_sweep(Examiner& examiner, std::uint64_t every, std::uint64_t first, std::uint64_t seed) { Sweep(examiner, every, first, seed).run(); }

}  // namespace weir::oracle
