#include "ebpf/context.hpp"

#include <algorithm>
#include <array>

#include "ebpf/helpers.hpp"

namespace weir::ebpf {
namespace {

#define WEIR_CONTEXT(field, context, offset, bytes, kind, read, written) \
  {ContextField::field, ContextKind::context, offset, bytes, FieldKind::kind, read, written},
constexpr auto context_rows = std::to_array<ContextRow>({
#include "ebpf/context.def"
});
#undef WEIR_CONTEXT

constexpr std::array contexts = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) ContextKind::context,
#include "ebpf/hooks.def"
#undef WEIR_HOOK
};

bool is_scratch(ContextField field) { return ContextField::Scratch0 <= field && field <= ContextField::Scratch4; }

/// Numbers of an sk_buff are read in aligned parts; what is written, but for the scratch words, is written whole.
bool permits(const ContextRow& row, std::uint32_t bytes, Access access) {
  if (bytes > row.bytes) return false;
  if (row.kind != FieldKind::Number || row.bytes == 8 || row.context == ContextKind::XdpMd) return bytes == row.bytes;
  return access == Access::Read || is_scratch(row.field) || bytes == row.bytes;
}

}  // namespace

ContextKind context_of(Hook hook) { return contexts[static_cast<std::size_t>(hook)]; }

const ContextRow* find_context(Hook hook, std::int64_t offset, std::uint32_t bytes, Access access) {
  if (offset < 0 || offset % bytes != 0) return nullptr;
  const ContextKind context = context_of(hook);
  const auto* const row = std::ranges::find_if(context_rows, [&](const ContextRow& r) {
    return r.context == context && offset >= r.offset && offset + bytes <= r.offset + r.bytes;
  });
  if (row == context_rows.end() || !permits(*row, bytes, access)) return nullptr;
  return (access == Access::Read ? row->read : row->written).contains(letter(hook)) ? row : nullptr;
}

bool has_packet_loads(Hook hook) { return is_socket(hook) || letter(hook) == 't'; }
bool may_write_packet(Hook hook) { return letter(hook) == 'x' || letter(hook) == 't'; }

}  // namespace weir::ebpf
