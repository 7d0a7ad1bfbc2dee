#include "capture/live.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "capture/cooked.hpp"
#include "wire/link_type.hpp"

namespace weir::capture {
namespace {

/// How long the last packets may take to come out of the kernel, and how often an interface that is down is looked at.
constexpr std::chrono::milliseconds longest_rest(1000), look_interval(100);
/// Packets that next() rejects before it lets its caller see to other things: about a millisecond of a large filter.
constexpr int longest_look = 1024;

bool has_tag(const tpacket3_hdr& header) { return (header.tp_status & TP_STATUS_VLAN_VALID) != 0; }

std::uint16_t tag_protocol(const tpacket3_hdr& header) {
  return header.tp_status & TP_STATUS_VLAN_TPID_VALID ? header.hv1.tp_vlan_tpid : std::uint16_t{ETH_P_8021Q};
}

/// What the filter would be told by the kernel.
Metadata metadata_of(const Frame& frame) {
  const auto& header = *frame.header;
  return {.protocol = ntohs(frame.from->sll_protocol),
          .packet_type = frame.from->sll_pkttype,
          .interface_index = static_cast<std::uint32_t>(frame.from->sll_ifindex),
          .vlan_tag = has_tag(header) ? header.hv1.tp_vlan_tci : 0,
          .vlan_tag_present = has_tag(header),
          .vlan_protocol = has_tag(header) ? tag_protocol(header) : 0u};
}

/// Where a VLAN tag belongs: before the type, in Ethernet frames behind the two addresses (IEEE 802.1Q). libpcap puts none into
/// LINUX_SLL2, whose type comes first.
std::optional<std::size_t> place_of_tag(int dlt) {
  if (dlt == dlt_ethernet) return 12;
  if (dlt == dlt_sll) return sll_header_size - 2;
  return std::nullopt;
}

/// Moves what is before that place into the room before the packet, and puts the tag where the gap is.
std::span<std::uint8_t> with_tag(const tpacket3_hdr& header, std::span<std::uint8_t> packet, std::size_t place) {
  auto* start = packet.data() - tag_size;
  std::memmove(start, packet.data(), place);
  const std::array<std::uint16_t, 2> tag = {htons(tag_protocol(header)), htons(static_cast<std::uint16_t>(header.hv1.tp_vlan_tci))};
  std::memcpy(start + place, tag.data(), tag_size);
  return {start, packet.size() + tag_size};
}

/// What goes out on a loopback interface comes in there again.
bool is_seen_twice(const Frame& frame) {
  return frame.from->sll_hatype == ARPHRD_LOOPBACK && frame.from->sll_pkttype == PACKET_OUTGOING;
}

/// Whether there is something to read before the time is over. Signals do not shorten it.
bool comes_within(std::chrono::milliseconds time, int descriptor) {
  const auto end = std::chrono::steady_clock::now() + time;
  pollfd ready = {descriptor, POLLIN, 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int count = ::poll(&ready, 1, std::max(0, static_cast<int>(left.count())));
    if (count >= 0 || errno != EINTR) return count > 0 && (ready.revents & POLLIN);
  }
}

/// The link type of the interface.
Result<int> link_type_of(const Interface& on) {
  if (on.dlt) return *on.dlt;
  return fail(Code::Unsupported, {},
              fmt::format("the frames of {} have the tag of a switch chip that weir does not know", on.name),
              fmt::format("its protocol is in /sys/class/net/{}/dsa/tagging", on.name));
}

}  // namespace

Live::Live(PacketSocket socket, const Interface& on, const Settings& settings, const Filter& filter)
    : socket_(std::move(socket)), on_(on), settings_(settings), format_(format_of(on.dlt.value_or(0), settings.snaplen)),
      filter_(&filter) {}

Result<Live> Live::begin(const Interface& on, const Settings& settings, const Filter& filter) {
  if (const auto link_type = link_type_of(on); !link_type) return std::unexpected(link_type.error());
  auto socket = PacketSocket::open(on.cooked ? PacketSocket::Headers::None : PacketSocket::Headers::Raw);
  if (!socket) return std::unexpected(socket.error());
  Live live(std::move(*socket), on, settings, filter);
  live.attach(filter);
  if (auto made = live.socket_.make_ring(); !made) return std::unexpected(made.error());
  if (auto bound = live.socket_.listen(on, settings.promiscuous); !bound) return std::unexpected(bound.error());
  return live;
}

void Live::attach(const Filter& filter) {
  if (settings_.needs_header) {
    filtered_here_ = settings_.needs_header;
  } else if (const auto attached = filter.attach(socket_.descriptor()); !attached) {
    filtered_here_ = attached.error();
  }
}

std::optional<double> Live::small_ring() const {
  const auto is = socket_.ring_size(), wanted = PacketSocket::wanted_ring_size();
  return is < wanted ? std::optional(static_cast<double>(is) / static_cast<double>(wanted)) : std::nullopt;
}

/// How many bytes the filter keeps; as many as there are where the kernel runs it.
std::uint32_t Live::kept_here(const Frame& frame, std::span<const std::uint8_t> shown) const {
  if (!filtered_here_) return settings_.snaplen;
  const auto length = frame.header->tp_len;
  if (!settings_.needs_header) return filter_->run({.bytes = frame.bytes, .length = length, .meta = metadata_of(frame)});
  const auto added = static_cast<std::uint32_t>(shown.size() - frame.bytes.size());
  return filter_->run({.bytes = shown, .length = length + added});
}

/// Nothing: the filter rejects it.
std::optional<Record> Live::look_at(const Frame& frame) const {
  const auto& header = *frame.header;
  auto bytes = on_.cooked ? with_cooked_header(format_.dlt, *frame.from, frame.bytes) : frame.bytes;
  const auto kept = kept_here(frame, bytes);
  if (kept == 0) return std::nullopt;
  auto length = header.tp_len + static_cast<std::uint32_t>(bytes.size() - frame.bytes.size());
  bytes = bytes.first(std::min<std::size_t>(kept, bytes.size()));
  // libpcap asks this of the packet without a cooked header, too.
  if (const auto place = place_of_tag(format_.dlt); place && has_tag(header) && std::min(frame.bytes.size(), bytes.size()) >= *place) {
    bytes = with_tag(header, bytes, *place);
    length += tag_size;
  }
  return Record{.seconds = header.tp_sec,
                .fraction = header.tp_nsec / 1000,
                .length = length,
                .bytes = bytes.first(std::min<std::size_t>(bytes.size(), settings_.snaplen))};
}

std::optional<Record> Live::next() {
  for (int looked_at = 0; looked_at < longest_look && socket_.taken() < last_; ++looked_at) {
    const auto* ready = socket_.next();
    if (!ready) break;
    if (is_seen_twice(*ready)) continue;
    if (auto record = look_at(*ready)) return record;
  }
  return std::nullopt;
}

/// The kernel has no way to end it but closing the socket, which would take along what is in the ring. Where it has no room
/// for a filter that rejects everything either (net.core.optmem_max, of which the first one stays counted until the
/// second has replaced it), packets go on coming, and those behind the last of now are not taken.
void Live::stop() {
  if (std::exchange(stopped_, true)) return;
  const auto none = compile("1 = 0");
  if (none && none->attach(socket_.descriptor())) return;
  const auto counted = socket_.counters();
  last_ = counted.received - counted.dropped;
}

bool Live::all_taken() {
  const auto counted = socket_.counters();
  return socket_.taken() >= std::min(last_, counted.received - counted.dropped);
}

/// The kernel keeps packets back until their block is full or old enough.
Result<Live::Event> Live::wait_for_rest() {
  (void)socket_.pending_error();  // poll(2) would not wait because of it
  if (!all_taken() && comes_within(longest_rest, socket_.descriptor())) return Event::Packets;
  if (!gone_) return Event::End;
  return fail(Code::System, {}, fmt::format("the interface {} disappeared", on_.name));
}

/// Of an interface that goes away the socket is told only that it went down (packet_notifier() in af_packet.c), so who
/// wants to know looks again a little later.
Result<Live::Event> Live::notice(int error) {
  if (error != 0 && error != ENETDOWN) {
    return fail(Code::System, {}, fmt::format("capturing on {}: {}", on_.name, std::strerror(error)));
  }
  if (state_ == State::Up) state_ = State::Suspect;
  return Event::Packets;
}

Result<Live::Event> Live::look_whether_up() {
  if (!socket_.is_bound()) {
    gone_ = true;
    stop();
    return Event::Packets;
  }
  const auto all = interfaces();
  if (!all) return std::unexpected(all.error());
  const auto now = std::ranges::find(*all, on_.index, &Interface::index);
  if (now == all->end()) return Event::Packets;  // about to be unbound
  const bool told = std::exchange(state_, now->up ? State::Up : State::Down) == State::Down;
  if (now->up) return told ? Event::CameUp : Event::Packets;
  return told ? Event::Packets : Event::WentDown;
}

Result<Live::Event> Live::wait(int stop_descriptor) {
  if (stopped_) return wait_for_rest();
  std::array<pollfd, 2> ready = {{{socket_.descriptor(), POLLIN, 0}, {stop_descriptor, POLLIN, 0}}};
  const int count = ::poll(ready.data(), ready.size(), state_ == State::Up ? -1 : static_cast<int>(look_interval.count()));
  if (count < 0 && errno != EINTR) {
    return fail(Code::System, {}, fmt::format("waiting for packets on {}: {}", on_.name, std::strerror(errno)));
  }
  if (count > 0 && ready[1].revents) stop();
  if (count > 0 && (ready[0].revents & POLLERR)) return notice(socket_.pending_error());
  return state_ == State::Up || stopped_ ? Result<Event>(Event::Packets) : look_whether_up();
}

}  // namespace weir::capture
