#include "ebpf_forms.hpp"

#include "ebpf/emit.hpp"

namespace weir::oracle {
namespace {

bool sees_all(ebpf::Hook hook) { return hook != ebpf::Hook::Tracing && hook != ebpf::Hook::TracingBtf; }

/// Lengths of the first piece: whole headers and parts of them, by what the packet has at its end.
std::size_t first_piece(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t usual[] = {0, 14, 18, 34, 38, 54, 60};
  const std::size_t chosen = bytes.empty() ? 0 : bytes.back() + bytes.size();
  return chosen % 2 ? usual[chosen / 2 % std::size(usual)] : bytes.size() / 2;
}

}  // namespace

Result<std::vector<EbpfForm>> ebpf_forms(const ir::Program& graph) {
  using enum ebpf::Hook;
  std::vector<EbpfForm> forms;
  const auto add = [&](ebpf::Hook hook, bool with_maps) -> std::optional<Diagnostic> {
    ebpf::EmitOptions options;
    options.hook = hook;
    if (with_maps) options.map_threshold = 1;
    else if (hook == Cgroup) options.table_threshold = 1;  // tables at one of the hooks
    auto program = ebpf::emit(graph, options);
    if (!program && program.error().code != Code::Unsupported) return program.error();
    forms.push_back({hook, with_maps, program ? std::make_unique<vm::EbpfMachine>(std::move(*program)) : nullptr});
    return std::nullopt;
  };
  for (const ebpf::Hook hook : {Socket, SocketBtf, Xdp, TcIngress, TcEgress, Cgroup, Tracing, TracingBtf})
    if (auto wrong = add(hook, false)) return std::unexpected(std::move(*wrong));
  // Maps at a hook with packet pointers; and where there is one more map, of counters.
  if (auto wrong = add(Tracing, true)) return std::unexpected(std::move(*wrong));
  if (auto wrong = add(Xdp, true)) return std::unexpected(std::move(*wrong));
  return forms;
}

std::optional<std::string> defect(const std::vector<EbpfForm>& forms) {
  for (const EbpfForm& f : forms)
    if (f.machine)
      if (const auto wrong = ebpf::check(f.machine->program())) return "eBPF for " + std::string(to_string(f.hook)) + ": " + wrong->message;
  return std::nullopt;
}

std::uint32_t run(const EbpfForm& form, const Packet& packet, std::uint32_t accepting) {
  const auto once = [&](std::optional<std::size_t> linear) {
    vm::EbpfSetting setting;
    setting.linear = linear;
    const auto r = form.machine->run(packet, setting);
    if (r.fault) return split_differs;
    return form.machine->program().accepts(static_cast<std::uint32_t>(r.value)) ? accepting : 0;
  };
  const std::uint32_t whole = once(std::nullopt);
  return !sees_all(form.hook) || once(first_piece(packet.bytes)) == whole ? whole : split_differs;
}

}  // namespace weir::oracle
