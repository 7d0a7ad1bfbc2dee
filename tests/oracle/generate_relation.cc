#include <array>
#include <utility>

#include "generate.hpp"
#include "values.hpp"

namespace weir::oracle {
namespace {

constexpr std::array<std::string_view, 5> named_relations[] = {
    // accessor, then constants that are compared with it
    {"tcp[tcpflags]", "tcp-syn", "tcp-ack", "tcp-fin", "tcp-rst"},
    {"tcp[tcpflags]", "tcp-push", "tcp-urg", "tcp-ece", "tcp-cwr"},
    {"icmp[icmptype]", "icmp-echo", "icmp-echoreply", "icmp-unreach", "icmp-redirect"},
    {"icmp[icmptype]", "icmp-routeradvert", "icmp-timxceed", "icmp-tstamp", "icmp-maskreply"},
    {"icmp[icmpcode]", "0", "1", "3", "4"},
    {"icmp6[icmp6type]", "icmp6-echo", "icmp6-echoreply", "icmp6-neighborsolicit", "icmp6-routeradvert"},
    {"icmp6[icmp6type]", "icmp6-destinationunreach", "icmp6-packettoobig", "icmp6-redirect", "icmp6-timeexceeded"},
    {"icmp6[icmp6code]", "0", "1", "3", "4"},
};

class RelationGenerator {
 public:
  RelationGenerator(std::string_view link_type, bool careful, Random& random) : link_type_(link_type), careful_(careful), random_(random) {}

  std::string run() {
    if (random_.percent(20)) return named();
    std::string left = value(2, 65);
    std::string right = random_.percent(65) ? constant() : value(2, 40);
    if (random_.percent(10)) std::swap(left, right);
    return left + comparison() + right;
  }

 private:
  std::string comparison() {
    return random_.percent(50) ? random_.pick({" = ", " == ", "=", " != ", " != "})
                               : random_.pick({" > ", " < ", " >= ", " <= ", ">", "<="});
  }

  std::string named() {
    const auto& row = named_relations[random_.below(std::size(named_relations))];
    std::string left(row[0]);
    const std::string one(row[1 + random_.below(4)]), two(row[1 + random_.below(4)]);
    if (left[0] != 't') return left + comparison() + one;
    switch (random_.below(4)) {
      case 0: return left + " == " + one;
      case 1: return left + " & " + one + " != 0";
      case 2: return left + " & (" + one + "|" + two + ") = " + one;
      default: return left + " & (" + one + " | " + two + ")" + comparison() + random_.pick({"0", "2", "18"});
    }
  }

  std::string constant() {
    switch (random_.below(8)) {
      case 0: return number(random_.pick({0u, 1u, 255u, 256u, 65535u, 0x7fffffffu, 0x80000000u, 0xffffffffu}), random_);
      case 1: return number(ethertypes[random_.below(ethertypes.size())], random_);
      case 2: return number(ipv4_numbers[random_.below(ipv4_numbers.size())], random_);
      case 3: return number(ports[random_.below(ports.size())], random_);
      case 4: return number(ip_protocols[random_.below(ip_protocols.size())], random_);
      case 5: return number(random_.below(2000), random_);
      default: return number(random_.below(256), random_);
    }
  }

  std::string protocol() {
    if (random_.percent(70)) return random_.pick({"ip", "ip", "tcp", "tcp", "udp", "icmp", "ip6", "link", "ether", "arp"});
    if (link_type_ == "IEEE802_11_RADIO" && random_.percent(60)) return random_.pick({"radio", "wlan", "link"});
    if (!careful_ && random_.percent(20)) return random_.pick({"radio", "ah", "esp", "iso", "aarp", "stp", "ipx", "netbeui"});
    return random_.pick({"rarp", "sctp", "igmp", "igrp", "pim", "vrrp", "carp", "icmp6", "wlan", "ppp", "atalk", "decnet", "lat", "moprc",
                         "mopdl", "sca", "fddi", "tr", "slip"});
  }

  std::string offset(int depth) {
    const std::uint32_t what = random_.below(100);
    if (what < 55) return number(random_.below(24), random_);
    if (what < 75) return number(random_.below(80), random_);
    if (what < 80)
      return number(random_.pick({1000u, 65535u, 0x7ffffff0u, 0x7fffffffu, 0x80000000u, 0xffffeffeu, 0xfffff000u, 0xfffffffcu,
                                  0xffffffffu}),
                    random_);
    if (what < 84) return "-" + number(random_.below(20), random_);
    if (what < 88) return "(tcp[12] & 0xf0) >> 2";
    if (what < 92) return "(ip[0] & 0xf) << 2";
    return value(depth - 1, 60);
  }

  std::string accessor(int depth) {
    const std::string at = offset(depth);
    const std::string size = random_.percent(45)               ? ""
                             : careful_ || random_.percent(97) ? random_.pick({":1", ":2", ":4"})
                                                               : random_.pick({":3", ":0", ":8"});
    return protocol() + "[" + at + size + "]";
  }

  std::string operation() {
    return random_.pick({" + ", " - ", " * ", " / ", " % ", " & ", " & ", " | ", " ^ ", " << ", " >> ", "+", "&"});
  }

  /// `packet`: how likely a leaf looks at the packet.
  std::string value(int depth, std::uint32_t packet) {
    if (depth > 0 && random_.percent(30)) {
      const std::string left = value(depth - 1, packet);
      if (careful_ && random_.percent(90)) return left + operation() + number(random_.pick({1u, 2u, 4u, 7u, 8u, 15u, 31u, 16u}), random_);
      const std::string right = random_.percent(70)
                                    ? number(random_.pick({0u, 1u, 2u, 4u, 7u, 8u, 15u, 0xf0u, 255u, 0xffffu, 31u}), random_)
                                    : value(depth - 1, packet);
      return left + operation() + right;
    }
    if (depth > 0 && random_.percent(8)) return "(" + value(depth - 1, packet) + ")";
    if (depth > 0 && random_.percent(4)) return "-" + value(depth - 1, packet);
    if (!random_.percent(packet)) return constant();
    return random_.percent(15) ? "len" : accessor(depth);
  }

  std::string_view link_type_;
  bool careful_;
  Random& random_;
};

}  // namespace

std::string relation(std::string_view link_type, bool careful, Random& random) {
  return RelationGenerator(link_type, careful, random).run();
}

}  // namespace weir::oracle
