#include "prove/replay.hpp"

#include <algorithm>

#include "vm/ebpf.hpp"

namespace weir::prove {
namespace {

/// How many bytes stand for "all that is asked for"; more are tried when fewer are not enough.
constexpr std::uint32_t whole_sizes[] = {1u << 12, 1u << 17, 1u << 24, longest_replayed};

class Replay {
 public:
  Replay(const Program& first, const Program& second, const Question& question, vm::Machine machine, const Model& model,
         bool asks_length)
      : first_(first), second_(second), question_(question), machine_(machine), model_(model), asks_length_(asks_length) {}

  std::optional<Counterexample> whole() {
    if (asks_length_ && question_.real_lengths) {  // a packet is as long as it says
      fill(model_.length);
      return differ(returned(model_.length)) ? std::optional(packet(model_.length)) : std::nullopt;
    }
    for (const std::uint32_t size : whole_sizes) {
      fill(size);
      const Pair at_most = returned(size);
      if (!differ(at_most)) continue;
      return packet(shortest(returned(2048) == at_most ? 2048 : size, at_most));
    }
    return std::nullopt;
  }

  std::optional<Counterexample> exact() {
    fill(model_.captured);
    const Pair verdicts = returned(model_.captured);
    if (!differ(verdicts)) return std::nullopt;
    return packet(shortest(model_.captured, verdicts));
  }

  std::optional<Counterexample> refines() {
    const std::uint32_t n = model_.captured;
    fill(n);
    const Pair cut = returned(n);
    if (cut.first != 0 && differ(cut)) return packet(shortest(n, cut));
    for (const std::uint32_t size : whole_sizes) {
      if (size < n) continue;
      fill(size);
      const Packet all{.bytes = bytes_, .length = length_of(n), .meta = model_.meta};
      const Pair gained{run(first_, all, machine_, model_.linear), cut.second};
      if (gained.second == 0 || !differ(gained)) continue;
      Counterexample found = packet(n);
      found.first = gained.first;
      found.first_whole = true;
      return found;
    }
    return std::nullopt;
  }

 private:
  struct Pair {
    std::uint32_t first = 0, second = 0;
    bool operator==(const Pair&) const = default;
  };

  void fill(std::uint32_t size) {
    bytes_.assign(size, 0);
    for (const auto& [offset, byte] : model_.bytes)
      if (offset < size) bytes_[offset] = byte;
  }

  /// What the packet's length is when n bytes of it are captured.
  std::uint32_t length_of(std::uint32_t n) const { return asks_length_ ? model_.length : n; }

  /// The fewest bytes down to which the verdicts stay.
  std::uint32_t shortest(std::uint32_t n, const Pair& verdicts) const {
    const std::uint32_t least = asks_length_ && question_.real_lengths ? n : n - std::min(n, 4096u);  // more take too long
    while (n > least && returned(n - 1) == verdicts) --n;
    return n;
  }

  Pair returned(std::uint32_t n) const {
    const Packet cut{.bytes = std::span(bytes_).first(n), .length = length_of(n), .meta = model_.meta};
    return {run(first_, cut, machine_, model_.linear), run(second_, cut, machine_, model_.linear)};
  }

  bool differ(const Pair& p) const { return question_.kept_bytes ? p.first != p.second : (p.first != 0) != (p.second != 0); }

  Counterexample packet(std::uint32_t n) const {
    const Pair verdicts = returned(n);
    return {.bytes = {bytes_.begin(), bytes_.begin() + n},
            .length = length_of(n),
            .linear = std::min(model_.linear, n),
            .meta = model_.meta,
            .machine = machine_,
            .first = verdicts.first,
            .second = verdicts.second};
  }

  const Program& first_;
  const Program& second_;
  const Question& question_;
  vm::Machine machine_;
  const Model& model_;
  bool asks_length_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

namespace {

std::uint32_t run_ebpf(const ebpf::Program& program, const Packet& packet, std::uint32_t linear) {
  vm::EbpfSetting setting;
  setting.linear = std::min<std::size_t>(linear, packet.bytes.size());
  const auto returned = static_cast<std::uint32_t>(vm::EbpfMachine(program).run(packet, setting).value);
  if (!program.accepts(returned)) return 0;
  return is_socket(program.hook) && program.no_match == 0 ? returned : 1;
}

}  // namespace

std::uint32_t run(const Program& program, const Packet& packet, vm::Machine machine, std::uint32_t linear) {
  if (const auto* ebpf = std::get_if<const ebpf::Program*>(&program)) return run_ebpf(**ebpf, packet, linear);
  if (const auto* filter = std::get_if<const pred::Filter*>(&program)) return pred::evaluate(**filter, packet);
  if (const auto* graph = std::get_if<const ir::Program*>(&program)) return ir::evaluate(**graph, packet);
  return vm::run(*std::get<const cbpf::Program*>(program), packet, machine);
}

bool mentions_length(const Program& program) {
  if (const auto* filter = std::get_if<const pred::Filter*>(&program)) {
    for (std::uint32_t v = 0; v < (*filter)->value_count(); ++v)
      if ((**filter)[pred::ValueId{v}].kind == pred::ValueKind::Length) return true;
    return false;
  }
  if (const auto* graph = std::get_if<const ir::Program*>(&program)) {
    for (std::uint32_t v = 0; v < (*graph)->value_count(); ++v)
      if ((**graph)[ir::ValueId{v}].kind == ir::ValueKind::Length) return true;
    return false;
  }
  if (std::holds_alternative<const ebpf::Program*>(program)) return true;
  constexpr std::uint16_t load = cbpf::op::LD | cbpf::op::LEN, load_x = cbpf::op::LDX | cbpf::op::LEN;
  return std::ranges::any_of(std::get<const cbpf::Program*>(program)->instructions,
                             [](const cbpf::Instruction& i) { return i.code == load || i.code == load_x; });
}

std::optional<Counterexample> confirm(const Program& first, const Program& second, const Question& question, vm::Machine machine,
                                      const Model& model, bool asks_length) {
  Replay replay(first, second, question, machine, model, asks_length);
  switch (question.agreement) {
    case Agreement::Whole: return replay.whole();
    case Agreement::Exact: return replay.exact();
    case Agreement::Refines: return replay.refines();
  }
  return std::nullopt;
}

}  // namespace weir::prove
