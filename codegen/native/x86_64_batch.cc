// A loop over packets around the code of one, which jumps to `accept_` or `reject_`, or ends with the verdict in the flags.
// Verdicts are shifted into a register from above, 64 make a word.
#include <algorithm>
#include <cstddef>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

namespace {

constexpr std::size_t word_bits = 64, cache_line = 64;
constexpr std::int32_t stack_alignment = 32;
/// Headers of so many packets further on are asked for, so that they are there when their turn comes. Lanes take less time, and wait for
/// eight at once; those that ask twice ask at twice that distance, too.
constexpr std::size_t packets_ahead = 12, packets_ahead_of_lanes = 24, packets_ahead_asked_twice = 16;

}  // namespace

void Select::batch() {
  const Label next_word = new_label(), done = new_label();
  packet_ = new_label();
  some_done_ = new_label();
  begin_batch();
  test(rsi, rsi);
  jump_if(Condition::Equal, done);
  bind(next_word);
  begin_word();
  if (lanes_) groups();
  else jump(packet_);
  each_packet();
  bind(some_done_);
  if (lanes_) {
    cmp(cursor, word_end);
    jump_if(Condition::Below, next_group_);
  }
  end_word();
  cmp(cursor, packets_end());
  jump_if(Condition::Below, next_word);
  bind(done);
  end_batch();
}

void Select::begin_batch() {
  for (const auto& r : {rbx, rbp, r12, r13, r14, r15}) push(r);
  mov(rax, rsp);
  sub(rsp, static_cast<std::uint32_t>(batch_stack()));
  and_(rsp, static_cast<std::uint32_t>(-stack_alignment));
  mov(qword[rsp + (frame_ + stack_at)], rax);
  mov(qword[rsp + (frame_ + out_at)], rdx);
  mov(cursor, rdi);
  imul(rax, rsi, static_cast<int>(records_.size));
  add(rax, rdi);
  mov(packets_end(), rax);
  if (lanes_) address_of(lane_constants, lane_constants_at_);
  mov(eax, esi);
  neg(eax);
  and_(eax, word_bits - 1);
  mov(dword[rsp + (frame_ + shift_at)], eax);
}

void Select::end_batch() {
  if (lanes_) vzeroupper();
  mov(rsp, qword[rsp + (frame_ + stack_at)]);
  for (const auto& r : {r15, r14, r13, r12, rbp, rbx}) pop(r);
  ret();
}

/// Packets for one word: 64, or what is left of them.
void Select::begin_word() {
  lea(stop, ptr[cursor + word_bits * records_.size]);
  cmp(stop, packets_end());
  cmova(stop, packets_end());
  // Nothing is asked for behind the last packet.
  const std::size_t packets = !lanes_ ? packets_ahead : asks_twice_ ? packets_ahead_asked_twice : packets_ahead_of_lanes;
  lea(rax, ptr[cursor + (word_bits + (asks_twice_ ? 2 : 1) * packets) * records_.size]);
  xor_(ecx, ecx);
  mov(ahead.cvt32(), static_cast<std::uint32_t>(packets * records_.size));
  cmp(rax, packets_end());
  cmova(ahead, rcx);
}

/// The verdict of one packet, and the next one.
void Select::each_packet() {
  if (const std::size_t over = getSize() % cache_line; over != 0) nop(cache_line - over);  // most packets take a jump to here
  bind(accept_);
  stc();
  rcr(verdicts, 1);
  next_packet();
  jump_if(Condition::Below, packet_);
  jump(some_done_);
  bind(reject_);
  shr(verdicts, 1);
  next_packet();
  jump_if(Condition::AboveEqual, some_done_);
  bind(packet_);
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
  const Label full = new_label();
  cmp(cursor, packets_end());
  jump_if(Condition::Below, full);
  mov(ecx, dword[rsp + (frame_ + shift_at)]);
  shr(verdicts, cl);
  bind(full);
  mov(rax, qword[rsp + (frame_ + out_at)]);
  mov(qword[rax], verdicts);
  add(rax, static_cast<std::uint32_t>(word_bits / 8));
  mov(qword[rsp + (frame_ + out_at)], rax);
}

/// The packet passes when the condition holds.
void Select::end_with(Condition c) {
  switch (c) {
    case Condition::Below: break;
    case Condition::AboveEqual: cmc(); break;
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
  jump_if(Condition::Below, packet_);
  jump(some_done_);
}

}  // namespace weir::native::x86_64
