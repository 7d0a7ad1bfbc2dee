#include <algorithm>
#include <bit>
#include <utility>

#include "cbpf/opcodes.hpp"
#include "cbpf/select.hpp"
#include "ir/order.hpp"

namespace weir::cbpf {

using namespace ir;

namespace {

constexpr std::uint32_t max_offset = max_captured;  // the kernel takes higher offsets as negative

std::uint16_t alu_code(Arith a) {
  switch (a) {
    case Arith::Add: return op::ALU | op::ADD;
    case Arith::Sub: return op::ALU | op::SUB;
    case Arith::Mul: return op::ALU | op::MUL;
    case Arith::Div: return op::ALU | op::DIV;
    case Arith::Mod: return op::ALU | op::MOD;
    case Arith::And: return op::ALU | op::AND;
    case Arith::Or: return op::ALU | op::OR;
    case Arith::Xor: return op::ALU | op::XOR;
    case Arith::Lsh: return op::ALU | op::LSH;
    case Arith::Rsh: return op::ALU | op::RSH;
  }
  return 0;
}

bool commutes(Arith a) {
  return a == Arith::Add || a == Arith::Mul || a == Arith::And || a == Arith::Or || a == Arith::Xor;
}

/// Instructions to compute a value, up to a bound; choices count as dear. `cost`: those of the values before it.
unsigned cost_of(const ir::Program& p, const Value& v, const Column<unsigned>& cost) {
  constexpr unsigned dear = 100;
  switch (v.kind) {
    case ValueKind::Constant:
    case ValueKind::Length:
    case ValueKind::Meta: return 1;
    case ValueKind::Load: return v.a == no_value ? 1 : 2;  // a base that costs more is kept itself
    case ValueKind::Negate: return std::min(dear, 1 + cost[v.a]);
    case ValueKind::Binary: return std::min(dear, cost[v.a] + (constant_of(p, v.b) ? 1 : 3 + cost[v.b]));
    case ValueKind::Choice: return dear;
  }
  return dear;
}

/// Scratch words by the order in which they are written first, without gaps.
void number_scratch(std::vector<Block::Line>& lines) {
  std::array<std::uint32_t, scratch_words> numbers;
  numbers.fill(scratch_words);
  std::uint32_t next = 0;
  for (Block::Line& line : lines) {
    if (line.code != op::ST && line.code != (op::LD | op::MEM) && line.code != (op::LDX | op::MEM)) continue;
    std::uint32_t& number = numbers[line.k];
    if (number == scratch_words) number = next++;
    line.k = number;
  }
}

/// From a place that a choice gives, which may have to be fetched into X again.
bool is_load_from_choice(const ir::Program& p, const Value& v) {
  return v.kind == ValueKind::Load && v.a != no_value && p[v.a].kind == ValueKind::Choice;
}

/// Of loads from places that choices give, those that are asked for inside of choices and outside of them, too: what a header says of the
/// next one, and where that begins.
std::uint64_t links(const ir::Program& p, const Keep& keep) {
  const Flags in_choice = nodes_in_choices(p);
  std::uint64_t inside = 0, outside = 0;
  for (std::uint32_t i = 0; i < p.node_count(); ++i)
    if (const Node& n = p[NodeId{i}]; n.forks()) (in_choice[i] ? inside : outside) |= keep.bit(n.a) & keep.alternating;
  return inside & outside;
}

}  // namespace

Keep costly_values(const ir::Program& p) {
  Keep keep;
  std::uint64_t next = 1;  // 0 when all bits are taken
  const auto give_bit = [&](std::uint32_t value) {
    keep.bits.grow(p.value_count());
    return keep.bits[value] = std::exchange(next, next << 1);
  };
  const auto count = static_cast<std::uint32_t>(p.value_count());
  for (std::uint32_t i = 0; p.has_choices() && i < count && next != 0; ++i)
    if (p[ValueId{i}].kind == ValueKind::Choice) keep.kept |= give_bit(i);
  Column<unsigned> cost(count, 1);
  for (std::uint32_t i = 0; i < count && next != 0; ++i) {
    const Value& v = p[ValueId{i}];
    cost[i] = cost_of(p, v, cost);
    if (cost[i] >= 3 && v.kind != ValueKind::Choice) give_bit(i);
  }
  for (std::uint32_t i = 0; p.has_choices() && i < count && next != 0; ++i)
    if (is_load_from_choice(p, p[ValueId{i}])) keep.alternating |= give_bit(i);
  constexpr int several = 3;
  if (keep.alternating && std::popcount(links(p, keep)) >= several) keep.kept |= keep.alternating;
  return keep;
}

void Select::to_a(ValueId v) {
  if (machine_.a == v) return;
  if (machine_.x == v) {
    put(op::MISC | op::TXA);
  } else if (!fetch(v, op::LD | op::MEM)) {
    compute(v);
    remember(v);
  }
  machine_.a = v;
}

void Select::to_x(ValueId v) {
  if (machine_.x == v) return;
  if (fetch(v, op::LDX | op::MEM)) {
    machine_.x = v;
    return;
  }
  if (const auto k = constant_of(program_, v)) {
    put(op::LDX | op::IMM, *k);
  } else if (program_[v].kind == ValueKind::Length) {
    put(op::LDX | op::W | op::LEN);
  } else if (const auto at = header_length_at(v)) {
    put(op::LDX | op::B | op::MSH, *at);
  } else {
    to_a(v);
    put(op::MISC | op::TAX);
  }
  machine_.x = v;
}

void Select::compute(ValueId id) {
  const Value v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant: return put(op::LD | op::IMM, v.k);
    case ValueKind::Length: return put(op::LD | op::W | op::LEN);
    case ValueKind::Meta: {
      const MetadataRow& row = *metadata(meta_offset + v.detail);  // every weir::Meta is an offset of the table
      return put(static_cast<std::uint16_t>(op::LD | op::ABS | row.size), row.offset);
    }
    case ValueKind::Load: return load(v);
    case ValueKind::Negate: to_a(v.a); return put(op::ALU | op::NEG);
    case ValueKind::Binary: return binary(id, v);
    case ValueKind::Choice: return choose(id, v.root());
  }
}

// ---- loads ---------------------------------------------------------------------------------------------

/// The kernel adds without carry and takes sums of 2^31 and more as metadata or negative: where ranges do not exclude
/// that, it is checked before.
void Select::load(const Value& v) {
  const std::uint16_t size = size_code(v.size());
  if (v.k > max_offset - v.size()) return reject();
  if (v.a == no_value) return put(static_cast<std::uint16_t>(op::LD | op::ABS | size), v.k);
  const std::uint32_t most = max_offset - v.size() - v.k;
  if (ranges_.of(v.a).high > most) {
    to_a(v.a);
    reject_unless_at_most(most);
  }
  to_x(v.a);
  put(static_cast<std::uint16_t>(op::LD | op::IND | size), v.k);
}

/// 4 * ([k] & 0xf), the length of an IPv4 header, is one instruction: the offset k.
std::optional<std::uint32_t> Select::header_length_at(ValueId id) const {
  const Value& v = program_[id];
  if (v.kind != ValueKind::Binary || v.arith() != Arith::Lsh || constant_of(program_, v.b) != 2u) return std::nullopt;
  const Value& words = program_[v.a];
  if (words.kind != ValueKind::Binary || words.arith() != Arith::And || constant_of(program_, words.b) != 0xfu) return std::nullopt;
  const Value& byte = program_[words.a];
  if (byte.kind != ValueKind::Load || byte.size() != 1 || byte.a != no_value || byte.k > max_offset - 1) return std::nullopt;
  return byte.k;
}

// ---- arithmetic ------------------------------------------------------------------------------------------

void Select::binary(ValueId id, const Value& v) {
  if (const auto k = constant_of(program_, v.b); k && !(v.arith() >= Arith::Lsh && *k > 31)) {
    to_a(v.a);
    return with_constant(v.arith(), *k);
  }
  const bool may_pass_31 = (v.arith() == Arith::Lsh || v.arith() == Arith::Rsh) && ranges_.of(v.b).high > 31;
  if (may_pass_31) return shift(id, v);
  if (commutes(v.arith()) && trouble(v.b, v.a) < trouble(v.a, v.b))
    operands(v.b, v.a);
  else
    operands(v.a, v.b);
  put(alu_code(v.arith()) | op::X);
}

void Select::with_constant(Arith a, std::uint32_t k) {
  if (a == Arith::Add && k > max_offset) return put(op::ALU | op::SUB, 0u - k);  // reads better: - 4 instead of + 4294967292
  put(alu_code(a), k);
}

/// The kernel shifts by the low five bits only: 32 and more must give 0. The left side is evaluated in any case,
/// since its loads may reject.
void Select::shift(ValueId id, const Value& v) {
  to_a(v.a);
  const std::uint32_t left = hold();
  to_a(v.b);
  Entry in_range{blocks_.add(), {}, false}, beyond{blocks_.add(), {}, false}, join{blocks_.add(), {}, false};
  jump(op::JMP | op::JGE, 32, beyond, in_range);
  begin(in_range);
  to_x(v.b);
  put(op::LD | op::MEM, left);
  put(alu_code(v.arith()) | op::X);
  machine_.a = id;
  go_to(join);
  begin(beyond);
  put(op::LD | op::IMM, 0);
  machine_.a = id;
  go_to(join);
  begin(join);
  release(left);
}

void Select::operands(ValueId a, ValueId b) {
  // Each first step may push out of scratch memory what made the second one easy, so that is asked again.
  if (straight_to_x(b) && !(machine_.x == b && spares_x(a))) {
    to_a(a);
    if (straight_to_x(b)) return to_x(b);
  } else if (spares_x(a)) {
    to_x(b);
    if (spares_x(a)) return to_a(a);
  }
  // The side that needs more scratch words goes first, so that few are held at a time (Sethi and Ullman 1970).
  const bool left_first = need(a) >= need(b);
  to_a(left_first ? a : b);
  const std::uint32_t first = hold();
  to_a(left_first ? b : a);
  if (left_first) {
    put(op::MISC | op::TAX);
    put(op::LD | op::MEM, first);
  } else {
    put(op::LDX | op::MEM, first);
  }
  machine_.a = a;
  machine_.x = b;
  release(first);
}

/// How much it takes to get a and b into A and X: 0 where b is there already, 3 where one must be held in between.
unsigned Select::trouble(ValueId a, ValueId b) const {
  if (machine_.x == b && spares_x(a)) return 0;
  if (straight_to_x(b)) return 1;
  return spares_x(a) ? 2 : 3;
}

/// Computed into A without touching X.
bool Select::spares_x(ValueId id) const {
  if (machine_.find(id) < scratch_words) return true;
  const Value& v = program_[id];
  switch (v.kind) {
    case ValueKind::Constant:
    case ValueKind::Length:
    case ValueKind::Meta: return true;
    case ValueKind::Load: return v.a == no_value || v.a == machine_.x;
    case ValueKind::Negate: return spares_x(v.a);
    case ValueKind::Binary: {
      const auto k = constant_of(program_, v.b);
      return k && !(v.arith() >= Arith::Lsh && *k > 31) && spares_x(v.a);
    }
    case ValueKind::Choice: return false;
  }
  return false;
}

/// Put into X without touching A.
bool Select::straight_to_x(ValueId v) const {
  return machine_.find(v) < scratch_words || constant_of(program_, v) || program_[v].kind == ValueKind::Length ||
         header_length_at(v).has_value();
}

/// Scratch words that an expression needs at least.
unsigned Select::need(ValueId id) {
  needs_.grow(program_.value_count());
  if (needs_[id] != 0) return needs_[id];
  const Value& v = program_[id];
  unsigned n = 1;
  if (v.kind == ValueKind::Choice) n = 2;
  if (v.kind != ValueKind::Choice && v.a != no_value) n = need(v.a);
  if (v.kind == ValueKind::Binary && !constant_of(program_, v.b)) {
    const unsigned right = need(v.b);
    n = n == right ? n + 1 : std::max(n, right);
  }
  needs_[id] = n;
  return n;
}

// ---- scratch memory ----------------------------------------------------------------------------------------

/// Loads the value from scratch memory if it is there.
bool Select::fetch(ValueId v, std::uint16_t code) {
  const std::uint32_t word = machine_.find(v);
  if (word == scratch_words) return false;
  put(code, word);
  fetched_ |= keep_.bit(v);
  return true;
}

/// A has just been computed: keeps it when that is worth it, and notes when it was not the first time.
void Select::remember(ValueId v) {
  const std::uint64_t bit = keep_.bit(v);
  if (bit == 0) return;
  missed_ |= machine_.computed & bit;
  machine_.computed |= bit;
  if (!(keep_.kept & bit)) return;
  const std::uint32_t word = free_word();
  if (word == scratch_words) return;
  put(op::ST, word);
  if (!too_long_) stores_.push_back({static_cast<std::uint32_t>(blocks_.lines.size() - 1), bit});
  machine_.store(word, v);
}

void Select::drop_stores(Blocks& code) const {
  if (std::ranges::none_of(stores_, [&](const Store& s) { return !(s.bit & fetched_); })) return;
  std::uint32_t end = 0;  // of the lines that are left
  auto store = stores_.begin();
  for (const BlockId id : code.order) {
    Block& b = code[id];
    const std::uint32_t first = std::exchange(b.first_line, end), behind = first + std::exchange(b.line_count, 0);
    for (std::uint32_t i = first; i < behind; ++i) {
      const bool is_store = store != stores_.end() && store->line == i;
      if (is_store && !((store++)->bit & fetched_)) continue;
      code.lines[end++] = code.lines[i];
      ++b.line_count;
    }
  }
  code.lines.resize(end);
  number_scratch(code.lines);
}

/// An empty scratch word, or one whose value can be computed again; scratch_words when all hold parts of an expression.
std::uint32_t Select::free_word() {
  for (std::uint32_t i = 0; i < scratch_words; ++i)
    if (machine_.scratch(i) == no_value && !(pinned_ >> i & 1)) return i;
  for (std::uint32_t tried = 0; tried < scratch_words; ++tried) {
    next_word_ = (next_word_ + 1) % scratch_words;
    if (!(pinned_ >> next_word_ & 1)) return next_word_;
  }
  return scratch_words;
}

/// Stores A until `release`.
std::uint32_t Select::hold() {
  const std::uint32_t word = free_word();
  if (word == scratch_words) {
    out_of_scratch_ = true;
    return 0;
  }
  put(op::ST, word);
  machine_.store(word, machine_.a);
  pinned_ |= 1u << word;
  return word;
}

}  // namespace weir::cbpf
