// The code as a whole, and what comes of questions: flags, jumps and verdicts.
#include <bit>
#include <cstddef>

#include "native/aarch64.hpp"

namespace weir::native::aarch64 {

using namespace ir;

namespace {

constexpr std::size_t usual_bytes = 4096;

/// Flags with which a condition holds.
a64::StatusFlags flags_for(a64::Condition c) {
  switch (c) {
    case a64::eq: return a64::ZFlag;
    case a64::hs:
    case a64::hi: return a64::CFlag;
    default: return a64::NoFlag;  // ne, lo, ls
  }
}

}  // namespace

Select::Select(const Program& p, const Plan& plan, std::uint32_t frame, Reach reach, Form form)
    : Selection(p, plan, form),
      ranges_(p),
      plans_(p),
      frame_(frame),
      reach_(reach),
      asm_(std::make_unique<a64::MacroAssembler>(usual_bytes)),
      pool_(machine_, pool_size) {
  for (std::uint32_t h = 0; h < plan.home_count(); ++h)
    if (!home_register(h)) ++next_word_;
  most_words_ = next_word_;
}

void Select::run() {
  reject_ = new_label();
  if (loops()) {
    accept_ = new_label();
    batch();
  } else {
    if (frame_ != 0) asm_->Sub(a64::sp, a64::sp, frame_);
    select_packet();
    bind(reject_);
    return_constant(0);
  }
  asm_->FinalizeCode();
}

// ---- ends -----------------------------------------------------------------------------------------------

void Select::keep(ValueId chosen, std::uint32_t home) {
  const Reg r = value(chosen);
  if (const auto own = home_register(home)) asm_->Mov(w(*own), w(r));
  else asm_->Str(w(r), home_word(home));
}

void Select::return_value(ValueId v) {
  const Reg r = value(v);
  if (loops()) {
    asm_->Cmp(w(r), 0);
    return end_with(a64::ne);
  }
  asm_->Mov(a64::w0, w(r));
  end_function();
}

void Select::return_constant(std::uint32_t k) {
  asm_->Mov(a64::w0, k);
  end_function();
}

void Select::return_if(const Question& q, std::uint32_t k) {
  compare(q);
  if (loops()) return end_with(q.condition);
  asm_->Mov(a64::w4, k);
  asm_->Csel(a64::w0, a64::w4, a64::wzr, q.condition);
  end_function();
}

void Select::end_function() {
  if (frame_ != 0) asm_->Add(a64::sp, a64::sp, frame_);
  asm_->Ret();
}

// ---- flags ----------------------------------------------------------------------------------------------

Select::Label Select::new_label() {
  labels_.emplace_back();
  return Label{static_cast<std::uint32_t>(labels_.size() - 1)};
}

Question Select::opposite(const Question& q) const {
  Question other = q;
  other.condition = a64::InvertCondition(q.condition);
  return other;
}

Question Select::ask_cut(ValueId base, std::uint64_t end) {
  const auto bytes = static_cast<std::int64_t>(end);  // as VIXL's operands are
  if (base == no_value) {
    asm_->Cmp(a64::x1, bytes);
  } else {
    // Summed in 64 bits: without wrap. The upper half of a register with a length is anything.
    const Reg r = value(base);
    if (program_[base].kind == ValueKind::Length) {
      asm_->Mov(a64::w4, w(r));
      asm_->Add(a64::x4, a64::x4, bytes);
    } else {
      asm_->Add(a64::x4, x(r), bytes);
    }
    asm_->Cmp(a64::x1, a64::x4);
  }
  return {.kind = Question::Kind::Flags, .condition = a64::lo};
}

void Select::compare(const Question& q) {
  if (q.kind == Question::Kind::Flags) return;
  const a64::Register left = q.wide ? x(q.left) : w(q.left);
  const a64::Operand right = q.right ? a64::Operand(q.wide ? x(*q.right) : w(*q.right)) : operand(static_cast<std::uint32_t>(q.k));
  if (q.kind == Question::Kind::Bits) asm_->Tst(left, q.right ? right : a64::Operand(static_cast<std::int64_t>(q.k)));
  else asm_->Cmp(left, right);
}

void Select::compare_unless(a64::Condition already, const Question& q) {
  const a64::Condition unless = a64::InvertCondition(already);
  Reg left = q.left;
  a64::Operand right(0);
  if (q.kind == Question::Kind::Bits) {
    asm_->And(a64::w4, w(left), q.right ? a64::Operand(w(*q.right)) : a64::Operand(static_cast<std::int64_t>(q.k)));
    left = 4;
  } else {
    right = q.right ? a64::Operand(w(*q.right)) : a64::Operand(static_cast<std::int64_t>(q.k));
  }
  asm_->Ccmp(w(left), right, flags_for(q.condition), unless);
}

void Select::jump_if(const Question& q, a64::Label* to) {
  const bool is_equality = q.condition == a64::eq || q.condition == a64::ne;
  if (q.kind == Question::Kind::Compare && !q.right && q.k == 0 && is_equality) {
    if (q.condition == a64::eq) asm_->Cbz(w(q.left), to);
    else asm_->Cbnz(w(q.left), to);
  } else if (q.kind == Question::Kind::Bits && !q.right && std::has_single_bit(q.k)) {
    const auto bit = static_cast<unsigned>(std::countr_zero(q.k));
    if (q.condition == a64::eq) asm_->Tbz(w(q.left), bit, to);
    else asm_->Tbnz(w(q.left), bit, to);
  } else {
    compare(q);
    asm_->B(to, q.condition);
  }
}

}  // namespace weir::native::aarch64
