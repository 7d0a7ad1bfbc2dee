// A loop over packets around the code of one, which jumps to `accept_` or `reject_`, or ends with the verdict in the flags. Verdicts are shifted into a register from above, 64 make a word.
#include <algorithm>
#include <cstddef>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

namespace {

constexpr std::size_t word_bits = 64, cache_line = 64;
/// Headers of so many packets further on are asked for, so that they are there when their turn comes.
constexpr std::size_t packets_ahead = 12;

/// What the code has on the stack above the frame: where the next word goes, and how far the last one is shifted.
constexpr std::size_t out_at = 0, shift_at = 8, own_stack = 16;

}  // namespace

void Select::batch() {
  Xbyak::Label next_word, done;
  begin_batch();
  test(rsi, rsi);
  jz(done);
  L(next_word);
  begin_word();
  jmp(packet_);
  each_packet();
  L(some_done_);
  end_word();
  cmp(cursor, packets_end);
  jb(next_word);
  L(done);
  end_batch();
}

void Select::begin_batch() {
  for (const auto& r : {rbx, rbp, r12, r13, r15}) push(r);
  sub(rsp, static_cast<std::uint32_t>(own_stack + frame_));
  mov(qword[rsp + (frame_ + out_at)], rdx);
  mov(cursor, rdi);
  imul(packets_end, rsi, static_cast<int>(records_.size));
  add(packets_end, rdi);
  mov(eax, esi);
  neg(eax);
  and_(eax, word_bits - 1);
  mov(dword[rsp + (frame_ + shift_at)], eax);
}

void Select::end_batch() {
  add(rsp, static_cast<std::uint32_t>(own_stack + frame_));
  for (const auto& r : {r15, r13, r12, rbp, rbx}) pop(r);
  ret();
}

/// Packets for one word: 64, or what is left of them.
void Select::begin_word() {
  lea(stop, ptr[cursor + word_bits * records_.size]);
  cmp(stop, packets_end);
  cmova(stop, packets_end);
  // Nothing is asked for behind the last packet.
  lea(rax, ptr[cursor + (word_bits + packets_ahead) * records_.size]);
  xor_(ecx, ecx);
  mov(ahead.cvt32(), static_cast<std::uint32_t>(packets_ahead * records_.size));
  cmp(rax, packets_end);
  cmova(ahead, rcx);
}

/// The verdict of one packet, and the next one.
void Select::each_packet() {
  align(cache_line);  // most packets take a jump to here
  bind(accept_);
  stc();
  rcr(verdicts, 1);
  next_packet();
  jb(packet_);
  jmp(some_done_);
  bind(reject_);
  shr(verdicts, 1);
  next_packet();
  jae(some_done_);
  L(packet_);
  mov(rax, qword[cursor + ahead + records_.bytes]);
  prefetcht0(ptr[rax]);
  mov(rdi, qword[cursor + records_.bytes]);
  if (records_.captured_size == sizeof(std::uint32_t)) mov(esi, dword[cursor + records_.captured]);
  else mov(rsi, qword[cursor + records_.captured]);
  select_packet();
}

void Select::next_packet() {
  add(cursor, static_cast<std::uint32_t>(records_.size));
  cmp(cursor, stop);
}

void Select::end_word() {
  Xbyak::Label full;
  cmp(cursor, packets_end);
  jb(full);
  mov(ecx, dword[rsp + (frame_ + shift_at)]);
  shr(verdicts, cl);
  L(full);
  mov(rax, qword[rsp + (frame_ + out_at)]);
  mov(qword[rax], verdicts);
  add(rax, static_cast<std::uint32_t>(word_bits / 8));
  mov(qword[rsp + (frame_ + out_at)], rax);
}

/// The packet passes when the condition holds.
void Select::end_with(Condition c) {
  switch (c) {
    case Condition::Below:
    case Condition::Carry: break;
    case Condition::AboveEqual:
    case Condition::NotCarry: cmc(); break;
    case Condition::Equal:
    case Condition::NotEqual:
    case Condition::BelowEqual:
    case Condition::Above:
      set(c, al);
      neg(al);  // the carry says whether it was 1
      break;
  }
  // The end of the loop once more: one jump a packet instead of two.
  rcr(verdicts, 1);
  next_packet();
  jb(packet_);
  jmp(some_done_);
}

}  // namespace weir::native::x86_64
