// What a program finds behind the pointer that it is given in r1, as data.
#pragma once
#include <cstdint>
#include <string_view>

#include "ebpf/program.hpp"

namespace weir::ebpf {

enum class ContextField : std::uint8_t {
#define WEIR_CONTEXT(field, context, offset, bytes, kind, read, written) field,
#include "ebpf/context.def"
#undef WEIR_CONTEXT
};
inline constexpr std::size_t context_fields =
#define WEIR_CONTEXT(field, context, offset, bytes, kind, read, written) 1 +
#include "ebpf/context.def"
#undef WEIR_CONTEXT
    0;

enum class ContextKind : std::uint8_t { SkBuff, XdpMd, RawArgs };
enum class FieldKind : std::uint8_t { Number, Data, DataEnd };

struct ContextRow {
  ContextField field;
  ContextKind context;
  std::uint32_t offset, bytes;
  FieldKind kind;
  std::string_view read, written;
};

ContextKind context_of(Hook hook);

/// Tracing programs have this many arguments of 8 bytes (MAX_BPF_FUNC_ARGS, include/linux/bpf.h).
inline constexpr std::uint32_t raw_arguments = 12;

enum class Access : std::uint8_t { Read, Write };

/// The field that `bytes` at `offset` are, or are a part of; null where the hook has none to read, or to write, there. Not for RawArgs.
const ContextRow* find_context(Hook hook, std::int64_t offset, std::uint32_t bytes, Access access);

/// Whether the hook's programs may load through LD_ABS and LD_IND (kernel/bpf/verifier.c, may_access_skb).
bool has_packet_loads(Hook hook);
/// Whether they may write into the packet (may_access_direct_pkt_data).
bool may_write_packet(Hook hook);

}  // namespace weir::ebpf
