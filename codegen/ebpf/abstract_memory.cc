// Loads, stores, and memory that helpers are given (kernel/bpf/verifier.c, check_mem_access, check_stack_read, check_stack_write,
// check_packet_access, check_map_access, check_helper_mem_access).
#include <fmt/format.h>

#include <algorithm>

#include "ebpf/abstract_step.hpp"
#include "ebpf/decode.hpp"

namespace weir::ebpf {
namespace {

constexpr std::uint32_t slot_bytes = 8;

/// A stack offset is below 0; the byte at -1 is the last of slot 0.
std::size_t slot_of(std::int64_t offset) { return static_cast<std::size_t>((-offset - 1) / slot_bytes); }
std::uint8_t bit_of(std::int64_t offset) { return static_cast<std::uint8_t>(1u << (static_cast<std::uint64_t>(offset) & 7)); }

bool is_plain(const AbstractValue& v) { return v.kind == AbstractKind::Nothing || v.is_number(); }

/// The kernel counts stacks in such steps (kernel/bpf/verifier.c, check_max_stack_depth).
std::uint64_t rounded(std::uint64_t bytes) { return (std::max<std::uint64_t>(bytes, 1) + 31) / 32 * 32; }

}  // namespace

bool AbstractStep::is_inside_stack(std::uint32_t function, std::int64_t offset, std::uint64_t bytes) {
  if (offset < -std::int64_t{stack_bytes} || offset + static_cast<std::int64_t>(bytes) > 0)
    return wrong(fmt::format("reaches bytes {} to {} of the stack, which has -{} to -1", offset,
                             offset + static_cast<std::int64_t>(bytes) - 1, stack_bytes));
  Frame& frame = state_.frames[function];
  if (frame.slots.size() <= slot_of(offset)) frame.slots.resize(slot_of(offset) + 1);
  std::uint64_t all = 0;
  for (const Frame& f : state_.frames) all += rounded(f.slots.size() * slot_bytes);
  return all <= stack_bytes ||
         wrong(fmt::format("needs {} bytes of stack with the functions that called it; there are {}", all, stack_bytes));
}

bool AbstractStep::is_stack_written(std::uint32_t function, std::int64_t offset, std::uint64_t bytes) const {
  const Frame& frame = state_.frames[function];
  for (std::int64_t at = offset; at < offset + static_cast<std::int64_t>(bytes); ++at)
    if (!(frame.slots[slot_of(at)].written & bit_of(at))) return false;
  return true;
}

std::optional<AbstractValue> AbstractStep::read_stack(std::uint32_t function, std::int64_t offset, std::uint32_t bytes) {
  if (!is_inside_stack(function, offset, bytes)) return std::nullopt;
  if (offset % bytes != 0) return wrong("reads the stack at an offset that is no multiple of the size"), std::nullopt;
  const StackSlot& slot = state_.frames[function].slots[slot_of(offset)];
  if (!is_stack_written(function, offset, bytes))
    return wrong(fmt::format("reads bytes of the stack at {} that nothing was written to on some way here", offset)),
           std::nullopt;
  if (bytes == slot_bytes && slot.value.kind != AbstractKind::Nothing) return slot.value;
  if (!is_plain(slot.value)) return wrong("reads a part of an address"), std::nullopt;
  return number_value(AbstractNumber::of_bytes(bytes));
}

bool AbstractStep::write_stack(std::uint32_t function, std::int64_t offset, std::uint32_t bytes, const AbstractValue& value) {
  if (!is_inside_stack(function, offset, bytes)) return false;
  if (offset % bytes != 0) return wrong("writes the stack at an offset that is no multiple of the size");
  if (bytes != slot_bytes && !value.is_number()) return wrong("stores a part of an address");
  StackSlot& slot = state_.frames[function].slots[slot_of(offset)];
  for (std::int64_t at = offset; at < offset + bytes; ++at) slot.written = static_cast<std::uint8_t>(slot.written | bit_of(at));
  slot.value = bytes == slot_bytes ? value : AbstractValue{};
  return true;
}

/// Bytes of the packet or of a map value, `offset` behind the pointer.
bool AbstractStep::is_inside(const AbstractValue& pointer, std::int64_t offset, std::uint64_t bytes) {
  const std::int64_t at = pointer.offset + offset;
  if (pointer.kind == AbstractKind::Packet) {
    const std::uint32_t range = state_.range(pointer.id);
    return (at >= 0 && static_cast<std::uint64_t>(at) + bytes <= range) ||
           wrong(fmt::format("reaches bytes {} to {} of the packet, of which {} are known to be there", at,
                             at + static_cast<std::int64_t>(bytes) - 1, range));
  }
  const std::uint32_t size = program_.maps[pointer.which].value_bytes;
  const bool fits = at + pointer.number.lowest() >= 0 &&
                    at + pointer.number.highest() + static_cast<std::int64_t>(bytes) <= static_cast<std::int64_t>(size);
  return fits || wrong(fmt::format("reaches bytes outside a value of map '{}', which has {}", program_.maps[pointer.which].name, size));
}

/// Memory that a helper reads.
bool AbstractStep::is_readable(const AbstractValue& pointer, std::uint64_t bytes) {
  switch (pointer.kind) {
    case AbstractKind::Stack:
      if (!is_inside_stack(pointer.which, pointer.offset, bytes)) return false;
      return is_stack_written(pointer.which, pointer.offset, bytes) ||
             wrong("gives a helper bytes of the stack that nothing was written to on some way here");
    case AbstractKind::Packet:
    case AbstractKind::MapValue: return is_inside(pointer, 0, bytes);
    default: return wrong("gives a helper no memory where it wants some");
  }
}

/// Memory that a helper writes; `exactly`: all of it.
bool AbstractStep::is_writable(const AbstractValue& pointer, std::uint64_t bytes, bool exactly) {
  if (pointer.kind == AbstractKind::MapValue) return is_inside(pointer, 0, bytes);
  if (pointer.kind != AbstractKind::Stack) return wrong("gives a helper no memory where it wants to write");
  if (!is_inside_stack(pointer.which, pointer.offset, bytes)) return false;
  if (!exactly && !is_stack_written(pointer.which, pointer.offset, bytes))
    return wrong("has a helper write bytes of the stack, nobody knows how many, to which nothing was written before");
  for (std::int64_t at = pointer.offset; at < pointer.offset + static_cast<std::int64_t>(bytes); ++at) {
    StackSlot& slot = state_.frames[pointer.which].slots[slot_of(at)];
    slot.written = static_cast<std::uint8_t>(slot.written | bit_of(at));
    slot.value = {};
  }
  return true;
}

bool AbstractStep::out_argument(unsigned r, bool may_be_empty) {
  if (get(r).kind == AbstractKind::Nothing || get(r + 1).kind == AbstractKind::Nothing) return false;
  const AbstractNumber size = number(r + 1, "gives as a size");
  if (!problem_.empty()) return false;
  const std::uint64_t most = size.high();
  if (most > stack_bytes + std::uint64_t{0xffff}) return wrong(fmt::format("gives a helper up to {} bytes to write", most));
  if (!may_be_empty && size.low() == 0) return wrong("gives a helper a size that may be 0");
  return is_writable(state_[r], most, size.is_constant());
}

bool AbstractStep::argument(const HelperRow& row, unsigned n, std::optional<std::uint32_t>& map) {
  const unsigned r = n + 1;
  const AbstractValue value = get(r);
  if (!problem_.empty()) return false;
  switch (row.arguments[n]) {
    case Argument::None: return true;
    case Argument::Map:
      map = value.which;
      return value.kind == AbstractKind::Map || wrong(fmt::format("wants a map in r{}", r));
    case Argument::Key: return is_readable(value, program_.maps[*map].key_bytes);
    case Argument::Value: return is_readable(value, program_.maps[*map].value_bytes);
    case Argument::Context:
      return (value.kind == AbstractKind::Context && value.offset == 0) || wrong(fmt::format("wants the context in r{}", r));
    case Argument::Number:
      return value.is_number() || value.kind == AbstractKind::Structure ||
             wrong(fmt::format("wants a number in r{}, which is an address", r));
    case Argument::Out: return out_argument(r, row.arguments[n + 1] == Argument::SizeOrZero);
    case Argument::Size:
    case Argument::SizeOrZero: return true;  // seen with Out
  }
  return true;
}

bool AbstractStep::memory(const Instruction& i) {
  switch (class_of(i)) {
    case op::LD: return packet_load(i);
    case op::LDX: return load(i);
    default: return mode(i) == op::ATOMIC ? atomic(i) : store(i);
  }
}

bool AbstractStep::load_context(const Instruction& i, std::int64_t offset) {
  const std::uint32_t bytes = bytes_of(i);
  if (state_[i.src].offset != 0) return wrong("reads the context through an address that was moved");
  if (context_of(program_.hook) == ContextKind::RawArgs) {
    const bool is_there = offset >= 0 && offset % bytes == 0 && offset + bytes <= raw_arguments * 8;
    const bool whole = program_.hook != Hook::TracingBtf || bytes == 8;
    if (!is_there || !whole) return wrong(fmt::format("reads {} bytes at {} of the tracepoint's arguments", bytes, offset));
    if (program_.hook == Hook::TracingBtf && mode(i) == op::MEM)
      return set(i.dst, {AbstractKind::Structure, 0, 0, 0, AbstractNumber::constant(0)}), true;
    return set(i.dst, number_value(mode(i) == op::MEM ? AbstractNumber::of_bytes(bytes) : AbstractNumber{})), true;
  }
  const ContextRow* const row = find_context(program_.hook, offset, bytes, Access::Read);
  if (!row)
    return wrong(fmt::format("reads {} bytes at {} of the context, which programs at {} do not have", bytes, offset,
                             to_string(program_.hook)));
  if (row->kind == FieldKind::Number)
    return set(i.dst,
               number_value(mode(i) == op::MEM ? AbstractNumber::of_bytes(bytes)
                                               : AbstractNumber::of_bytes(bytes).sign_extended(static_cast<int>(bytes) * 8))),
           true;
  if (mode(i) != op::MEM) return wrong("reads an address of the packet with a sign");
  set(i.dst, {row->kind == FieldKind::Data ? AbstractKind::Packet : AbstractKind::PacketEnd, 0, 0, 0, AbstractNumber::constant(0)});
  return true;
}

/// A field that BTF describes; the device of an sk_buff is a structure again.
bool AbstractStep::load_structure(const Instruction& i, const AbstractValue& from) {
  const FieldUse* const use = uses_[at_];
  if (!use || from.offset != 0) return wrong("reads a structure of the kernel at a place that is no field known by name");
  if (use->field == KernelField::SkbDevice && bytes_of(i) == 8 && mode(i) == op::MEM) return set(i.dst, from), true;
  return set(i.dst, number_value(mode(i) == op::MEM ? AbstractNumber::of_bytes(bytes_of(i)) : AbstractNumber{})), true;
}

bool AbstractStep::load(const Instruction& i) {
  const AbstractValue from = get(i.src);
  const std::uint32_t bytes = bytes_of(i);
  if (!problem_.empty()) return false;
  switch (from.kind) {
    case AbstractKind::Context: return load_context(i, i.offset);
    case AbstractKind::Structure: return load_structure(i, from);
    case AbstractKind::Stack: {
      auto value = read_stack(from.which, from.offset + i.offset, bytes);
      if (!value) return false;
      if (mode(i) == op::MEMSX && !value->is_number()) return wrong("reads a part of an address");
      if (mode(i) == op::MEMSX) value = number_value(value->number.sign_extended(static_cast<int>(bytes) * 8));
      return set(i.dst, *value), true;
    }
    case AbstractKind::Packet:
    case AbstractKind::MapValue: {
      if (!is_inside(from, i.offset, bytes)) return false;
      const AbstractNumber value = AbstractNumber::of_bytes(bytes);
      return set(i.dst, number_value(mode(i) == op::MEM ? value : value.sign_extended(static_cast<int>(bytes) * 8))), true;
    }
    case AbstractKind::MapValueOrNull: return wrong(fmt::format("reads through r{}, which may be null", +i.src));
    default: return wrong(fmt::format("reads through r{}, which is no address of readable memory", +i.src));
  }
}

bool AbstractStep::store(const Instruction& i) {
  const AbstractValue to = get(i.dst);
  const AbstractValue value = class_of(i) == op::STX
                                  ? get(i.src)
                                  : number_value(AbstractNumber::constant(static_cast<std::uint64_t>(std::int64_t{i.imm})));
  const std::uint32_t bytes = bytes_of(i);
  if (!problem_.empty()) return false;
  if (to.kind == AbstractKind::Stack) return write_stack(to.which, to.offset + i.offset, bytes, value);
  if (!value.is_number()) return wrong("stores an address where others see it");
  switch (to.kind) {
    case AbstractKind::Context:
      return (to.offset == 0 && context_of(program_.hook) != ContextKind::RawArgs &&
              find_context(program_.hook, i.offset, bytes, Access::Write)) ||
             wrong(fmt::format("writes {} bytes at {} of the context, which programs at {} may not", bytes, i.offset,
                               to_string(program_.hook)));
    case AbstractKind::Packet:
      return may_write_packet(program_.hook) ? is_inside(to, i.offset, bytes)
                                             : wrong("writes into the packet, which this hook does not permit");
    case AbstractKind::MapValue: return is_inside(to, i.offset, bytes);
    case AbstractKind::MapValueOrNull: return wrong(fmt::format("writes through r{}, which may be null", +i.dst));
    default: return wrong(fmt::format("writes through r{}, which is no address of writable memory", +i.dst));
  }
}

bool AbstractStep::atomic(const Instruction& i) {
  const AbstractValue to = get(i.dst);
  const std::uint32_t bytes = bytes_of(i);
  number(i.src, "computes with");
  if (i.imm == atomic_compare_exchange) number(0, "compares");
  if (!problem_.empty()) return false;
  const AbstractValue unknown = number_value(AbstractNumber::of_bytes(bytes));
  if (to.kind == AbstractKind::Stack) {
    const auto old = read_stack(to.which, to.offset + i.offset, bytes);
    if (!old) return false;
    if (!old->is_number()) return wrong("computes with an address in the stack");
    if (!write_stack(to.which, to.offset + i.offset, bytes, unknown)) return false;
  } else if (to.kind == AbstractKind::MapValue) {
    const std::uint64_t at = static_cast<std::uint64_t>(to.offset + i.offset) | to.number.bits().value | to.number.bits().unknown;
    if (at % bytes != 0) return wrong("computes in memory at an offset that is no multiple of the size");
    if (!is_inside(to, i.offset, bytes)) return false;
  } else {
    return wrong("computes in memory that is neither stack nor a value of a map");
  }
  if (i.imm == atomic_compare_exchange) set(0, unknown);
  else if (i.imm & atomic_fetch) set(i.src, unknown);
  return true;
}

bool AbstractStep::packet_load(const Instruction& i) {
  if (!has_packet_loads(program_.hook))
    return wrong(fmt::format("loads from the packet in a way that programs at {} do not have", to_string(program_.hook)));
  if (state_.frames.size() > 1) return wrong("loads from the packet in a function that is called, which a missing byte would end");
  const AbstractValue& context = get(6);
  if (context.kind != AbstractKind::Context || context.offset != 0) return wrong("wants the context in r6");
  if (mode(i) == op::IND) number(i.src, "loads at");
  forget_arguments();
  set(0, number_value(AbstractNumber{}));  // the kernel's verifier knows no more of it
  return problem_.empty();
}

}  // namespace weir::ebpf
