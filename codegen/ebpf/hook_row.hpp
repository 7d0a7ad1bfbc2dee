// What selection asks of hooks, contexts and helpers: their numbers.
#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "base/packet.hpp"
#include "ebpf/context.hpp"
#include "ebpf/program.hpp"

namespace weir::ebpf {

/// How a program gets at the packet's bytes.
enum class Packets : std::uint8_t { Loads, Pointers, Probe };

struct HookRow {
  ContextKind context;
  Packets packets;
};

inline HookRow row_of(Hook hook) {
  constexpr std::array rows = {
#define WEIR_HOOK(hook, name, type, attach_type, section, context, packets) HookRow{ContextKind::context, Packets::packets},
#include "ebpf/hooks.def"
#undef WEIR_HOOK
  };
  return rows[static_cast<std::size_t>(hook)];
}

/// Numbers of the kernel's functions.
namespace helper {
#define WEIR_HELPER(helper, id, name, returns, arguments, hooks) inline constexpr std::int32_t helper = id;
#include "ebpf/helpers.def"
#undef WEIR_HELPER
}  // namespace helper

/// Where a field lies in its context.
namespace field_at {
#define WEIR_CONTEXT(field, context, offset, bytes, kind, read, written) inline constexpr std::int32_t field = offset;
#include "ebpf/context.def"
#undef WEIR_CONTEXT
}  // namespace field_at

struct MetadataRow {
  ContextKind context;
  Meta what;
  std::int32_t offset;
  bool network_order;
};

/// Where the context has it; nothing where it has not.
inline std::optional<MetadataRow> metadata_row(ContextKind context, Meta what) {
  constexpr std::array rows = {
#define WEIR_METADATA(context, what, field, network_order) MetadataRow{ContextKind::context, Meta::what, field_at::field, network_order},
#include "ebpf/metadata.def"
#undef WEIR_METADATA
  };
  for (const MetadataRow& r : rows)
    if (r.context == context && r.what == what) return r;
  return std::nullopt;
}

}  // namespace weir::ebpf
