// The code as a whole, and what comes of flags: jumps and verdicts.
#include <cstdlib>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

using namespace ir;

namespace {

constexpr std::size_t first_bytes = 16u << 10;  ///< enough for most filters
constexpr std::size_t pool_size = 4;
constexpr std::size_t nowhere = ~std::size_t{0};  ///< of a label that is not bound yet

/// Code is written where it never runs: Xbyak's own memory is whole pages, whose protection it changes back and forth.
class Heap : public Xbyak::Allocator {
 public:
  std::uint8_t* alloc(std::size_t size) override { return static_cast<std::uint8_t*>(std::malloc(size)); }
  void free(std::uint8_t* p) override { std::free(p); }
  bool useProtect() const override { return false; }
};

Xbyak::Allocator* heap() {
  static Heap only;  // it has no state
  return &only;
}

}  // namespace

Select::Select(const Program& p, const Plan& plan, std::uint32_t frame, Form form, Vectors vectors)
    : Xbyak::CodeGenerator(first_bytes, Xbyak::AutoGrow, heap()),
      Selection(p, plan, form),
      ranges_(p),
      plans_(p),
      frame_(frame),
      pool_(machine_, pool_size) {
  setDefaultJmpNEAR(true);
  next_word_ = plan.home_count();
  most_words_ = next_word_;
  if (loops()) {  // which has the packet at hand
    if (vectors == Vectors::Avx2) make_lanes();
    return;
  }
  if (plan.needs_metadata()) {
    next_word_ += next_word_ % 2;  // a pointer takes two
    metadata_word_ = next_word_;
    next_word_ += 2;
  }
  if (plan.needs_length()) length_word_ = next_word_++;
  most_words_ = next_word_;
}

void Select::run() {
  reject_ = new_label();
  if (loops()) {
    accept_ = new_label();
    batch();
  } else {
    if (frame_ != 0) sub(rsp, frame_);
    if (plan_.needs_length()) mov(dword[stack_word(length_word_)], edx);
    if (plan_.needs_metadata()) mov(qword[stack_word(metadata_word_)], rcx);
    select_packet();
    bind(reject_);
    return_constant(0);
  }
  put_tables();
  if (!too_long()) fill_in_references();
}

// ---- ends -----------------------------------------------------------------------------------------------

void Select::keep(ValueId chosen, std::uint32_t home) {
  const Register r = value(chosen);
  mov(dword[stack_word(home)], r32(r));
}

void Select::return_value(ValueId v) {
  const Register r = value(v);
  if (loops()) {
    test(r32(r), r32(r));
    return end_with(Condition::NotEqual);
  }
  mov(eax, r32(r));
  end_function();
}

void Select::return_constant(std::uint32_t k) {
  if (k == 0) xor_(eax, eax);
  else mov(eax, k);
  end_function();
}

void Select::return_if(const Condition& c, std::uint32_t k) {
  if (loops()) return end_with(c);
  mov(edx, k);  // keeps the flags, which xor would not
  mov(eax, 0);
  move_if(c, eax, edx);
  end_function();
}

void Select::end_function() {
  if (frame_ != 0) add(rsp, frame_);
  ret();
}

// ---- jumps ----------------------------------------------------------------------------------------------

Select::Label Select::new_label() {
  places_.push_back(nowhere);
  return Label{static_cast<std::uint32_t>(places_.size() - 1)};
}

void Select::jump(Label to) {
  if (const auto back = short_way_back(to)) {
    db(0xeb);
    return db(static_cast<int>(*back));
  }
  db(0xe9);
  refer(to);
}

void Select::jump_if(const Condition& c, Label to) {
  const int condition = static_cast<int>(c);
  if (const auto back = short_way_back(to)) {
    db(0x70 | condition);
    return db(static_cast<int>(*back));
  }
  db(0x0f);
  db(0x80 | condition);
  refer(to);
}

/// From behind a jump of two bytes, which reaches 128 bytes back. How far it is to what comes later is not known in time.
std::optional<std::int64_t> Select::short_way_back(Label to) const {
  const std::size_t place = places_[index(to)];
  if (place == nowhere) return std::nullopt;
  const std::int64_t way = static_cast<std::int64_t>(place) - static_cast<std::int64_t>(getSize() + 2);
  return way >= -128 ? std::optional(way) : std::nullopt;
}

void Select::refer(Label to) {
  dd(0);
  references_.push_back({to, getSize()});
}

void Select::address_of(const Xbyak::Reg64& r, Label to) {
  lea(r, ptr[rip]);
  references_.push_back({to, getSize()});
}

void Select::fill_in_references() {
  for (const Reference& r : references_) {
    const std::size_t place = places_[index(r.to)];
    if (place == nowhere) throw Xbyak::Error(Xbyak::ERR_LABEL_IS_NOT_FOUND);
    rewrite(r.end - sizeof(std::uint32_t), place - r.end, sizeof(std::uint32_t));
  }
}

// ---- flags ----------------------------------------------------------------------------------------------

Condition Select::ask_cut(ValueId base, std::uint64_t end) {
  if (base != no_value) {
    const Xbyak::RegExp past = address(base, end, {});
    lea(rax, ptr[past]);
    cmp(rsi, rax);
  } else if (end <= 0x7fffffff) {
    cmp(rsi, static_cast<std::uint32_t>(end));
  } else {
    mov(rax, end);
    cmp(rsi, rax);
  }
  return Condition::Below;
}

Condition Select::ask_zero(ValueId v) {
  const Register r = value(v);
  test(r32(r), r32(r));
  return Condition::Equal;
}

void Select::set(Condition c, const Xbyak::Reg8& to) {
  switch (c) {
    case Condition::Equal: return sete(to);
    case Condition::NotEqual: return setne(to);
    case Condition::Below: return setb(to);
    case Condition::AboveEqual: return setae(to);
    case Condition::BelowEqual: return setbe(to);
    case Condition::Above: return seta(to);
  }
}

void Select::move_if(Condition c, const Xbyak::Reg32& to, const Xbyak::Reg32& from) {
  switch (c) {
    case Condition::Equal: return cmove(to, from);
    case Condition::NotEqual: return cmovne(to, from);
    case Condition::Below: return cmovb(to, from);
    case Condition::AboveEqual: return cmovae(to, from);
    case Condition::BelowEqual: return cmovbe(to, from);
    case Condition::Above: return cmova(to, from);
  }
}

}  // namespace weir::native::x86_64
