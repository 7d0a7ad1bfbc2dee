// A program at an interface's traffic control: tcx, and the clsact qdisc of kernels before 6.6.
#pragma once
#include <cstdint>
#include <variant>

#include "attach/link.hpp"
#include "attach/load.hpp"
#include "attach/network_interface.hpp"

namespace weir::attach {

/// A filter of the clsact qdisc. Nothing but this object takes it off: it stays when the process is killed.
class ClsactFilter {
 public:
  ClsactFilter(ClsactFilter&& other) noexcept;
  ClsactFilter& operator=(ClsactFilter&&) = delete;
  ~ClsactFilter() { detach(); }
  /// Takes the qdisc away, too, where this brought it and nobody else has a filter there.
  void detach();
  /// Leaves the filter where it is.
  void release() { on_ = 0; }

 private:
  friend Result<ClsactFilter> attach_clsact(const Loaded&, const NetworkInterface&);
  ClsactFilter(int on, bool ingress, bool brought, std::uint32_t handle, std::uint32_t priority)
      : on_(on), ingress_(ingress), brought_qdisc_(brought), handle_(handle), priority_(priority) {}

  int on_;  ///< 0: nothing is there
  bool ingress_, brought_qdisc_;
  std::uint32_t handle_, priority_;
};

/// For programs of Hook::TcIngress and TcEgress, which say the direction. Several programs may be there; this one is asked last.
/// Errors: System (no permission, interface gone), Unsupported (the kernel has no tcx).
Result<Link> attach_tcx(const Loaded& program, const NetworkInterface& on);
Result<ClsactFilter> attach_clsact(const Loaded& program, const NetworkInterface& on);

using TrafficControl = std::variant<Link, ClsactFilter>;
/// tcx, or clsact where the kernel has none. Tested by tests/kernel/hooks_test.cc.
Result<TrafficControl> attach_traffic_control(const Loaded& program, const NetworkInterface& on);

}  // namespace weir::attach
