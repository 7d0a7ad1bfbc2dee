#include "capture/live.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "wire/link_type.hpp"

namespace weir::capture {
namespace {

constexpr int ethernet = 1;  // DLT_EN10MB
/// Where a VLAN tag belongs in an Ethernet frame: behind the two addresses (IEEE 802.1Q).
constexpr std::size_t addresses_size = 12, tag_size = 4;
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

/// Moves the addresses into the room before the packet, and puts the tag where the gap is.
std::span<std::uint8_t> with_tag(const Frame& frame) {
  auto* start = frame.bytes.data() - tag_size;
  std::memmove(start, frame.bytes.data(), addresses_size);
  const auto control = static_cast<std::uint16_t>(frame.header->hv1.tp_vlan_tci);
  const std::array<std::uint16_t, 2> tag = {htons(tag_protocol(*frame.header)), htons(control)};
  std::memcpy(start + addresses_size, tag.data(), tag_size);
  return {start, frame.bytes.size() + tag_size};
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

/// The link type of the interface. Those whose packets have no header, or none that is known, are for later.
Result<int> link_type_of(const Interface& on) {
  if (on.dlt) return *on.dlt;
  return fail(Code::Unsupported, {},
              fmt::format("{} is of a kind (ARPHRD {}) whose packets have no header that weir knows", on.name, on.hardware_type),
              "cooked captures, which would do here, are not built yet");
}

}  // namespace

Live::Live(PacketSocket socket, const Interface& on, const Settings& settings, const Filter& filter)
    : socket_(std::move(socket)), on_(on), settings_(settings), format_(format_of(on.dlt.value_or(0), settings.snaplen)),
      filter_(&filter) {}

Result<Live> Live::begin(const Interface& on, const Settings& settings, const Filter& filter) {
  if (const auto link_type = link_type_of(on); !link_type) return std::unexpected(link_type.error());
  auto socket = PacketSocket::open();
  if (!socket) return std::unexpected(socket.error());
  Live live(std::move(*socket), on, settings, filter);
  live.attach(filter);
  if (auto made = live.socket_.make_ring(); !made) return std::unexpected(made.error());
  if (auto bound = live.socket_.listen(on, settings.promiscuous); !bound) return std::unexpected(bound.error());
  return live;
}

void Live::attach(const Filter& filter) {
  const auto attached = filter.attach(socket_.descriptor());
  if (!attached) filtered_here_ = attached.error();
}

bool Live::passes_here(Frame& frame) const {
  if (!filtered_here_) return true;
  const auto keep = filter_->run({.bytes = frame.bytes, .length = frame.header->tp_len, .meta = metadata_of(frame)});
  frame.bytes = frame.bytes.first(std::min<std::size_t>(keep, frame.bytes.size()));
  return keep != 0;
}

Record Live::record_of(Frame frame) const {
  const auto& header = *frame.header;
  const bool tagged = has_tag(header) && format_.dlt == ethernet && frame.bytes.size() >= addresses_size;
  auto bytes = tagged ? with_tag(frame) : frame.bytes;
  return {.seconds = header.tp_sec,
          .fraction = header.tp_nsec / 1000,
          .length = header.tp_len + (tagged ? std::uint32_t{tag_size} : 0),
          .bytes = bytes.first(std::min<std::size_t>(bytes.size(), settings_.snaplen))};
}

/// What goes out on a loopback interface comes in there again.
bool Live::is_seen_twice(const Frame& frame) const {
  return on_.loopback && frame.from->sll_pkttype == PACKET_OUTGOING;
}

std::optional<Record> Live::next() {
  for (int looked_at = 0; looked_at < longest_look && socket_.taken() < last_; ++looked_at) {
    const auto* ready = socket_.next();
    if (!ready) break;
    auto frame = *ready;
    if (!is_seen_twice(frame) && passes_here(frame)) return record_of(frame);
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
