#include "attach/kernel_types.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "attach/quiet.hpp"
#include "ebpf/btf.hpp"

namespace weir::attach {
namespace {

struct FieldRow {
  const char *structure, *member;
  std::uint32_t bytes;
};
constexpr std::array rows = {
#define WEIR_KERNEL_FIELD(field, structure, member, bytes) FieldRow{structure, member, bytes},
#include "ebpf/kernel_fields.def"
#undef WEIR_KERNEL_FIELD
};

Result<ebpf::Btf> kernel_types() {
  const Quiet quiet;
  ebpf::Btf types(btf__load_vmlinux_btf());
  if (types) return types;
  return fail(
      Code::System, {},
      fmt::format("the kernel does not say where its structures' fields are (/sys/kernel/btf/vmlinux: {})", std::strerror(errno)),
      "hooks tracing and socket-btf need a kernel that was built with CONFIG_DEBUG_INFO_BTF");
}

/// In bits from the structure's start; members of members without a name count as its own, as they do in C.
std::optional<std::uint32_t> find_member(const btf* types, std::uint32_t structure, std::string_view name) {
  const btf_type* type = btf__type_by_id(types, static_cast<std::uint32_t>(btf__resolve_type(types, structure)));
  if (!type || !btf_is_composite(type)) return std::nullopt;
  const btf_member* members = btf_members(type);
  for (std::uint32_t i = 0; i < btf_vlen(type); ++i) {
    const std::string_view is = btf__name_by_offset(types, members[i].name_off);
    const std::uint32_t at = btf_member_bit_offset(type, i);
    if (is == name) return at;
    if (!is.empty()) continue;
    if (const auto inner = find_member(types, members[i].type, name)) return at + *inner;
  }
  return std::nullopt;
}

/// Bytes from the structure's start.
Result<std::uint32_t> offset_of(const btf* types, const FieldRow& row) {
  const int structure = btf__find_by_name_kind(types, row.structure, BTF_KIND_STRUCT);
  const auto bits = structure < 0 ? std::nullopt : find_member(types, static_cast<std::uint32_t>(structure), row.member);
  if (bits && *bits % 8 == 0) return *bits / 8;
  return fail(Code::System, {}, fmt::format("the running kernel has no field {} in its struct {}", row.member, row.structure),
              "weir does not know the structures of this kernel; other hooks work without them");
}

constexpr std::array function_names = {"bpf_cast_to_kern_ctx"};  // by KernelFunction

/// What programs need to know of the kernel's types.
struct Places {
  std::vector<Result<std::uint32_t>> offsets;                       ///< by KernelField
  std::array<std::int32_t, function_names.size()> functions{};      ///< by KernelFunction; none are negative
};

/// Reading the kernel's types takes tens of milliseconds, and they stay as they are while it runs.
Result<const Places*> places() {
  static std::mutex mutex;
  static std::optional<Places> known;
  const std::lock_guard lock(mutex);
  if (known) return &*known;
  const auto types = kernel_types();
  if (!types) return std::unexpected(types.error());
  Places found;
  for (const FieldRow& row : rows) found.offsets.push_back(offset_of(types->get(), row));
  for (std::size_t i = 0; i < function_names.size(); ++i)
    found.functions[i] = btf__find_by_name_kind(types->get(), function_names[i], BTF_KIND_FUNC);
  known = std::move(found);
  return &*known;
}

/// Arithmetic takes the offset as its constant, loads and stores as their displacement.
void place(ebpf::Instruction& i, std::uint32_t offset) {
  const int kind = i.code & 0x07;
  if (kind == ebpf::op::ALU || kind == ebpf::op::ALU64) i.imm = static_cast<std::int32_t>(offset);
  else i.offset = static_cast<std::int16_t>(offset);
}

}  // namespace

Result<void> place_fields(ebpf::Program& program, std::span<const FunctionUse> functions) {
  if (program.fields.empty() && functions.empty()) return {};
  const auto known = places();
  if (!known) return std::unexpected(known.error());
  for (const ebpf::FieldUse& use : program.fields) {
    const auto& offset = (*known)->offsets[static_cast<std::size_t>(use.field)];
    if (!offset) return std::unexpected(offset.error());
    place(program.instructions[use.instruction], *offset);
  }
  for (const FunctionUse& use : functions) {
    const auto which = static_cast<std::size_t>(use.function);
    if ((*known)->functions[which] <= 0)
      return fail(Code::Unsupported, {}, fmt::format("the running kernel has no function {} for programs", function_names[which]),
                  "hook socket does without it");
    program.instructions[use.instruction].imm = (*known)->functions[which];
  }
  return {};
}

Result<std::uint32_t> tracepoint_type(const std::string& tracepoint) {
  const auto types = kernel_types();
  if (!types) return std::unexpected(types.error());
  // tools/lib/bpf/libbpf_internal.h, BTF_TRACE_PREFIX
  const int id = btf__find_by_name_kind(types->get(), ("btf_trace_" + tracepoint).c_str(), BTF_KIND_TYPEDEF);
  if (id > 0) return static_cast<std::uint32_t>(id);
  return fail(Code::Name, {}, fmt::format("the kernel has no tracepoint '{}'", tracepoint),
              "their names are those of the folders in /sys/kernel/tracing/events/*/");
}

}  // namespace weir::attach
