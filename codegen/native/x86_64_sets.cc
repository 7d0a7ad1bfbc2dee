#include <algorithm>
#include <cstring>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

bool Select::jumps(const Node& n) {
  const SetPlan& plan = plans_.of(n).plan;
  if (const auto* c = std::get_if<SetPlan::Chain>(&plan.how)) return c->intervals.size() > 1;
  if (const auto* b = std::get_if<SetPlan::Bits>(&plan.how)) return !b->whole;
  if (const auto* s = std::get_if<SetPlan::Search>(&plan.how)) return s->top_is_out;
  return std::holds_alternative<SetPlan::Tree>(plan.how);
}

/// The value that is looked up, as its set wants it.
Select::Register Select::subject(const Node& n) { return wants_raw(plans_.of(n).plan) ? raw(n.a) : value(n.a); }

/// What is asked last is in the flags; ways that are clear before are taken. Registers of the pool change before the
/// first jump only.
Condition Select::ask_member(const Node& n, const std::optional<Ways>& ways) {
  const Register v = subject(n);
  const auto& [plan, number] = plans_.of(n);
  if (const auto* c = std::get_if<SetPlan::Chain>(&plan.how)) return chain(c->intervals, r32(v), ways);
  if (const auto* t = std::get_if<SetPlan::Tree>(&plan.how)) return tree(t->intervals, r32(v), ways);
  if (const auto* b = std::get_if<SetPlan::Bits>(&plan.how)) return bits(*b, number, r32(v), ways);
  if (const auto* h = std::get_if<SetPlan::Hash>(&plan.how)) return hashed(*h, number, v);
  return search(std::get<SetPlan::Search>(plan.how), number, v, ways);
}

/// How far v lies above `low`, into eax.
void Select::distance(const Xbyak::Reg32& v, std::uint32_t low) {
  if (low <= 0x7fffffff) return lea(eax, ptr[v.cvt64() - low]);
  mov(eax, v);
  sub(eax, low);
}

Condition Select::chain(std::span<const Interval> intervals, const Xbyak::Reg32& v, const std::optional<Ways>& ways) {
  if (intervals.empty()) {  // never: v is not below itself
    cmp(v, v);
    return Condition::NotEqual;
  }
  Condition c{};
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    const Interval in = intervals[i];
    if (in.low == in.high) {
      cmp(v, in.low);
      c = Condition::Equal;
    } else if (in.low == 0) {
      cmp(v, in.high);
      c = Condition::BelowEqual;
    } else if (in.high == 0xffffffff) {
      cmp(v, in.low);
      c = Condition::AboveEqual;
    } else {
      distance(v, in.low);
      cmp(eax, in.high - in.low);
      c = Condition::BelowEqual;
    }
    if (i + 1 < intervals.size()) jump_if(c, ways->in);
  }
  return c;
}

Condition Select::tree(std::span<const Interval> intervals, const Xbyak::Reg32& v, const std::optional<Ways>& ways) {
  while (intervals.size() > 3) {
    const std::size_t half = intervals.size() / 2;
    const Label upper = new_label();
    cmp(v, intervals[half].low);
    jump_if(Condition::AboveEqual, upper);
    const Condition c = tree(intervals.first(half), v, ways);
    jump_if(c, ways->in);
    jump(ways->out);
    bind(upper);
    intervals = intervals.subspan(half);
  }
  return chain(intervals, v, ways);
}

Condition Select::bits(const SetPlan::Bits& b, std::uint32_t number, const Xbyak::Reg32& v, const std::optional<Ways>& ways) {
  Xbyak::Reg32 index = v;
  if (b.low != 0) {
    index = eax;
    distance(v, b.low);
  }
  if (!b.whole) {
    cmp(index, b.count);
    jump_if(Condition::AboveEqual, ways->out);
  }
  if (b.count <= 64) {
    mov(rcx, b.words[0] | (b.words.size() > 1 ? std::uint64_t{b.words[1]} << 32 : 0));
    bt(rcx, index.cvt64());
    return Condition::Carry;
  }
  address_of(rdx, table(number, [&] { return b.words; }));
  mov(ecx, index);
  shr(ecx, 5);
  mov(ecx, dword[rdx + rcx * 4]);
  bt(ecx, index);
  return Condition::Carry;
}

Condition Select::hashed(const SetPlan::Hash& h, std::uint32_t number, Register v) {
  Xbyak::Reg32 key = r32(v);
  if (h.shift != 0) {
    key = edx;
    mov(edx, r32(v));
    if (h.raw) and_(edx, swapped(0xffffffffu << h.shift, 4));
    else shr(edx, static_cast<int>(h.shift));
  }
  if (h.bucket_bits == 0) {
    imul(eax, key, static_cast<int>(static_cast<std::uint32_t>(h.multiplier)));
    shr(eax, static_cast<int>(32 - h.slot_bits));
    address_of(rcx, table(number, [&] { return h.keys; }));
    cmp(dword[rcx + rax * 4], key);
    return Condition::Equal;
  }
  const std::size_t keys = (h.displacements.size() + 1) / 2 * 4;  // behind the displacements
  const auto both = [&] {
    std::vector<std::uint32_t> words = packed(h.displacements);
    words.insert(words.end(), h.keys.begin(), h.keys.end());
    return words;
  };
  const Xbyak::Reg64 base = r64(take_beside(v));
  address_of(base, table(number, both));
  mov(rax, h.multiplier);
  imul(rax, key.cvt64());
  mov(rcx, rax);
  shr(rcx, static_cast<int>(64 - h.bucket_bits));
  movzx(ecx, word[base + rcx * 2]);
  shr(rax, 24);
  xor_(eax, ecx);
  and_(eax, (1u << h.slot_bits) - 1);
  cmp(dword[base + rax * 4 + keys], key);
  return Condition::Equal;
}

/// Counts the limits up to v by halving; an odd number of them: v lies inside.
Condition Select::search(const SetPlan::Search& s, std::uint32_t number, Register v, const std::optional<Ways>& ways) {
  const Xbyak::Reg64 base = r64(take_beside(v));
  if (s.top_is_out) {
    cmp(r32(v), 0xffffffff);
    jump_if(Condition::Equal, ways->out);
  }
  address_of(base, table(number, [&] { return s.limits; }));
  xor_(eax, eax);
  for (std::size_t step = (s.limits.size() + 1) / 2; step != 0; step /= 2) {
    lea(ecx, ptr[rax + step]);
    cmp(dword[base + rax * 4 + (step - 1) * 4], r32(v));
    cmovbe(eax, ecx);
  }
  test(eax, 1);
  return Condition::NotEqual;
}

// ---- tables ------------------------------------------------------------------------------------------------

/// All at once: Xbyak writes byte by byte.
void Select::put(std::span<const std::uint32_t> words) {
  while (size_ + words.size_bytes() > maxSize_) growMemory();
  std::memcpy(top_ + size_, words.data(), words.size_bytes());
  size_ += words.size_bytes();
}

/// Behind the code, each at the beginning of a cache line.
void Select::put_tables() {
  constexpr std::size_t cache_line = 64;
  instruction_bytes_ = getSize();
  for (Table& t : tables_) {
    if (t.words.empty()) continue;
    while (getSize() % cache_line != 0) db(0);
    bind(t.label);
    put(t.words);
  }
  put_lane_constants();
}

}  // namespace weir::native::x86_64
