#include <algorithm>
#include <bit>
#include <cstddef>

#include "native/aarch64.hpp"

namespace weir::native::aarch64 {

using namespace ir;

namespace {

constexpr unsigned first_home = 12, home_registers = 4;

}  // namespace

// ---- registers and words of the stack --------------------------------------------------------------------

std::optional<Select::Reg> Select::home_register(std::uint32_t home) const {
  return home < home_registers ? std::optional(first_home + home) : std::nullopt;
}

a64::MemOperand Select::home_word(std::uint32_t home) { return stack_word(home - home_registers); }

a64::MemOperand Select::stack_word(std::uint32_t number) {
  most_words_ = std::max(most_words_, number + 1);
  return a64::MemOperand(a64::sp, static_cast<std::int64_t>(number) * 4);
}

Select::Reg Select::take() { return first_of_pool + static_cast<Reg>(pool_.take()); }

/// An operand is used; when nobody else wants it, its register is free.
void Select::drop(Reg r, ValueId v) {
  if (is_pooled(r) && !pool_.is_pinned(r - first_of_pool) && plan_.uses(v) == 1) pool_.forget(r - first_of_pool);
}

void Select::hold(Reg r, Held what) {
  if (is_pooled(r)) pool_.hold(r - first_of_pool, what);
}

void Select::store_home(Reg r, ValueId v) {
  const auto home = plan_.home(v);
  if (!home || machine_.at_home >> *home & 1) return;
  if (const auto own = home_register(*home)) asm_->Mov(w(*own), w(r));
  else asm_->Str(w(r), home_word(*home));
  machine_.at_home |= std::uint64_t{1} << *home;
}

void Select::pin(Reg r) {
  if (is_pooled(r)) pool_.pin(r - first_of_pool);
}

void Select::unpin(Reg r) {
  if (is_pooled(r)) pool_.unpin(r - first_of_pool);
}

std::optional<Select::Reg> Select::held(Held what) {
  const auto r = pool_.find(what);
  return r ? std::optional(first_of_pool + static_cast<Reg>(*r)) : std::nullopt;
}

/// Whether it takes one further register at most, and no others in between, to have the value in one.
bool Select::is_at_hand(ValueId v) const {
  const auto kind = program_[v].kind;
  return pool_.has(Held::value(v)) || kind == ValueKind::Constant || kind == ValueKind::Length;
}

// ---- values ------------------------------------------------------------------------------------------------

/// The value in a register, where it stays until others need the room. Upper halves are 0, but for that of the length.
Select::Reg Select::value(ValueId v) {
  const Value& what = program_[v];
  if (what.kind == ValueKind::Length) return length_register;
  if (what.kind == ValueKind::Constant) return number(what.k);
  if (const auto known = held(Held::value(v))) return *known;
  if (const auto home = plan_.home(v); home && machine_.at_home >> *home & 1) {
    if (const auto own = home_register(*home)) return *own;
    const Reg r = take();
    asm_->Ldr(w(r), home_word(*home));
    hold(r, Held::value(v));
    return r;
  }
  const Reg r = compute(v);
  hold(r, Held::value(v));
  store_home(r, v);
  return r;
}

/// A load as its bytes lie in memory.
Select::Reg Select::raw(ValueId v) {
  const Value& what = program_[v];
  if (what.size() == 1) return value(v);  // one byte has no order
  if (const auto known = held(Held::raw(v))) return *known;
  const Reg base = pointer(what.a);
  const Reg r = take();
  fetch(r, what.size(), base, what.k);
  hold(r, Held::raw(v));
  return r;
}

Select::Reg Select::pointer(ValueId base) {
  if (base == no_value) return 0;
  if (const auto known = held(Held::pointer(base))) return *known;
  const Reg offset = value(base);
  const Reg r = take();
  asm_->Add(x(r), a64::x0, a64::Operand(w(offset), a64::UXTW));
  hold(r, Held::pointer(base));
  return r;
}

Select::Reg Select::number(std::uint64_t k) {
  if (const auto known = held(Held::number(k))) return *known;
  const Reg r = take();
  asm_->Mov(x(r), k);
  hold(r, Held::number(k));
  return r;
}

Select::Reg Select::compute(ValueId id) {
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: return number(v.k);
    case ValueKind::Length: return length_register;
    case ValueKind::Load: return load(id);
    case ValueKind::Meta: {
      const Reg r = take();
      asm_->Ldr(w(r), a64::MemOperand(a64::x3, static_cast<std::int64_t>(metadata_place(v.meta()))));
      return r;
    }
    case ValueKind::Negate: {
      const Reg a = value(v.a);
      drop(a, v.a);
      const Reg r = take();
      asm_->Neg(w(r), w(a));
      return r;
    }
    case ValueKind::Binary: return binary(v);
    case ValueKind::Choice: return choose(id);
  }
  return 0;
}

void Select::fetch(Reg to, std::uint32_t size, Reg base, std::uint32_t displacement) {
  const a64::MemOperand where(x(base), static_cast<std::int64_t>(displacement));
  switch (size) {
    case 1: return asm_->Ldrb(w(to), where);
    case 2: return asm_->Ldrh(w(to), where);
    case 4: return asm_->Ldr(w(to), where);
    default: return asm_->Ldr(x(to), where);
  }
}

Select::Reg Select::load(ValueId id) {
  const Value& v = program_[id];
  Reg from{}, to{};
  if (const auto known = held(Held::raw(id))) {
    from = *known;
    to = take();
  } else {
    const Reg base = pointer(v.a);
    from = to = take();
    fetch(to, v.size(), base, v.k);
  }
  if (v.size() == 2) asm_->Rev16(w(to), w(from));
  if (v.size() == 4) asm_->Rev(w(to), w(from));
  return to;
}

Select::Reg Select::binary(const Value& v) {
  if (const auto k = constant_of(program_, v.b)) return with_constant(v.arith(), v.a, *k);
  if (const auto k = constant_of(program_, v.a); k && commutes(v.arith())) return with_constant(v.arith(), v.b, *k);
  // The costlier operand first: it may need all registers.
  const bool b_first = plan_.cost(v.b) > plan_.cost(v.a);
  const ValueId first = b_first ? v.b : v.a, second = b_first ? v.a : v.b;
  Reg one = value(first);
  const bool in_memory = is_pooled(one) && !is_at_hand(second) && pool_.unpinned() < most_wanted;
  const std::uint32_t kept = next_word_;
  if (in_memory) {
    asm_->Str(w(one), stack_word(next_word_++));
  } else {
    pin(one);
  }
  const Reg two = value(second);
  if (in_memory) {
    pin(two);
    one = take();
    unpin(two);
    asm_->Ldr(w(one), stack_word(kept));
    --next_word_;
  } else {
    unpin(one);
  }
  if (first != second) drop(one, first);
  drop(two, second);
  const Reg to = take();  // perhaps that of an operand: it is written last
  apply(v.arith(), to, b_first ? two : one, b_first ? one : two, ranges_.of(v.b).high);
  return to;
}

/// Bits of a value in one instruction: a mask of low bits and a shift.
bool Select::bit_field(Arith op, ValueId a, std::uint32_t k, Reg& to) {
  const Value& v = program_[a];
  if (v.kind != ValueKind::Binary || pool_.has(Held::value(a)) || plan_.home(a)) return false;
  const auto inner = constant_of(program_, v.b);
  if (!inner) return false;
  const bool shifts_up = op == Arith::Lsh && v.arith() == Arith::And && k < 32;       // (x & mask) << k
  const bool shifts_down = op == Arith::And && v.arith() == Arith::Rsh && *inner < 32;  // x >> k & mask
  const std::uint32_t mask = shifts_up ? *inner : k;
  if (!(shifts_up || shifts_down) || mask == 0 || (mask & (mask + 1)) != 0) return false;
  const auto width = static_cast<unsigned>(std::bit_width(mask));
  const unsigned by = shifts_up ? k : *inner;
  const Reg from = value(v.a);
  drop(from, v.a);
  to = take();
  const unsigned fitting = std::min(width, 32 - by);
  if (shifts_up) asm_->Ubfiz(w(to), w(from), by, fitting);
  else asm_->Ubfx(w(to), w(from), by, fitting);
  return true;
}

Select::Reg Select::with_constant(Arith op, ValueId a, std::uint32_t k) {
  Reg to{};
  if (bit_field(op, a, k, to)) return to;
  const Reg from = value(a);
  drop(from, a);
  to = take();
  switch (op) {
    case Arith::Add: asm_->Add(w(to), w(from), operand(k)); break;
    case Arith::Sub: asm_->Sub(w(to), w(from), operand(k)); break;
    case Arith::And: asm_->And(w(to), w(from), operand(k)); break;
    case Arith::Or: asm_->Orr(w(to), w(from), operand(k)); break;
    case Arith::Xor: asm_->Eor(w(to), w(from), operand(k)); break;
    case Arith::Lsh:
    case Arith::Rsh:
      if (k >= 32) asm_->Mov(w(to), 0);
      else if (op == Arith::Lsh) asm_->Lsl(w(to), w(from), k);
      else asm_->Lsr(w(to), w(from), k);
      break;
    case Arith::Mul:
    case Arith::Div:
    case Arith::Mod:
      asm_->Mov(a64::w5, k);
      apply(op, to, from, 5, k);
      break;
  }
  return to;
}

/// to = a OP b, as weir::apply has it. `most_b`: b is never above. w4 is free.
void Select::apply(Arith op, Reg to, Reg a, Reg b, std::uint32_t most_b) {
  switch (op) {
    case Arith::Add: return asm_->Add(w(to), w(a), w(b));
    case Arith::Sub: return asm_->Sub(w(to), w(a), w(b));
    case Arith::Mul: return asm_->Mul(w(to), w(a), w(b));
    case Arith::And: return asm_->And(w(to), w(a), w(b));
    case Arith::Or: return asm_->Orr(w(to), w(a), w(b));
    case Arith::Xor: return asm_->Eor(w(to), w(a), w(b));
    case Arith::Div: return asm_->Udiv(w(to), w(a), w(b));
    case Arith::Mod:
      asm_->Udiv(a64::w4, w(a), w(b));
      return asm_->Msub(w(to), a64::w4, w(b), w(a));
    case Arith::Lsh:
    case Arith::Rsh: {
      // Of 64 bits, where shifts by 32 to 63 leave nothing in the lower half; the machine takes the low six bits alone.
      constexpr std::uint32_t most = 63;
      Reg by = b;
      if (most_b > most) {
        by = 4;
        asm_->Mov(a64::w4, most);
        asm_->Cmp(w(b), most);
        asm_->Csel(a64::w4, w(b), a64::w4, a64::ls);
      }
      if (op == Arith::Lsh) {
        asm_->Lsl(x(to), x(a), x(by));
        asm_->Mov(w(to), w(to));  // without what was shifted into the upper half
      } else if (a == length_register) {
        asm_->Mov(a64::w5, w(a));
        asm_->Lsr(x(to), a64::x5, x(by));
      } else {
        asm_->Lsr(x(to), x(a), x(by));
      }
      return;
    }
  }
}

Select::Reg Select::choose(ValueId v) {
  select_choice(v);
  const std::uint32_t home = *plan_.home(v);
  if (const auto own = home_register(home)) return *own;
  const Reg r = take();
  asm_->Ldr(w(r), home_word(home));
  return r;
}

}  // namespace weir::native::aarch64
