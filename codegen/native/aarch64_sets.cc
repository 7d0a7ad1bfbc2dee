#include <algorithm>
#include <bit>
#include <cstring>

#include "native/aarch64.hpp"

namespace weir::native::aarch64 {

using namespace ir;

namespace {

constexpr std::size_t cache_line = 64;

}  // namespace

bool Select::jumps(const Node& n) {
  const SetPlan& plan = plans_.of(n).plan;
  if (const auto* b = std::get_if<SetPlan::Bits>(&plan.how)) return !b->whole;
  if (const auto* s = std::get_if<SetPlan::Search>(&plan.how)) return s->top_is_out;
  return std::holds_alternative<SetPlan::Tree>(plan.how);
}

/// The value that is looked up, as its set wants it.
Select::Reg Select::subject(const Node& n) { return wants_raw(plans_.of(n).plan) ? raw(n.a) : value(n.a); }

/// Ways that are clear before what is asked last are taken. Registers of the pool change before the first jump only.
Question Select::ask_member(const Node& n, const std::optional<Ways>& ways) {
  const Reg v = subject(n);
  const auto& [plan, first_table] = plans_.of(n);
  const auto& how = plan.how;
  pin(v);
  Question q;
  if (const auto* c = std::get_if<SetPlan::Chain>(&how))
    q = c->intervals.size() == 1 ? settled(interval(c->intervals[0], v)) : chain(c->intervals, v);
  else if (const auto* t = std::get_if<SetPlan::Tree>(&how)) q = tree(t->intervals, v, ways);
  else if (const auto* b = std::get_if<SetPlan::Bits>(&how)) q = bits(*b, first_table, v, ways);
  else if (const auto* h = std::get_if<SetPlan::Hash>(&how)) q = hashed(*h, first_table, v);
  else q = search(std::get<SetPlan::Search>(how), first_table, v, ways);
  unpin(v);
  return q;
}

Question Select::interval(Interval in, Reg v) {
  if (in.low == in.high) return {.left = v, .k = in.low};
  if (in.low == 0) return {.left = v, .k = in.high, .condition = a64::ls};
  if (in.high == 0xffffffff) return {.left = v, .k = in.low, .condition = a64::hs};
  asm_->Sub(a64::w4, w(v), operand(in.low));
  return {.left = 4, .k = in.high - in.low, .condition = a64::ls};
}

/// One comparison, and others for what it does not find.
Question Select::chain(std::span<const Interval> intervals, Reg v) {
  if (intervals.empty()) {  // never: v is not above itself
    asm_->Cmp(w(v), w(v));
    return {.kind = Question::Kind::Flags, .condition = a64::ne};
  }
  Question q = interval(intervals.front(), v);
  compare(q);
  for (const Interval in : intervals.subspan(1)) {
    const Question next = interval(in, v);
    compare_unless(q.condition, next);
    q = next;
  }
  return {.kind = Question::Kind::Flags, .condition = q.condition};
}

Question Select::tree(std::span<const Interval> intervals, Reg v, const std::optional<Ways>& ways) {
  while (intervals.size() > 3) {
    const std::size_t half = intervals.size() / 2;
    a64::Label upper;
    jump_if({.left = v, .k = intervals[half].low, .condition = a64::hs}, &upper);
    const Question q = tree(intervals.first(half), v, ways);
    jump_if(q, ways->in);
    jump(ways->out);
    asm_->Bind(&upper);
    intervals = intervals.subspan(half);
  }
  return chain(intervals, v);
}

Question Select::bits(const SetPlan::Bits& b, std::uint32_t first_table, Reg v, const std::optional<Ways>& ways) {
  constexpr std::uint32_t most_in_register = 64;
  const bool in_register = b.count <= most_in_register;
  const Reg words =
      in_register ? number(b.words[0] | (b.words.size() > 1 ? std::uint64_t{b.words[1]} << 32 : 0)) : table(first_table, b.words);
  Reg index = v;
  if (b.low != 0) {
    index = 4;
    asm_->Sub(a64::w4, w(v), operand(b.low));
  }
  if (!b.whole) jump_if({.left = index, .k = b.count, .condition = a64::hs}, ways->out);
  if (in_register) {
    asm_->Lsr(a64::x4, x(words), x(index));  // by the low six bits
  } else {
    asm_->Lsr(a64::w5, w(index), 5);
    asm_->Ldr(a64::w5, a64::MemOperand(x(words), a64::w5, a64::UXTW, 2));
    asm_->Lsr(a64::w4, a64::w5, w(index));  // by the low five
  }
  return {.kind = Question::Kind::Bits, .left = 4, .k = 1, .condition = a64::ne};
}

Question Select::hashed(const SetPlan::Hash& h, std::uint32_t first_table, Reg v) {
  const bool displaced = h.bucket_bits != 0;
  const Reg multiplier = number(displaced ? h.multiplier : h.multiplier & 0xffffffff);
  pin(multiplier);
  const Reg keys = table(first_table, h.keys);
  pin(keys);
  const Reg displacements = displaced ? table(first_table + 1, packed(h.displacements)) : keys;
  unpin(keys);
  unpin(multiplier);
  Reg key = v;
  if (h.shift != 0) {
    key = 5;
    if (h.raw) asm_->And(a64::w5, w(v), a64::Operand(static_cast<std::int64_t>(swapped(0xffffffffu << h.shift, 4))));
    else asm_->Lsr(a64::w5, w(v), h.shift);
  } else if (displaced && v == length_register) {
    key = 5;
    asm_->Mov(a64::w5, w(v));
  }
  if (!displaced) {
    asm_->Mul(a64::w4, w(key), w(multiplier));
    asm_->Lsr(a64::w4, a64::w4, 32 - h.slot_bits);
  } else {
    a64::UseScratchRegisterScope scratch(asm_.get());
    const a64::Register displacement = scratch.AcquireX();
    asm_->Mul(a64::x4, x(key), x(multiplier));
    asm_->Lsr(displacement, a64::x4, 64 - h.bucket_bits);
    asm_->Ldrh(displacement.W(), a64::MemOperand(x(displacements), displacement, a64::LSL, 1));
    asm_->Eor(a64::x4, displacement, a64::Operand(a64::x4, a64::LSR, 24));
    asm_->And(a64::x4, a64::x4, (std::int64_t{1} << h.slot_bits) - 1);
  }
  asm_->Ldr(a64::w4, a64::MemOperand(x(keys), a64::w4, a64::UXTW, 2));
  return {.left = 4, .right = key};
}

/// Counts the limits up to v by halving; an odd number of them: v lies inside. The place in the table counts: tables begin
/// where a cache line does.
Question Select::search(const SetPlan::Search& s, std::uint32_t first_table, Reg v, const std::optional<Ways>& ways) {
  const Reg limits = table(first_table, s.limits);
  if (s.top_is_out) jump_if({.left = v, .k = 0xffffffff}, ways->out);
  a64::UseScratchRegisterScope scratch(asm_.get());
  const a64::Register further = scratch.AcquireX();
  asm_->Mov(a64::x4, x(limits));
  for (std::size_t step = (s.limits.size() + 1) / 2; step != 0; step /= 2) {
    const auto bytes = static_cast<std::int64_t>(step * 4);
    asm_->Add(further, a64::x4, bytes);
    asm_->Ldr(a64::w5, a64::MemOperand(further, -4));
    asm_->Cmp(a64::w5, w(v));
    asm_->Csel(a64::x4, further, a64::x4, a64::ls);
  }
  return {.kind = Question::Kind::Bits, .left = 4, .k = 4, .condition = a64::ne};
}

// ---- tables ------------------------------------------------------------------------------------------------

/// The address of a table: one, however often it is asked.
Select::Reg Select::table(std::uint32_t number, std::span<const std::uint32_t> words) {
  if (const auto known = held(Held::table(number))) return *known;
  if (tables_.size() <= number) tables_.resize(number + 1);
  Table& t = tables_[number];
  if (t.words.empty()) t.words.assign(words.begin(), words.end());
  const Reg r = take();
  // Where the table lies is not known yet: with_tables() fills it in.
  const std::size_t instructions = reach_ == Reach::Near ? 1 : 4;
  {
    vixl::ExactAssemblyScope exactly(asm_.get(), instructions * a64::kInstructionSize);
    t.uses.push_back(asm_->GetSizeOfCodeGenerated());
    asm_->adr(x(r), std::int64_t{0});
    if (reach_ == Reach::Far) {
      asm_->movz(a64::x4, 0);
      asm_->movk(a64::x4, 0, 16);
      asm_->add(x(r), x(r), a64::x4);
    }
  }
  hold(r, Held::table(number));
  return r;
}

/// The code with the tables that it uses behind it, each at the beginning of a cache line.
std::vector<std::uint8_t> Select::with_tables() {
  const auto* code = asm_->GetBuffer()->GetStartAddress<const std::uint8_t*>();
  std::vector<std::uint8_t> bytes(code, code + asm_->GetSizeOfCodeGenerated());
  const auto patch = [&](std::size_t at, std::uint32_t bits) {
    std::uint32_t instruction;
    std::memcpy(&instruction, bytes.data() + at, sizeof instruction);
    instruction |= bits;
    std::memcpy(bytes.data() + at, &instruction, sizeof instruction);
  };
  for (const Table& t : tables_) {
    if (t.uses.empty()) continue;
    bytes.resize((bytes.size() + cache_line - 1) / cache_line * cache_line);
    for (const std::size_t use : t.uses) {
      const auto distance = static_cast<std::uint32_t>(bytes.size() - use);
      if (reach_ == Reach::Near) {
        patch(use, (distance & 3) << 29 | (distance >> 2 & 0x7ffff) << 5);  // immlo, immhi
      } else {
        patch(use + 4, (distance & 0xffff) << 5);
        patch(use + 8, (distance >> 16) << 5);
      }
    }
    const std::size_t begin = bytes.size();
    bytes.resize(begin + t.words.size() * 4);
    std::memcpy(bytes.data() + begin, t.words.data(), t.words.size() * 4);
  }
  return bytes;
}

Encoded Select::finished() && {
  const std::size_t instructions = asm_->GetSizeOfCodeGenerated();
  return {Cpu::AArch64, with_tables(), instructions, std::move(marks_)};
}

}  // namespace weir::native::aarch64
