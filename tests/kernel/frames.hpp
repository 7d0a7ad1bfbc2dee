// Filters and frames for the campaigns: what each hook makes of the corpus, beside what user space does.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "attach/traffic_control.hpp"
#include "network.hpp"
#include "weir/attach.hpp"

namespace weir::kernel {

inline constexpr std::int32_t tc_next = -1, tc_drop = 2;

/// Filters that look at all layers, at bytes far behind, at lengths and at lists.
inline constexpr const char* filters[] = {
    "tcp port 80",
    "udp",
    "ip6",
    "arp",
    "icmp or icmp6",
    "host 10.0.0.2",
    "net 10.0.0.0/30 and not tcp",
    "vlan",
    "vlan and ip",
    "not vlan and udp",
    "len > 100",
    "len <= 60",
    "ip[6:2] & 0x3fff != 0",
    "ether multicast",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "udp[10:4] != 0 and len > 50",
    "ip6 host 2001:db8::2 or ip host 10.0.0.1",
    "portrange 1-1023",
    "ether proto 0x8847 or pppoes",
    "tcp and ip[2:2] > 40",
    "ether[200] = 0 or ether[100] != 0",
    "src host (10.0.0.1 or 10.0.0.2 or 10.0.0.3 or 10.0.0.4 or 10.0.0.5 or 192.168.1.1) and not port (22 or 23 or 25 or 53)"};

/// Those that look behind the first page, too, for frames that long.
inline constexpr const char* far_filters[] = {
    "tcp port 80", "vlan and ip", "ip6 or arp", "len <= 60",
    "len > 6000", "ether[3000:2] > 0x4000", "ether[4090:4] & 1 = 0", "ip and ether[5000] & 1 != 0", "ether[8000] & 3 = 0 or len < 7000",
    "tcp and ether[4999:4] & 0x100 = 0", "not ether[6000:2] & 0x0101 = 0"};

/// Frames of Ethernet that veth carries, each with its number in it.
std::vector<Bytes> corpus_frames();
/// Each eighth frame, longer than a page: with bytes behind it that belong to no packet in it.
std::vector<Bytes> grown(const std::vector<Bytes>& frames);
std::uint32_t number_of(const Bytes& frame);
/// The number of a frame that came by, if it has the sender's address of one of those sent, which are in the order of their numbers;
/// others are not the test's: an interface's own address may begin as theirs do.
std::optional<std::uint32_t> number_among(const std::vector<Bytes>& sent, const Bytes& frame);

/// What the stack shows of a frame that came in: the tag is taken out.
struct Seen {
  Bytes bytes;
  Metadata meta;
};
Seen after_untagging(const Bytes& frame, std::uint32_t interface);

/// For frames with their tag in them, or in the metadata.
Result<Filter> compiled(const char* text, bool untagged);
/// The numbers of the frames that a filter accepts in user space.
std::set<std::uint32_t> accepted(const Filter& filter, const std::vector<Bytes>& frames, bool untagged);
/// The first frame in one of the two only, in words.
std::string difference(const std::set<std::uint32_t>& got, const std::set<std::uint32_t>& expected, const std::vector<Bytes>& frames);

struct Place {
  const char* name;
  AttachOptions options;
  const char* interface;
  bool untagged;  ///< the stack has taken VLAN tags out
};
std::vector<Place> places();

/// Sends what comes in at one interface out of another one.
attach::ClsactFilter redirected(const char* from, const char* to);

}  // namespace weir::kernel
