// The kernel's side: kernel/bpf/tcx.c, net/sched/cls_bpf.c, net/sched/sch_ingress.c.
#include "attach/traffic_control.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "attach/options.hpp"
#include "attach/quiet.hpp"
#include "attach/rights.hpp"

namespace weir::attach {
namespace {

// Attach types that are newer than the headers of Debian 12: enum bpf_attach_type of Linux 6.6 (include/uapi/linux/bpf.h).
constexpr auto tcx_ingress = static_cast<bpf_attach_type>(46), tcx_egress = static_cast<bpf_attach_type>(47);

bool is_ingress(const Loaded& program) { return program.hook() == ebpf::Hook::TcIngress; }

bpf_tc_hook hook_of(int interface, bpf_tc_attach_point point) {
  auto hook = no_options<bpf_tc_hook>();
  hook.ifindex = interface;
  hook.attach_point = point;
  return hook;
}

constexpr auto both_points = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);

std::unexpected<Diagnostic> refused(int error, const Loaded& program, const NetworkInterface& on) {
  switch (error) {
    case EPERM: return std::unexpected(not_permitted("attach the program to " + on.name, program.hook(), false, rights()));
    case ENODEV: return fail(Code::System, {}, fmt::format("the interface {} is gone", on.name));
    case EINVAL: return fail(Code::Unsupported, {}, "the kernel has no tcx, which came with Linux 6.6", "clsact does the same");
    case ENOENT:
    case EOPNOTSUPP:
      return fail(Code::Unsupported, {}, "the kernel can run no programs in its traffic control",
                  "it must be built with CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS");
    case ERANGE: return fail(Code::TooLarge, {}, fmt::format("{} has as many programs at that place as it can take", on.name));
    default: return fail(Code::System, {}, fmt::format("cannot attach the program to {}: {}", on.name, std::strerror(error)));
  }
}

/// Whether one message of an answer shows a filter; also when the answer makes no sense, to be careful.
bool shows_filter(const std::uint8_t* bytes, std::size_t size, bool& done) {
  auto left = static_cast<unsigned>(size);
  for (auto* m = reinterpret_cast<const nlmsghdr*>(bytes); NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
    if (m->nlmsg_type == RTM_NEWTFILTER || m->nlmsg_type == NLMSG_ERROR) return true;
    if (m->nlmsg_type == NLMSG_DONE) done = true;
  }
  return false;
}

/// Whether anybody has a filter at that side of the interface's clsact qdisc (rtnetlink(7), RTM_GETTFILTER).
bool has_filters(int interface, std::uint32_t side) {
  const Descriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct {
    nlmsghdr header = {};
    tcmsg body = {};
  } request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETTFILTER;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.tcm_ifindex = interface;
  request.body.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side);
  if (::send(netlink.get(), &request, sizeof request, 0) < 0) return true;
  for (bool done = false; !done;) {
    alignas(nlmsghdr) std::array<std::uint8_t, 32768> answer;
    const ssize_t size = ::recv(netlink.get(), answer.data(), answer.size(), 0);
    if (size <= 0 || shows_filter(answer.data(), static_cast<std::size_t>(size), done)) return true;
  }
  return false;
}

void remove_qdisc_unless_used(int interface) {
  if (has_filters(interface, TC_H_MIN_INGRESS) || has_filters(interface, TC_H_MIN_EGRESS)) return;
  auto hook = hook_of(interface, both_points);
  (void)bpf_tc_hook_destroy(&hook);
}

}  // namespace

ClsactFilter::ClsactFilter(ClsactFilter&& o) noexcept
    : on_(std::exchange(o.on_, 0)), ingress_(o.ingress_), brought_qdisc_(o.brought_qdisc_), handle_(o.handle_), priority_(o.priority_) {}

void ClsactFilter::detach() {
  if (on_ == 0) return;
  const Quiet quiet;
  const auto hook = hook_of(on_, ingress_ ? BPF_TC_INGRESS : BPF_TC_EGRESS);
  auto which = no_options<bpf_tc_opts>();
  which.handle = handle_;
  which.priority = priority_;
  (void)bpf_tc_detach(&hook, &which);  // with the interface, the filter is gone
  if (brought_qdisc_) remove_qdisc_unless_used(on_);
  on_ = 0;
}

Result<Link> attach_tcx(const Loaded& program, const NetworkInterface& on) {
  Descriptor link(bpf_link_create(program.descriptor(), on.index, is_ingress(program) ? tcx_ingress : tcx_egress, nullptr));
  if (!link) return refused(errno, program, on);
  return Link(std::move(link));
}

Result<ClsactFilter> attach_clsact(const Loaded& program, const NetworkInterface& on) {
  const Quiet quiet;
  auto hook = hook_of(on.index, is_ingress(program) ? BPF_TC_INGRESS : BPF_TC_EGRESS);
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) return refused(-made, program, on);
  auto which = no_options<bpf_tc_opts>();
  which.prog_fd = program.descriptor();
  if (const int attached = bpf_tc_attach(&hook, &which); attached != 0) {
    if (made == 0) remove_qdisc_unless_used(on.index);
    return refused(attached == -EINVAL ? EOPNOTSUPP : -attached, program, on);
  }
  return ClsactFilter(on.index, is_ingress(program), made == 0, which.handle, which.priority);
}

Result<TrafficControl> attach_traffic_control(const Loaded& program, const NetworkInterface& on) {
  auto link = attach_tcx(program, on);
  if (link) return TrafficControl(std::move(*link));
  if (link.error().code != Code::Unsupported) return std::unexpected(std::move(link.error()));
  auto filter = attach_clsact(program, on);
  if (!filter) return std::unexpected(std::move(filter.error()));
  return TrafficControl(std::move(*filter));
}

}  // namespace weir::attach
