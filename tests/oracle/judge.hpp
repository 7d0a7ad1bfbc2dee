// The relation that all engines must keep, on one filter.
//
// Write L(p,n) for libpcap's program on packet p of which n bytes are captured, L(p,∞) for the same where every load
// below 2^32 is in bounds, and E for an engine of ours. For all p and n:
//
//     L(p,n) accepts  ⇒  E(p,n) accepts  ⇒  L(p,∞) accepts,          and who accepts returns what L returns.
//
// An engine sees n bytes; p is any packet that begins with them. So the right side is tried with several p: the
// bytes that were cut off followed by zeros and by ones, as well as noise right behind byte n. It has to hold for all
// of them. Where L(p,n) loads nothing past byte n, L(p,n) = L(p,∞), and the relation is equality; no case is needed for that.
//
// libpcap's program, lifted, has to be equal at every n, and keeps the relation once it is compiled anew.
// Among our own engines the meaning (pred) is the yardstick: what is not optimized equals it at every n, optimized engines keep
// the relation above, and eBPF keeps it for packets of which everything is captured. Divisions by zero reject in all of these, at
// every n. The kernel sees whole packets only: there p has n bytes on the wire, and a socket shows min(returned, n).
#pragma once
#include <optional>
#include <string>

#include "kernel.hpp"
#include "subject.hpp"
#include "trace.hpp"

namespace weir::oracle {

struct Disagreement {
  std::string engine;      ///< who differs
  std::string expectation; ///< from what, and what each said
  bool with_libpcap = false;  ///< from libpcap, not from our own meaning
  bool only_order = false;    ///< only by looking at bytes that were cut off, which libpcap does not need so early
  bool with_machine = false;  ///< two interpreters differ on the same program
};

/// One compiled filter and everyone who can run it.
class Trial {
 public:
  /// `reference` may be null: then our engines are compared among themselves.
  Trial(const Subject& subject, const cbpf::Program* reference);

  /// Puts the program into the running kernel too, unless it needs metadata, which a plain socket has not.
  std::optional<Disagreement> enter(Kernel& kernel);

  /// The first disagreement on a packet of which n bytes are captured.
  std::optional<Disagreement> judge(const Sample& sample, std::size_t n);

  /// From here on this is the yardstick; null: libpcap is asked no more.
  /// `repaired`: it is no program that other machines than the tracing one can run.
  void set_reference(const cbpf::Program* reference, bool repaired = false);
  const cbpf::Program* reference() const { return reference_; }
  /// The program whose tests packets should be made for.
  const cbpf::Program& guide() const { return reference_ != nullptr ? *reference_ : subject_.code; }

  /// The verdict of the last judge(), and whether it was allowed to differ from libpcap's because of the cut.
  bool accepted = false;
  bool inexact = false;
  bool uncertain = false;  ///< libpcap's protochain went on where ours is unrolled no further: not compared

 private:
  std::optional<Disagreement> check_reference(const Packet& packet);
  std::optional<Disagreement> check_lifted(const Sample& sample, std::size_t n, std::uint32_t libpcap);
  std::optional<Disagreement> check_meaning(const Sample& sample, std::size_t n, std::uint32_t libpcap, std::uint32_t pred);
  std::optional<Disagreement> check_engines(const Sample& sample, std::size_t n, std::uint32_t pred);
  std::optional<Disagreement> check_whole(const Packet& packet);
  std::optional<Disagreement> check_kernel(const Packet& packet);
  /// Whether libpcap's program, or our meaning, returns it for the packet with all bytes there: for each of several
  /// continuations.
  bool libpcap_returns(const Sample& sample, std::size_t n, std::uint32_t expected);
  bool meaning_returns(const Sample& sample, std::size_t n, std::uint32_t expected) const;

  const Subject& subject_;
  const cbpf::Program* reference_;
  // libpcap's interpreter has no metadata but VLAN tags, and those not by every load.
  bool reference_on_libpcap_ = false;  ///< it can run libpcap's program
  bool ours_on_libpcap_ = false;       ///< it can run ours
  std::optional<Lifted> lifted_;       ///< libpcap's program
  Kernel* kernel_ = nullptr;
  Trace trace_;
  Sample whole_;  ///< what check_whole() was asked about last, and found right
};

}  // namespace weir::oracle
