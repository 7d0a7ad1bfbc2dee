// A loop over packets around the code of one, which jumps to `accept_` or `reject_`, or ends with the verdict in the flags.
// Verdicts are shifted into a register from above, 64 make a word.
#include <cstddef>

#include "native/aarch64.hpp"

namespace weir::native::aarch64 {

namespace {

constexpr std::int64_t word_bits = 64;
/// Headers of so many packets further on are asked for, so that they are there when their turn comes.
constexpr std::int64_t packets_ahead = 12;

/// The packet that is looked at, the verdicts so far (the latest on top), the end of all packets, that of those whose verdicts
/// make a word, how far ahead headers are asked for, where the word is put, and how far the last one is shifted.
const a64::Register cursor = a64::x19, verdicts = a64::x20, packets_end = a64::x21, stop = a64::x22, ahead = a64::x23,
                    out = a64::x24, shift = a64::x25;

}  // namespace

void Select::batch() {
  const Label next_word = new_label(), done = new_label();
  packet_ = new_label();
  some_done_ = new_label();
  begin_batch();
  asm_->Cbz(a64::x1, at(done));
  bind(next_word);
  begin_word();
  jump(packet_);
  each_packet();
  bind(some_done_);
  end_word();
  asm_->B(at(next_word), a64::ne);
  bind(done);
  end_batch();
}

void Select::begin_batch() {
  asm_->Stp(a64::x19, a64::x20, a64::MemOperand(a64::sp, -64, a64::PreIndex));
  asm_->Stp(a64::x21, a64::x22, a64::MemOperand(a64::sp, 16));
  asm_->Stp(a64::x23, a64::x24, a64::MemOperand(a64::sp, 32));
  asm_->Str(a64::x25, a64::MemOperand(a64::sp, 48));
  if (frame_ != 0) asm_->Sub(a64::sp, a64::sp, frame_);
  asm_->Mov(cursor, a64::x0);
  asm_->Mov(a64::x4, records_.size);
  asm_->Madd(packets_end, a64::x1, a64::x4, a64::x0);
  asm_->Mov(out, a64::x2);
  asm_->Neg(shift, a64::x1);
}

void Select::end_batch() {
  if (frame_ != 0) asm_->Add(a64::sp, a64::sp, frame_);
  asm_->Ldr(a64::x25, a64::MemOperand(a64::sp, 48));
  asm_->Ldp(a64::x23, a64::x24, a64::MemOperand(a64::sp, 32));
  asm_->Ldp(a64::x21, a64::x22, a64::MemOperand(a64::sp, 16));
  asm_->Ldp(a64::x19, a64::x20, a64::MemOperand(a64::sp, 64, a64::PostIndex));
  asm_->Ret();
}

/// Packets for one word: 64, or what is left of them.
void Select::begin_word() {
  const auto size = static_cast<std::int64_t>(records_.size);
  asm_->Add(stop, cursor, word_bits * size);
  asm_->Cmp(stop, packets_end);
  asm_->Csel(stop, stop, packets_end, a64::lo);
  // Nothing is asked for behind the last packet.
  asm_->Add(a64::x4, cursor, (word_bits + packets_ahead) * size);
  asm_->Mov(a64::x5, static_cast<std::uint64_t>(packets_ahead * size));
  asm_->Cmp(a64::x4, packets_end);
  asm_->Csel(ahead, a64::x5, a64::xzr, a64::ls);
}

/// The verdict of one packet, and the next one.
void Select::each_packet() {
  bind(accept_);
  asm_->Mov(a64::x4, 1);
  asm_->Extr(verdicts, a64::x4, verdicts, 1);
  next_packet();
  bind(reject_);
  asm_->Lsr(verdicts, verdicts, 1);
  asm_->Add(cursor, cursor, static_cast<std::int64_t>(records_.size));
  asm_->Cmp(cursor, stop);
  asm_->B(at(some_done_), a64::hs);
  bind(packet_);
  static_assert(records_of(Form::Packets).bytes == 0 && records_of(Form::Views).bytes == 0);
  asm_->Ldr(a64::x4, a64::MemOperand(cursor, ahead));
  asm_->Prfm(a64::PLDL1KEEP, a64::MemOperand(a64::x4));
  if (records_.captured_size == sizeof(std::uint64_t)) {
    asm_->Ldp(a64::x0, a64::x1, a64::MemOperand(cursor));
  } else {
    asm_->Ldr(a64::x0, a64::MemOperand(cursor));
    asm_->Ldr(a64::w1, a64::MemOperand(cursor, static_cast<std::int64_t>(records_.captured)));
  }
  if (plan_.needs_length()) asm_->Ldr(a64::w2, a64::MemOperand(cursor, static_cast<std::int64_t>(records_.length)));
  if (plan_.needs_metadata()) asm_->Add(a64::x3, cursor, static_cast<std::int64_t>(records_.meta));
  select_packet();
}

void Select::next_packet() {
  asm_->Add(cursor, cursor, static_cast<std::int64_t>(records_.size));
  asm_->Cmp(cursor, stop);
  asm_->B(at(packet_), a64::lo);
  jump(some_done_);
}

/// Leaves in the flags whether all packets are done.
void Select::end_word() {
  asm_->Cmp(cursor, packets_end);
  asm_->Csel(a64::x4, shift, a64::xzr, a64::eq);  // of which the low six bits count
  asm_->Lsr(verdicts, verdicts, a64::x4);
  asm_->Str(verdicts, a64::MemOperand(out, word_bits / 8, a64::PostIndex));
}

/// The packet passes when the condition holds.
void Select::end_with(a64::Condition c) {
  asm_->Cset(a64::x4, c);
  asm_->Extr(verdicts, a64::x4, verdicts, 1);
  next_packet();  // once more: one jump a packet instead of two
}

}  // namespace weir::native::aarch64
