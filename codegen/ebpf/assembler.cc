#include "ebpf/assembler.hpp"

#include <algorithm>
#include <limits>

#include "ebpf/decode.hpp"

namespace weir::ebpf {
namespace {

std::uint8_t size_code(std::uint32_t bytes) {
  switch (bytes) {
    case 1: return op::B;
    case 2: return op::H;
    case 4: return op::W;
    default: return op::DW;
  }
}

std::uint8_t code(int parts) { return static_cast<std::uint8_t>(parts); }
Register number(int r) { return static_cast<Register>(r & 0xf); }

Instruction instruction(int parts, Register dst, Register src, std::int32_t offset, std::uint32_t imm) {
  Instruction i;
  i.code = code(parts);
  i.dst = number(dst) & 0xf;
  i.src = number(src) & 0xf;
  i.offset = static_cast<std::int16_t>(offset);
  i.imm = static_cast<std::int32_t>(imm);
  return i;
}

bool is_near(std::int64_t distance) {
  return distance >= std::numeric_limits<std::int16_t>::min() && distance <= std::numeric_limits<std::int16_t>::max();
}

bool is_short_always(const Instruction& i) { return i.code == (op::JMP | op::JA); }

/// The condition of a jump turned around; nothing where there is no such jump.
std::optional<std::uint8_t> opposite_of(std::uint8_t relation) {
  switch (relation) {
    case op::JEQ: return op::JNE;
    case op::JNE: return op::JEQ;
    case op::JGT: return op::JLE;
    case op::JLE: return op::JGT;
    case op::JGE: return op::JLT;
    case op::JLT: return op::JGE;
    default: return std::nullopt;
  }
}

/// What the kernel makes of an instruction before it translates the program has no more instructions than this (kernel/bpf/verifier.c,
/// convert_ctx_accesses and do_misc_fixups). Short jumps have to reach over it, or it refuses the program.
std::uint32_t grown(const Instruction& i) {
  const std::uint8_t kind = i.code & 7, how = i.code & 0xe0;
  if (kind == op::LD && (how == op::ABS || how == op::IND)) return 7;
  if (i.code == (op::JMP | op::CALL)) return 12;                                       // a lookup in line
  if (kind == op::LDX && (i.src == 1 || i.src == 6)) return 8;                         // perhaps of the context
  const std::uint8_t what = i.code & 0xf0;
  const bool divides = (kind == op::ALU || kind == op::ALU64) && (what == op::DIV || what == op::MOD);
  return divides ? 6 : 1;
}

/// Of a function that needs eight bytes, and of the one that `counted` puts around the program (kernel/bpf/verifier.c,
/// check_max_stack_depth_subprog).
constexpr std::uint32_t stack_of_functions = 2 * 32;

}  // namespace

std::optional<Condition> opposite(const Condition& c) {
  const auto relation = opposite_of(c.relation);
  if (!relation) return std::nullopt;
  Condition other = c;
  other.relation = *relation;
  return other;
}

Label Assembler::label() {
  labels_.push_back(none);
  return Label{static_cast<std::uint32_t>(labels_.size() - 1)};
}

void Assembler::bind(Label l) { labels_[static_cast<std::size_t>(l)] = static_cast<std::uint32_t>(items_.size()); }

Slot Assembler::slot(std::uint32_t bytes) {
  slot_bytes_.push_back((bytes + 7) / 8 * 8);
  return Slot{static_cast<std::uint32_t>(slot_bytes_.size() - 1)};
}

void Assembler::put(Instruction i) {
  Item item;
  item.instruction = i;
  item.span = span_;
  items_.push_back(item);
}

void Assembler::move(Register to, Register from) {
  if (to != from) put(instruction(op::ALU64 | op::MOV | op::X, to, from, 0, 0));
}
void Assembler::move32(Register to, Register from) { put(instruction(op::ALU | op::MOV | op::X, to, from, 0, 0)); }
void Assembler::set(Register to, std::uint32_t k) { put(instruction(op::ALU | op::MOV | op::K, to, 0, 0, k)); }

void Assembler::set64(Register to, std::uint64_t k) {
  put(instruction(op::LD | op::IMM | op::DW, to, 0, 0, static_cast<std::uint32_t>(k)));
  put(instruction(0, 0, 0, 0, static_cast<std::uint32_t>(k >> 32)));
}

void Assembler::set_map(Register to, std::uint32_t map) {
  put(instruction(op::LD | op::IMM | op::DW, to, map_index, 0, map));
  put(instruction(0, 0, 0, 0, 0));
}

void Assembler::set_map_value(Register to, std::uint32_t map) {
  put(instruction(op::LD | op::IMM | op::DW, to, map_value_index, 0, map));
  put(instruction(0, 0, 0, 0, 0));
}

void Assembler::alu32(std::uint8_t what, Register to, Register by) { put(instruction(op::ALU | what | op::X, to, by, 0, 0)); }
void Assembler::alu32(std::uint8_t what, Register to, std::uint32_t k) { put(instruction(op::ALU | what | op::K, to, 0, 0, k)); }
void Assembler::alu64(std::uint8_t what, Register to, Register by) { put(instruction(op::ALU64 | what | op::X, to, by, 0, 0)); }
void Assembler::alu64(std::uint8_t what, Register to, std::int32_t k) {
  put(instruction(op::ALU64 | what | op::K, to, 0, 0, static_cast<std::uint32_t>(k)));
}

/// BPF_TO_BE (op::X), which on a host of that order only cuts to the size.
void Assembler::swap(Register r, std::uint32_t bytes) {
  if (bytes != 1) put(instruction(op::ALU | op::END | op::X, r, 0, 0, bytes * 8));
}

void Assembler::load(Register to, Register from, std::int32_t offset, std::uint32_t bytes) {
  put(instruction(op::LDX | op::MEM | size_code(bytes), to, from, offset, 0));
}
void Assembler::store(Register to, std::int32_t offset, Register from, std::uint32_t bytes) {
  put(instruction(op::STX | op::MEM | size_code(bytes), to, from, offset, 0));
}
void Assembler::load_packet(std::int32_t at, std::uint32_t bytes) {
  put(instruction(op::LD | op::ABS | size_code(bytes), 0, 0, 0, static_cast<std::uint32_t>(at)));
}
void Assembler::load_packet(Register base, std::int32_t at, std::uint32_t bytes) {
  put(instruction(op::LD | op::IND | size_code(bytes), 0, base, 0, static_cast<std::uint32_t>(at)));
}
void Assembler::load_field(Register to, Register structure, KernelField field, std::uint32_t bytes) {
  load(to, structure, 0, bytes);
  items_.back().field = field;
}
void Assembler::add_field(Register to, KernelField field) {
  alu64(op::ADD, to, 0);
  items_.back().field = field;
}
void Assembler::load(Register to, Slot from, std::int32_t offset, std::uint32_t bytes) {
  load(to, stack_pointer, offset, bytes);
  items_.back().slot = from;
}
void Assembler::store(Slot to, std::int32_t offset, Register from, std::uint32_t bytes) {
  store(stack_pointer, offset, from, bytes);
  items_.back().slot = to;
}
void Assembler::address(Register to, Slot of, std::int32_t offset) {
  move(to, stack_pointer);
  alu64(op::ADD, to, offset);
  items_.back().slot = of;
}

void Assembler::call(std::int32_t helper) { put(instruction(op::JMP | op::CALL, 0, 0, 0, static_cast<std::uint32_t>(helper))); }
void Assembler::call(Label function) {
  put(instruction(op::JMP | op::CALL, 0, call_local, 0, 0));
  items_.back().label = static_cast<std::uint32_t>(function);
  most_stack_ = stack_bytes - stack_of_functions;
}
void Assembler::exit() { put(instruction(op::JMP | op::EXIT, 0, 0, 0, 0)); }

void Assembler::jump(Label to) {
  put(instruction(op::JMP | op::JA, 0, 0, 0, 0));
  items_.back().label = static_cast<std::uint32_t>(to);
}

void Assembler::jump(const Condition& when, Label to) {
  const int width = when.wide ? op::JMP : op::JMP32;
  if (when.right) put(instruction(width | when.relation | op::X, when.left, *when.right, 0, 0));
  else put(instruction(width | when.relation | op::K, when.left, 0, 0, when.k));
  items_.back().label = static_cast<std::uint32_t>(to);
}

void Assembler::drop(std::size_t first, std::size_t last) {
  for (std::size_t i = first; i < last; ++i) items_[i].is_dropped = true;
}

void Assembler::drop_unreachable() {
  std::vector<bool> reached(items_.size() + 1);
  reached[0] = true;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (!reached[i]) continue;
    if (items_[i].label != none) reached[labels_[items_[i].label]] = true;
    const bool ends = is_short_always(items_[i].instruction) || items_[i].instruction.code == (op::JMP | op::EXIT);
    if (!ends) reached[i + 1] = true;
  }
  std::vector<std::uint32_t> now(items_.size() + 1);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    now[i] = static_cast<std::uint32_t>(kept);
    if (reached[i] && !items_[i].is_dropped) items_[kept++] = items_[i];
  }
  now[items_.size()] = static_cast<std::uint32_t>(kept);
  items_.resize(kept);
  for (std::uint32_t& l : labels_)
    if (l != none) l = now[l];
}

/// Stores of values that nothing reads any more: what was kept for other ways than those that are there. They are not free, and
/// the kernel's verifier takes time with the square of the places that use the stack. Not at other hooks, where programs without
/// functions use the stack for each load anyway: there the verifier has been seen to go more ways without them, and to give up
/// (`ip6 protochain 6 or ip6 protochain 17`, not optimized).
void Assembler::drop_unread() {
  std::vector<std::size_t> last_read(slot_bytes_.size());  // jumps lead forward: nothing behind it reads the slot
  const auto is_store = [](const Item& i) { return (i.instruction.code & 7) == op::STX; };
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (items_[i].slot != no_slot && !is_store(items_[i])) last_read[static_cast<std::size_t>(items_[i].slot)] = i;
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (items_[i].slot != no_slot && is_store(items_[i])) items_[i].is_dropped = last_read[static_cast<std::size_t>(items_[i].slot)] < i;
}

// ---- places --------------------------------------------------------------------------------------------------

/// Gives each slot bytes that no other uses between its first and its last use. Whether there is room for all.
bool Assembler::place_slots() {
  struct Life {
    std::uint32_t slot = 0, first = none, last = 0, at = 0;
  };
  std::vector<Life> lives(slot_bytes_.size());
  for (std::uint32_t i = 0; i < items_.size(); ++i) {
    if (items_[i].slot == no_slot) continue;
    Life& life = lives[static_cast<std::size_t>(items_[i].slot)];
    life.slot = static_cast<std::uint32_t>(items_[i].slot);
    life.first = std::min(life.first, i);
    life.last = i;
  }
  std::erase_if(lives, [](const Life& l) { return l.first == none; });
  std::sort(lives.begin(), lives.end(), [](const Life& a, const Life& b) { return a.first < b.first; });
  std::vector<std::int32_t> where(slot_bytes_.size());
  std::vector<Life> alive;  // by place
  for (Life& next : lives) {
    std::erase_if(alive, [&](const Life& l) { return l.last < next.first; });
    const std::uint32_t bytes = slot_bytes_[next.slot];
    auto before = alive.begin();
    for (; before != alive.end() && before->at < next.at + bytes; ++before) next.at = before->at + slot_bytes_[before->slot];
    if (next.at + bytes > most_stack_) return false;
    where[next.slot] = -static_cast<std::int32_t>(next.at + bytes);
    alive.insert(before, next);
  }
  for (Item& item : items_) {
    if (item.slot == no_slot) continue;
    const std::int32_t at = where[static_cast<std::size_t>(item.slot)];
    Instruction& i = item.instruction;
    if ((i.code & 7) == op::ALU64) i.imm += at;
    else i.offset = static_cast<std::int16_t>(i.offset + at);
  }
  return true;
}

/// Which jumps are far, and how many instructions each item takes: more than one when it is a far jump with a condition.
Assembler::Layout Assembler::layout(bool hides_constants) const {
  // bpf_jit_blind_insn() in kernel/bpf/core.c: each becomes three at most.
  const std::uint32_t times = hides_constants ? 3 : 1;
  Layout made{std::vector<std::uint32_t>(items_.size(), 1), std::vector<bool>(items_.size())};
  std::vector<std::int64_t> starts(items_.size() + 1);
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < items_.size(); ++i)
      starts[i + 1] = starts[i] + times * (made.lengths[i] + grown(items_[i].instruction) - 1);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Item& item = items_[i];
      if (item.label == none || made.is_far[i] || is_call(item.instruction) ||
          is_near(starts[labels_[item.label]] - starts[i + 1]))
        continue;
      made.is_far[i] = again = true;
      if (!is_short_always(item.instruction)) made.lengths[i] = opposite_of(item.instruction.code & 0xf0) ? 2 : 3;
    }
  }
  return made;
}

Result<void> Assembler::finish(Program& p, bool hides_constants) {
  drop_unreachable();
  if (is_socket(p.hook) || most_stack_ < stack_bytes) {
    drop_unread();
    drop_unreachable();
  }
  if (!place_slots())
    return fail(Code::TooLarge, {}, "the filter needs more stack memory than an eBPF program has", "split it into several filters");
  const auto [sizes, is_far] = layout(hides_constants);
  std::vector<std::uint32_t> starts(items_.size() + 1);
  for (std::size_t i = 0; i < items_.size(); ++i) starts[i + 1] = starts[i] + sizes[i];
  if (starts.back() > max_instructions)
    return fail(Code::TooLarge, {},
                "the filter needs " + std::to_string(starts.back()) + " eBPF instructions, more than the kernel's 1000000",
                "have long lists asked as maps, or split the filter");
  const auto add = [&](Instruction i, Span span) {
    p.instructions.push_back(i);
    p.spans.push_back(span);
  };
  for (std::size_t n = 0; n < items_.size(); ++n) {
    const Item& item = items_[n];
    Instruction i = item.instruction;
    if (item.field) p.fields.push_back({p.instructions.size(), *item.field});
    if (item.label == none) {
      add(i, item.span);
      continue;
    }
    const std::int64_t target = starts[labels_[item.label]], distance = target - starts[n + 1];
    const auto far = [](std::int64_t d) { return instruction(op::JMP32 | op::JA, 0, 0, 0, static_cast<std::uint32_t>(d)); };
    if (is_call(i)) {
      i.imm = static_cast<std::int32_t>(distance);
      add(i, item.span);
    } else if (is_short_always(i) && is_far[n]) {
      add(far(distance), item.span);
    } else if (!is_far[n]) {
      i.offset = static_cast<std::int16_t>(distance);
      add(i, item.span);
    } else {
      const auto relation = opposite_of(i.code & 0xf0);
      if (relation) i.code = static_cast<std::uint8_t>((i.code & 0x0f) | *relation);
      i.offset = 1;
      add(i, item.span);
      if (!relation) add(instruction(op::JMP | op::JA, 0, 0, 1, 0), item.span);
      add(far(distance), item.span);
    }
  }
  return {};
}

}  // namespace weir::ebpf
