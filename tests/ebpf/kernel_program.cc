#include "kernel_program.hpp"

#include <cerrno>
#include <vector>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "attach/options.hpp"

namespace weir::ebpf_tests {

std::expected<KernelProgram, std::string> KernelProgram::load(const ebpf::Program& program) {
  auto loaded = attach::Loaded::load(program, {.name = "weir_test"});
  if (!loaded) return std::unexpected(loaded.error().message + "\n" + loaded.error().hint);
  return KernelProgram(std::move(*loaded));
}

std::expected<Run, int> KernelProgram::run(std::span<const std::uint8_t> packet, std::uint32_t linear, std::uint32_t repeat) const {
  std::vector<std::uint8_t> frame;
  const bool has_header = hook() == ebpf::Hook::Xdp || hook() == ebpf::Hook::TcIngress || hook() == ebpf::Hook::TcEgress;
  if (!has_header) {
    frame.assign(14, 0);
    frame[12] = 0x88, frame[13] = 0xb5;  // an EtherType for experiments (IEEE 802): the kernel looks no further
  }
  frame.insert(frame.end(), packet.begin(), packet.end());
  auto options = attach::no_options<bpf_test_run_opts>();
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = static_cast<int>(repeat);
  xdp_md xdp{};
  __sk_buff skb{};
  if (linear != 0 && hook() == ebpf::Hook::Xdp) {
    xdp.data_end = linear;
    options.ctx_in = &xdp;
    options.ctx_size_in = sizeof xdp;
  } else if (linear != 0) {
    skb.data_end = linear + (has_header ? 0 : 14);
    options.ctx_in = &skb;
    options.ctx_size_in = sizeof skb;
  }
  if (bpf_prog_test_run_opts(descriptor(), &options) != 0) return std::unexpected(errno);
  return Run{options.retval, options.duration};
}

std::string trouble() {
  ebpf::Program p;
  p.instructions = {{.code = ebpf::op::ALU | ebpf::op::MOV | ebpf::op::K}, {.code = ebpf::op::JMP | ebpf::op::EXIT}};
  const auto loaded = KernelProgram::load(p);
  return loaded ? "" : loaded.error();
}

}  // namespace weir::ebpf_tests
