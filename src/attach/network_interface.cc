#include "attach/network_interface.hpp"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <net/if.h>

#include "attach/descriptor.hpp"

namespace weir::attach {

Result<NetworkInterface> find_interface(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index != 0) return NetworkInterface{static_cast<int>(index), name};
  return fail(Code::Name, {}, fmt::format("there is no interface '{}'", name),
              "`ip link` and `weir list interfaces` show those that there are");
}

std::string describe_program(unsigned id) {
  const Descriptor program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info = {};
  auto size = static_cast<__u32>(sizeof info);
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0 || info.name[0] == '\0') return fmt::format("program {}", id);
  return fmt::format("program {} ('{}')", id, info.name);
}

}  // namespace weir::attach
