// Filters as eBPF programs, for those who load them.
#include <cstring>

#include "ebpf/emit.hpp"
#include "ebpf/object.hpp"
#include "weir/make_best.hpp"
#include "weir/stages.hpp"

namespace weir {
namespace {

#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) \
  static_assert(static_cast<int>(Hook::hook) == static_cast<int>(ebpf::Hook::hook));
#include "ebpf/hooks.def"
#undef WEIR_HOOK

static_assert(static_cast<int>(EbpfProgram::Map::Kind::Hash) == static_cast<int>(ebpf::MapKind::Hash) &&
              static_cast<int>(EbpfProgram::Map::Kind::LpmTrie) == static_cast<int>(ebpf::MapKind::LpmTrie) &&
              static_cast<int>(EbpfProgram::Map::Kind::Array) == static_cast<int>(ebpf::MapKind::Array) &&
              static_cast<int>(EbpfProgram::Map::Kind::PerCpuArray) == static_cast<int>(ebpf::MapKind::PerCpuArray));
static_assert(sizeof(EbpfProgram::Instruction) == sizeof(ebpf::Instruction));

EbpfProgram as_public(const ebpf::Program& p) {
  EbpfProgram all;
  all.instructions.resize(p.instructions.size());
  std::memcpy(all.instructions.data(), p.instructions.data(), p.instructions.size() * sizeof(ebpf::Instruction));
  for (const ebpf::Map& m : p.maps)
    all.maps.push_back({m.name, static_cast<EbpfProgram::Map::Kind>(m.kind), m.key_bytes, m.value_bytes, m.max_entries, m.keys});
  for (const ebpf::FieldUse& f : p.fields) {
    const ebpf::Member member = ebpf::member_of(f.field);
    all.fields.push_back({f.instruction, std::string(member.structure), std::string(member.name)});
  }
  return all;
}

}  // namespace

std::optional<Hook> find_hook(std::string_view name) {
  const auto hook = ebpf::find_hook(name);
  return hook ? std::optional(static_cast<Hook>(*hook)) : std::nullopt;
}

std::vector<std::string_view> hook_names() {
  return {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) name,
#include "ebpf/hooks.def"
#undef WEIR_HOOK
  };
}

std::optional<std::int32_t> find_action(Hook hook, std::string_view word) { return ebpf::find_action(static_cast<ebpf::Hook>(hook), word); }
std::vector<std::string_view> action_names(Hook hook) { return ebpf::action_words(static_cast<ebpf::Hook>(hook)); }

Result<ebpf::Program> Filter::Stages::ebpf(const ProgramOptions& o) const {
  ebpf::EmitOptions options;
  options.hook = static_cast<ebpf::Hook>(o.hook);
  options.match = o.match;
  options.no_match = o.no_match;
  options.map_threshold = o.map_threshold;
  options.argument = o.argument;
  return ebpf::emit(ir, options);
}

Result<ebpf::Program> Filter::Stages::attached(const ProgramOptions& o) const {
  return ebpf::emit(ir, first_choice(ir, {.hook = static_cast<ebpf::Hook>(o.hook),
                                          .match = o.match,
                                          .no_match = o.no_match,
                                          .table_threshold = ebpf::usual_table_threshold}));
}

Result<EbpfProgram> Filter::program(const ProgramOptions& options) const {
  const auto made = stages_->ebpf(options);
  if (!made) return std::unexpected(made.error());
  return as_public(*made);
}

Result<std::string> Filter::dump(Emit what, const ProgramOptions& options) const {
  if (what != Emit::Ebpf && what != Emit::EbpfObject && what != Emit::Json) return dump(what);
  const auto made = stages_->ebpf(options);
  if (!made) return std::unexpected(made.error());
  if (what == Emit::Ebpf) return ebpf::to_string(*made, stages_->text);
  if (what == Emit::Json) return ebpf::to_json(*made);
  const auto object = ebpf::to_object(*made, {.name = "weir", .text = stages_->text, .tracepoint = ""});
  if (!object) return std::unexpected(object.error());
  return std::string(object->begin(), object->end());
}

}  // namespace weir
