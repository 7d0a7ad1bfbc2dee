#include "prove/ebpf_step.hpp"

#include <fmt/format.h>

#include "ebpf/decode.hpp"

namespace weir::prove {
namespace {

namespace op = ebpf::op;
using ebpf::operation;

constexpr std::uint32_t sign = 0x80000000;

std::optional<Arith> arith_of(std::uint8_t operation) {
  switch (operation) {
    case op::ADD: return Arith::Add;
    case op::SUB: return Arith::Sub;
    case op::MUL: return Arith::Mul;
    case op::OR: return Arith::Or;
    case op::AND: return Arith::And;
    case op::XOR: return Arith::Xor;
    default: return std::nullopt;
  }
}

}  // namespace

State Stepper::start() {
  State s;
  s.registers[1] = Context{};
  s.registers[10] = StackPlace{0};
  return s;
}

const Scalar& Stepper::scalar(const State& s, int reg) const {
  const auto* known = std::get_if<Scalar>(&s.registers[static_cast<std::size_t>(reg)]);
  if (!known) throw NotUnderstood{};
  return *known;
}

Partial Stepper::step(std::size_t at, State& s) try {
  const Instruction& i = p_.instructions[at];
  switch (ebpf::class_of(i)) {
    case op::LD:
      if (!ebpf::is_wide(i)) return load_packet(i, s);
      if (i.src == ebpf::map_index) s.registers[i.dst] = MapReference{static_cast<std::size_t>(i.imm)};
      else if (i.src == ebpf::map_value_index && p_.instructions[at + 1].imm == 0)
        s.registers[i.dst] = TablePlace{static_cast<std::size_t>(i.imm)};
      else if (i.src == 0) s.registers[i.dst] = words_.number(ebpf::wide_constant(i, p_.instructions[at + 1]));
      else throw NotUnderstood{};
      break;
    case op::LDX: s.registers[i.dst] = load(i, s); break;
    case op::ST:
    case op::STX: store(i, s); break;
    case op::ALU:
    case op::ALU64: compute(i, s); break;
    default:
      if (!ebpf::is_call(i)) throw NotUnderstood{};
      call(i, s);
  }
  return partials_.sure(partials_.yes());
} catch (const NotUnderstood&) {
  throw GivenUp(fmt::format("{} is not understood here", ebpf::name(p_, at)));
}

// ---- arithmetic -----------------------------------------------------------------------------------------

void Stepper::compute(const Instruction& i, State& s) {
  Content& dst = s.registers[i.dst];
  const bool is_64 = ebpf::class_of(i) == op::ALU64;
  if (operation(i) == op::END) {
    dst = reorder(i, scalar(s, i.dst));
    return;
  }
  const Content by = ebpf::takes_register(i) ? s.registers[i.src] : Content(words_.number(extended(i.imm)));
  if (i.offset != 0) throw NotUnderstood{};  // with a sign
  if (operation(i) == op::MOV) {
    if (is_64) dst = by;
    else if (is_scalar(by)) dst = words_.extended(std::get<Scalar>(by).low);
    else throw NotUnderstood{};
    return;
  }
  if (operation(i) == op::NEG) {
    const Scalar zero = words_.number(0), a = scalar(s, i.dst);
    Instruction minus;
    minus.code = static_cast<std::uint8_t>(ebpf::class_of(i) | op::SUB | op::X);
    dst = is_64 ? arith64(minus, zero, a) : arith32(minus, zero, a);
    return;
  }
  if (!is_scalar(dst) || !is_scalar(by)) {
    if (auto of_table = with_entries(i, dst, by)) {
      dst = *std::move(of_table);
      return;
    }
    if (!is_64) throw NotUnderstood{};
    dst = with_pointer(i, dst, by);
    return;
  }
  const auto a = std::get<Scalar>(dst), b = std::get<Scalar>(by);
  Scalar made = is_64 ? arith64(i, a, b) : arith32(i, a, b);
  made.hash = hash_of(i, a, b);
  dst = made;
}

/// A sum with a place in the packet or on the stack; or how far it is to the packet's end.
Content Stepper::with_pointer(const Instruction& i, const Content& a, const Content& b) {
  const bool adds = operation(i) == op::ADD;
  if (!adds && operation(i) != op::SUB) throw NotUnderstood{};
  const auto* start = std::get_if<PacketPlace>(&b);
  if (!adds && start && std::holds_alternative<PacketEnd>(a) && *start == PacketPlace{algebra_.constant(0), 0})
    return linear_length();
  if (adds && is_scalar(a)) return with_pointer(i, b, a);
  if (!is_scalar(b)) throw NotUnderstood{};
  const Scalar& by = std::get<Scalar>(b);
  if (adds && a == Content(PacketPlace{algebra_.constant(0), 0}) && by == linear_length()) return PacketEnd{};
  if (by.low.known && by.high.known) {
    const auto k = static_cast<std::int64_t>(std::uint64_t{*by.high.known} << 32 | *by.low.known);
    if (const auto* place = std::get_if<PacketPlace>(&a)) return PacketPlace{place->index, place->displacement + (adds ? k : -k)};
    if (const auto* place = std::get_if<StackPlace>(&a)) return StackPlace{place->offset + (adds ? k : -k)};
  }
  const auto* place = std::get_if<PacketPlace>(&a);
  if (!adds || !place || by.high != words_.constant(0)) throw NotUnderstood{};
  return PacketPlace{algebra_.binary(Arith::Add, place->index, words_.plain(by.low)), place->displacement};
}

/// Division by zero gives 0, its remainder the dividend (RFC 9669, section 4.1).
Word Stepper::divide(std::uint8_t operation, Word a, Word b) {
  const Arith arith = operation == op::DIV ? Arith::Div : Arith::Mod;
  if (b.known && *b.known != 0) return words_.arith(arith, a, b);
  const Word by_zero = operation == op::DIV ? words_.constant(0) : a;
  return words_.choose(words_.compare(Relation::Equal, b, words_.constant(0)), by_zero, words_.arith(arith, a, b));
}

Scalar Stepper::arith32(const Instruction& i, const Scalar& a, const Scalar& b) {
  const Word x = a.low, y = b.low;
  if (const auto arith = arith_of(operation(i))) return words_.extended(words_.arith(*arith, x, y));
  const Word by = words_.arith(Arith::And, y, words_.constant(31));
  switch (operation(i)) {
    case op::LSH: return words_.extended(words_.arith(Arith::Lsh, x, by));
    case op::RSH: return words_.extended(words_.arith(Arith::Rsh, x, by));
    case op::ARSH: {  // the sign's bit moved to where it counts as any other, and back
      const Word high = words_.constant(sign), moved = words_.arith(Arith::Rsh, words_.arith(Arith::Xor, x, high), by);
      return words_.extended(words_.arith(Arith::Sub, moved, words_.arith(Arith::Rsh, high, by)));
    }
    case op::DIV:
    case op::MOD: return words_.extended(divide(operation(i), x, y));
    default: throw NotUnderstood{};
  }
}

Scalar Stepper::arith64(const Instruction& i, const Scalar& a, const Scalar& b) {
  const bool both_short = a.high == words_.constant(0) && b.high == words_.constant(0);
  switch (operation(i)) {
    case op::AND:
    case op::OR:
    case op::XOR: {
      const Arith arith = *arith_of(operation(i));
      return {words_.arith(arith, a.low, b.low), words_.arith(arith, a.high, b.high), {}};
    }
    case op::ADD: {
      const Word low = words_.arith(Arith::Add, a.low, b.low);
      const Ref carries = words_.compare(Relation::Greater, a.low, low);
      const Word high = words_.arith(Arith::Add, a.high, b.high);
      return {low, words_.choose(carries, words_.arith(Arith::Add, high, words_.constant(1)), high), sum_of(a, b)};
    }
    case op::SUB: {
      const Ref borrows = words_.compare(Relation::Greater, b.low, a.low);
      const Word high = words_.arith(Arith::Sub, a.high, b.high);
      return {words_.arith(Arith::Sub, a.low, b.low), words_.choose(borrows, words_.arith(Arith::Sub, high, words_.constant(1)), high), {}};
    }
    case op::DIV:
    case op::MOD:
      if (both_short) return words_.extended(divide(operation(i), a.low, b.low));
      break;
    case op::LSH:
    case op::RSH:
      return b.low.known ? shift64(i, a, *b.low.known & 63) : shift_by_any(i, a, b.low);
    default: break;
  }
  throw NotUnderstood{};
}

/// Of a short number and a constant.
std::optional<Sum> Stepper::sum_of(const Scalar& a, const Scalar& b) {
  const Word zero = words_.constant(0);
  if (!b.low.known || b.high != zero) return std::nullopt;
  const Sum from = a.sum ? *a.sum : Sum{words_.plain(a.low), 0};
  if ((!a.sum && a.high != zero) || std::uint64_t{from.k} + *b.low.known > longest_packet) return std::nullopt;
  return Sum{from.base, from.k + *b.low.known};
}

Scalar Stepper::shift64(const Instruction& i, const Scalar& a, std::uint32_t by) {
  const bool left = operation(i) == op::LSH;
  const Arith out = left ? Arith::Lsh : Arith::Rsh, in = left ? Arith::Rsh : Arith::Lsh;
  const Word from = left ? a.low : a.high, to = left ? a.high : a.low;
  Word near, far;  // the half that loses bits to the other, and the other
  if (by == 0) return a;
  if (by >= 32) {
    near = words_.constant(0);
    far = words_.arith(out, from, words_.constant(by - 32));
  } else {
    near = words_.arith(out, from, words_.constant(by));
    far = words_.arith(Arith::Or, words_.arith(out, to, words_.constant(by)), words_.arith(in, from, words_.constant(32 - by)));
  }
  return left ? Scalar{near, far, {}} : Scalar{far, near, {}};
}

/// By a number that depends on the packet: one outcome for each that it can be.
Scalar Stepper::shift_by_any(const Instruction& i, const Scalar& a, Word by) {
  const Word masked = words_.arith(Arith::And, by, words_.constant(63));
  Scalar result = a;
  for (std::uint32_t n = 1; n < 64; ++n) {
    const Ref is_n = words_.compare(Relation::Equal, masked, words_.constant(n));
    const Scalar shifted = shift64(i, a, n);
    result = {words_.choose(is_n, shifted.low, result.low), words_.choose(is_n, shifted.high, result.high), {}};
  }
  return result;
}

/// To big endian, to little endian (which is this machine's), or the opposite of what it was; the low bits of imm alone.
Scalar Stepper::reorder(const Instruction& i, const Scalar& a) {
  const bool swaps = ebpf::class_of(i) == op::ALU64 || ebpf::takes_register(i);
  const auto bytes = static_cast<std::uint32_t>(i.imm) / 8;
  if (bytes == 8) return swaps ? Scalar{words_.swap(a.high, 4), words_.swap(a.low, 4), {}} : a;
  return words_.extended(swaps ? words_.swap(a.low, bytes) : words_.low_bytes(a.low, bytes));
}

}  // namespace weir::prove
