// Filters in the kernel: on sockets, interfaces and control groups, with lists that may change while they run.
//
//   #include <weir/attach.hpp>
//
//   auto filter = weir::compile("net 10.0.0.0/8 or host 192.0.2.1");
//   weir::AttachOptions options;
//   options.hook = weir::Hook::Xdp;
//   options.match = 1, options.no_match = 2;           // XDP_DROP, XDP_PASS: what matches is blocked
//   options.live = true;
//   auto blocked = filter->attach("eth0", options);    // until `blocked` goes, or the process ends
//   if (!blocked) { puts(weir::render("", blocked.error()).c_str()); return; }
//   blocked->add("198.51.100.0/24");
//
// All but sockets needs Linux 5.18 and the capabilities CAP_BPF, CAP_NET_ADMIN (but for tracing) and CAP_PERFMON; an error says
// which is missing.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/weir.hpp"

namespace weir {

struct AttachOptions {
  Hook hook = Hook::Socket;
  /// What the program returns for a packet that the filter accepts, and for one that it rejects: numbers of the kernel (XDP_DROP,
  /// TC_ACT_SHOT …). Without them what the filter accepts goes on, and everything else is dropped. They must differ.
  std::optional<std::int32_t> match = {}, no_match = {};

  /// Sockets: where the kernel does not take the filter as classic BPF, it goes in as eBPF, which needs CAP_BPF on most systems.
  /// What goes in as eBPF for Hook::Socket is a program for Hook::SocketBtf where the kernel (6.17) and the rights (CAP_PERFMON,
  /// too) allow it. Classic BPF comes first, for every kernel takes it at once and from everybody, and before 6.17 it is as a
  /// rule the fastest; from 6.17 on that is Hook::SocketBtf. Asked for by that name, a filter goes in as eBPF of that hook or not
  /// at all.
  bool may_use_ebpf = false;
  /// Every list of the filter becomes one that add() and remove() change; on a socket the filter is eBPF then.
  bool live = false;
  std::uint32_t room = 1024;     ///< live: how many entries each list can take beside those that it begins with
  /// Counts packets, at the price of some nanoseconds each; tracing hooks always do, sockets never.
  bool count = false;

  enum class XdpMode : std::uint8_t { Any, Native, Generic };
  XdpMode xdp_mode = XdpMode::Any;
  enum class Direction : std::uint8_t { Ingress, Egress };
  Direction direction = Direction::Ingress;  ///< control groups: what its processes get, or what they send
  bool clsact = false;           ///< tc: not tcx, also where the kernel has it
  std::string pin = {};          ///< a path in a file system of type bpf: the program stays until that file is removed
};

/// What a filter was attached as.
enum class Attached : std::uint8_t { Classic, Ebpf, XdpNative, XdpGeneric, Tcx, Clsact, Cgroup, Tracepoint };

/// A list of a filter, which a map of the kernel holds.
struct LiveList {
  std::string_view words;        ///< of the expression: the list, or what holds it
  std::uint32_t bytes = 0;       ///< of an entry: 4 IPv4, 16 IPv6, 2 ports
  bool networks = false;         ///< takes networks; otherwise only single entries
};

/// Keeps a filter where it was attached. It ends with this object. When the process ends without running destructors, the kernel ends
/// it all the same, but for clsact, and for sockets, which keep their filter as long as they are open. Move-only; one thread at a
/// time, but for add(), remove() and counts(), which any number may call.
class Attachment {
 public:
  Attachment(Attachment&&) noexcept;
  Attachment& operator=(Attachment&&) noexcept;
  ~Attachment();

  /// Takes the filter off now.
  void detach();
  /// Leaves it: on a socket and in clsact for good; elsewhere it stays only as far as it is pinned.
  void release();

  Attached as() const;
  /// In words: "XDP program 12, native mode, on eth0".
  std::string description() const;
  /// Why a filter for a socket is eBPF though classic BPF would have been tried first; nothing otherwise.
  const std::optional<Diagnostic>& refused_classic() const;

  struct Counts {
    std::uint64_t accepted = 0, rejected = 0;
  };
  /// Since it was attached. Errors: Unsupported (nothing counts, see AttachOptions::count).
  Result<Counts> counts() const;

  /// The lists that maps hold, live or not; those with the same contents at the beginning are one. Fixed lists that are tables
  /// are not among them.
  const std::vector<LiveList>& lists() const;
  /// Puts an address or a network in text ("10.1.2.3", "2001:db8::/32") into the list, or takes it out; without a number, into the one
  /// list that has addresses of this family. Packets meet the change at once. A network goes into a list of single addresses
  /// as these, while they are at most 4096. Taking out what was not put in as such is no error, and false. Errors: Address, Range
  /// (no such list, or several: the message names them), TooLarge (the list is full), Unsupported (not live).
  Result<void> add(std::string_view address, std::optional<std::size_t> list = {});
  Result<bool> remove(std::string_view address, std::optional<std::size_t> list = {});

  struct State;  ///< src/weir/attachment.hpp, which is not installed

 private:
  friend class Filter;
  explicit Attachment(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A packet that waited in a socket when its filter was replaced.
struct WaitingPacket {
  std::vector<std::uint8_t> bytes;  ///< cut to what the new filter keeps
  std::uint32_t length = 0;         ///< on the wire
  Metadata meta = {};
  std::vector<std::uint8_t> from;   ///< the address that recvfrom(2) gives
};

/// What Filter::replace() did.
struct Replacement {
  std::vector<WaitingPacket> waiting;  ///< in their order: to be looked at before the next one of the socket
  std::size_t discarded = 0;           ///< packets that waited, and that the new filter rejects, or that were not to be kept
  Attached as = Attached::Classic;
};

}  // namespace weir
