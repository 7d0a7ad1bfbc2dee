// How the bytes of a packet are got at.
#include <algorithm>

#include "ebpf/raw.hpp"
#include "ebpf/select.hpp"

namespace weir::ebpf {

using namespace ir;

namespace {

/// Beyond that the verifier does not follow packet pointers (MAX_PACKET_OFF, kernel/bpf/verifier.c).
constexpr std::uint64_t most_offset = 0xffff;
/// Where a variable offset is no larger than this, the pointer can be checked for as much again. Few packets have one.
constexpr std::uint64_t most_base = 0x7fff;
/// Of loads: 16 bits with a sign.
constexpr std::uint64_t most_displacement = 0x7fff;

}  // namespace

// ---- guards --------------------------------------------------------------------------------------------------

/// Where the check of a guard leads whatever the packet: nothing where it depends on it.
std::optional<Label> Select::sure_failure(ValueId base, std::uint64_t end) {
  const std::uint64_t least = (base == no_value ? 0 : ranges_.of(base).low) + end;
  if (least > max_captured) return reject();
  if (reach_ == Reach::Pointers && least > most_offset) return elsewhere_;
  return std::nullopt;
}

/// Goes on when so many bytes behind the base are captured.
void Select::check(ValueId base, std::uint64_t end) {
  if (reach_ != Reach::Pointers) return check_length(base, end);
  if (base != no_value) pointer(base, end, rejects_if_linear_);
  else if (made_.hook == Hook::SocketBtf) check_linear(end, rejects_if_linear_);
  else check_pointer(data_, end, rejects_if_linear_);
}

/// Asks for `wanted` bytes where `end` have to be there. The few packets that have fewer go on in the second copy, where each
/// guard asks for its own.
void Select::check_ahead(ValueId base, std::uint64_t end, std::uint64_t wanted) {
  if (base != no_value) return void(pointer(base, wanted, elsewhere_));
  const Label fails = code_.label();
  ahead_.push_back({fails, end});
  check_linear(wanted, fails);
}

/// The kernel's verifier does not care how far the bytes of a socket's packet go, so a number does.
void Select::check_linear(std::uint64_t end, Label fails) {
  code_.jump({.relation = op::JLT, .wide = true, .left = data_end_, .k = static_cast<std::uint32_t>(end)}, fails);
}

void Select::check_pointer(Register from, std::uint64_t end, Label fails) {
  ++pins_[from];
  const Register past = take();
  code_.move(past, from);
  code_.alu64(op::ADD, past, static_cast<std::int32_t>(end));
  Register last = data_end_;
  if (made_.hook == Hook::SocketBtf) {
    ++pins_[past];
    last = take();
    --pins_[past];
    code_.move(last, data_);
    code_.alu64(op::ADD, last, data_end_);
  }
  --pins_[from];
  code_.jump({.relation = op::JGT, .wide = true, .left = past, .right = last}, fails);
}

/// Sums in 64 bits: without wrap.
void Select::check_length(ValueId base, std::uint64_t end) {
  const auto bytes = static_cast<std::uint32_t>(end);
  if (base == no_value) return code_.jump({.relation = op::JLT, .wide = true, .left = length_at_hand(), .k = bytes}, reject_);
  const Register from = value(base);
  ++pins_[from];
  const Register past = take();
  code_.move(past, from);
  code_.alu64(op::ADD, past, static_cast<std::int32_t>(bytes));
  ++pins_[past];
  const Register whole = length_at_hand();
  --pins_[past];
  --pins_[from];
  code_.jump({.relation = op::JGT, .wide = true, .left = past, .right = whole}, reject_);
}

/// An upper bound that the verifier can see, too, from the instructions that make the value. It forgets what it knows when bytes are
/// put in order.
std::uint32_t Select::visible_high(ValueId id) {
  const Value& v = program_[id];
  if (v.kind == ValueKind::Constant) return v.k;
  if (v.kind == ValueKind::Load && v.size() == 1) return 0xff;
  if (v.kind != ValueKind::Binary) return 0xffffffff;
  const auto k = constant_of(program_, v.b);
  if (!k) return 0xffffffff;
  const std::uint64_t a = visible_high(v.a);
  switch (v.arith()) {
    case Arith::And: return static_cast<std::uint32_t>(std::min<std::uint64_t>(a, *k));
    case Arith::Lsh: return *k < 32 && a << *k <= most_offset ? static_cast<std::uint32_t>(a << *k) : 0xffffffff;
    case Arith::Rsh: return *k < 32 ? static_cast<std::uint32_t>(a >> *k) : 0;
    case Arith::Add: return a + *k <= most_offset ? static_cast<std::uint32_t>(a + *k) : 0xffffffff;
    default: return 0xffffffff;
  }
}

/// Data and an offset, in a register that may be changed.
Register Select::add_to_data(Register offset, ValueId base) {
  const bool is_free = plan_->is_only_base(base) && pins_[offset] == 0;
  if (options_.hook != Hook::SocketBtf) {
    const Register to = is_free ? offset : take_over(offset, base);
    code_.alu64(op::ADD, to, data_);
    return to;
  }
  // The kernel's verifier takes a number for a number, also when such a pointer is added to it (adjust_ptr_min_max_vals in
  // kernel/bpf/verifier.c).
  ++pins_[offset];
  const Register to = take();
  --pins_[offset];
  code_.move(to, data_);
  code_.alu64(op::ADD, to, offset);
  if (is_free) machine_.registers[offset] = {};
  return to;
}

Register Select::pointer(ValueId base, std::uint64_t end, Label fails) {
  if (const auto r = held(base, Machine::Form::Pointer)) {
    if (machine_.registers[*r].end >= end) return *r;
    if (end <= most_offset - most_base) {
      check_pointer(*r, end, fails);
      machine_.registers[*r].end = end;
      return *r;
    }
    machine_.registers[*r] = {};  // the verifier knows too little of its offset
  }
  const Register offset = value(base);
  const std::uint64_t most = std::min(most_base, most_offset - end);
  if (visible_high(base) > most)
    code_.jump({.relation = op::JGT, .wide = true, .left = offset, .k = static_cast<std::uint32_t>(most)}, elsewhere_);
  const Register to = add_to_data(offset, base);
  hold(to, base, Machine::Form::Pointer);
  machine_.registers[to].made = ++pointers_made_;
  ++pins_[to];
  check_pointer(to, end, fails);
  --pins_[to];
  machine_.registers[to].end = end;
  return to;
}

// ---- loads ---------------------------------------------------------------------------------------------------

Register Select::load(const Value& v, bool is_raw, bool is_wanted_again) {
  if (reach_ == Reach::Absolute) {
    load_in_order(v.a, v.k, v.size());
    const Register to = is_wanted_again ? take_saved() : 0;
    code_.move(to, 0);
    return to;
  }
  const Register r = load_bytes(v.a, v.k, v.size(), is_raw);
  if (!is_raw) code_.swap(r, v.size());
  return r;
}

/// Offsets that a guard has let through are below 2^31, and so none that the kernel takes for metadata.
Register Select::load_in_order(ValueId base, std::uint64_t at, std::uint32_t bytes) {
  const auto k = static_cast<std::int32_t>(std::min<std::uint64_t>(at, max_captured));
  if (base == no_value) code_.load_packet(k, bytes);
  else code_.load_packet(value(base), k, bytes);
  forget_arguments();
  return 0;
}

/// Up to eight bytes as they lie in memory, in a register that nobody holds yet; or, `in_place`, as the lower half of a window.
Register Select::load_bytes(ValueId base, std::uint64_t at, std::uint32_t bytes, bool in_place) {
  return reach_ == Reach::Pointers ? load_from_pointer(base, at, bytes, in_place) : load_by_call(base, at, bytes);
}

/// A guard has seen to it that they are captured; the verifier has to have seen it in this register.
Register Select::load_from_pointer(ValueId base, std::uint64_t at, std::uint32_t bytes, bool in_place) {
  if (const auto window = has_windows() ? window_with(base, at, bytes) : std::nullopt) return take_out(*window, at, bytes, in_place);
  const std::uint64_t end = at + bytes;
  Register from = data_;
  if (base != no_value) {
    from = pointer(base, end, rejects_if_linear_);
  } else if (!machine_.captured.has(no_value, end)) {
    check(no_value, end);
    machine_.captured.learn(no_value, end);
  }
  ++pins_[from];
  const Register to = take();
  --pins_[from];
  const Window window =
      has_windows() ? window_of(base, at, bytes, from == data_ ? machine_.captured.end(base) : machine_.registers[from].end)
                    : Window{at, bytes};
  if (window.at <= most_displacement) {
    code_.load(to, from, static_cast<std::int32_t>(window.at), window.bytes);
  } else {
    code_.move(to, from);
    code_.alu64(op::ADD, to, static_cast<std::int32_t>(window.at));
    code_.load(to, to, 0, window.bytes);
  }
  if (window.bytes == bytes) return to;
  machine_.registers[to] = {.value = base, .form = Machine::Form::Window, .end = window.at + window.bytes, .at = window.at};
  return take_out(to, at, bytes, in_place);
}

/// Through the stack. What the helper returns says again what a guard has said before.
Register Select::load_by_call(ValueId base, std::uint64_t at, std::uint32_t bytes) {
  const auto k = static_cast<std::int32_t>(std::min<std::uint64_t>(at, max_captured));
  const bool probes = row_.packets == Packets::Probe;
  const Register offset = probes ? 3 : 2;
  if (base != no_value) {
    code_.move(offset, value(base));
    if (k != 0) code_.alu64(op::ADD, offset, k);
  } else if (!probes) {
    code_.set(offset, static_cast<std::uint32_t>(k));
  }
  if (options_.loads_in_functions && !probes && bytes < 8) return load_by_function(bytes);
  const Slot loaded = code_.slot();
  if (probes) {
    if (base != no_value) {
      code_.alu64(op::ADD, offset, data);
    } else {
      code_.move(offset, data);
      code_.alu64(op::ADD, offset, k);
    }
    code_.address(1, loaded);
    code_.set(2, bytes);
    call(helper::ProbeReadKernel);
  } else {
    code_.move(1, context_);
    code_.address(3, loaded);
    code_.set(4, bytes);
    call(row_.context == ContextKind::XdpMd ? helper::LoadBytesXdp : helper::LoadBytes);
  }
  code_.jump({.relation = op::JNE, .wide = true, .left = 0, .k = 0}, reject_);
  const Register to = take();
  code_.load(to, loaded, 0, bytes);
  return to;
}

/// The offset is in r2.
Register Select::load_by_function(std::uint32_t bytes) {
  auto& function = loading_[bytes];
  if (!function) function = code_.label();
  code_.move(1, context_);
  lost_context_ |= context_ == argument || is_alone_;
  code_.call(*function);
  forget_arguments();
  code_.jump({.relation = op::JSLT, .wide = true, .left = 0, .k = 0}, reject_);
  const Register to = take();
  code_.move(to, 0);
  return to;
}

/// Of the context in r1 from the offset in r2 on; below 0 where there are not so many bytes.
void Select::loading_functions() {
  for (std::uint32_t bytes = 1; bytes < loading_.size(); ++bytes) {
    if (!loading_[bytes]) continue;
    code_.bind(*loading_[bytes]);
    const Slot loaded = code_.slot();
    const Label none = code_.label();
    code_.address(3, loaded);
    code_.set(4, bytes);
    code_.call(row_.context == ContextKind::XdpMd ? helper::LoadBytesXdp : helper::LoadBytes);
    code_.jump({.relation = op::JNE, .wide = true, .left = 0, .k = 0}, none);
    code_.load(0, loaded, 0, bytes);
    code_.exit();
    code_.bind(none);
    code_.alu64(op::MOV, 0, -1);
    code_.exit();
  }
}

}  // namespace weir::ebpf
