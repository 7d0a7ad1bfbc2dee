// The kernel's side: dev_xdp_attach() in net/core/dev.c.
#include "attach/xdp.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>

#include "attach/options.hpp"
#include "attach/rights.hpp"

namespace weir::attach {
namespace {

std::uint32_t flags_of(XdpMode mode) {
  switch (mode) {
    case XdpMode::Any: return 0;
    case XdpMode::Native: return XDP_FLAGS_DRV_MODE;
    case XdpMode::Generic: return XDP_FLAGS_SKB_MODE;
  }
  return 0;
}

bpf_xdp_query_opts ask(const NetworkInterface& on) {
  auto answer = no_options<bpf_xdp_query_opts>();
  (void)bpf_xdp_query(on.index, 0, &answer);
  return answer;
}

std::string what_is_there(const NetworkInterface& on) {
  const auto is = ask(on);
  if (is.drv_prog_id) return describe_program(is.drv_prog_id) + ", in native mode";
  if (is.skb_prog_id) return describe_program(is.skb_prog_id) + ", in generic mode";
  if (is.hw_prog_id) return describe_program(is.hw_prog_id) + ", on the device";
  return is.prog_id ? describe_program(is.prog_id) : "another program";
}

/// Of an interface that is not there the kernel says EINVAL (bpf_xdp_link_attach()), as of other things.
bool is_gone(const NetworkInterface& on) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(static_cast<unsigned>(on.index), name) == nullptr;
}

std::unexpected<Diagnostic> refused(int error, const NetworkInterface& on, XdpMode mode) {
  if (is_gone(on)) error = ENODEV;
  switch (error) {
    case EPERM: return std::unexpected(not_permitted("attach the program to " + on.name, ebpf::Hook::Xdp, false, rights()));
    case ENODEV: return fail(Code::System, {}, fmt::format("the interface {} is gone", on.name));
    case EBUSY:
    case EEXIST:
      return fail(Code::System, {}, fmt::format("{} has an XDP program already: {}", on.name, what_is_there(on)),
                  "one is all that an interface takes: `bpftool net` shows who has it; or attach to the hook tc-ingress, which "
                  "takes several");
    case EOPNOTSUPP:
      return fail(Code::Unsupported, {},
                  fmt::format("the driver of {} cannot run XDP programs {}", on.name,
                              mode == XdpMode::Native ? "in native mode" : "there"),
                  "generic mode works on every interface");
    case ERANGE:
    case EINVAL:
      return fail(
          Code::Unsupported, {},
          fmt::format("the driver of {} does not take XDP programs as it is set up now ({})", on.name, std::strerror(error)),
          "its MTU, receive offloads or queues may be in the way (`dmesg` may say which); generic mode works on every interface");
    default: return fail(Code::System, {}, fmt::format("cannot attach the program to {}: {}", on.name, std::strerror(error)));
  }
}

}  // namespace

Result<Link> attach_xdp(const Loaded& program, const NetworkInterface& on, XdpMode mode) {
  auto options = no_options<bpf_link_create_opts>();
  options.flags = flags_of(mode);
  Descriptor link(bpf_link_create(program.descriptor(), on.index, BPF_XDP, &options));
  if (!link) return refused(errno, on, mode);
  return Link(std::move(link));
}

XdpMode running_mode(const NetworkInterface& on) {
  const auto is = ask(on);
  return is.drv_prog_id ? XdpMode::Native : is.skb_prog_id ? XdpMode::Generic : XdpMode::Any;
}

}  // namespace weir::attach
