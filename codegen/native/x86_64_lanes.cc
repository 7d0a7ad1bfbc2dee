// Eight packets of a loop at once, with AVX2. What is looked at at a place of each packet's own is loaded one by one: with
// instructions that gather, `tcp port 80` takes 2.9 ns a packet instead of 2.3 (Zen 3).
//
// Registers: ymm0 to ymm10 hold lanes (lane_places.hpp), ymm11 to ymm15 are for use within one step.
#include <algorithm>
#include <cstddef>

#include "native/x86_64.hpp"

namespace weir::native::x86_64 {

namespace {

constexpr std::uint32_t width = 8, vector_size = 32, window_bytes = 16;
const Xbyak::Ymm row0(11), row1(12), row2(13), row3(14), spare(15);
/// Where the packets of a group are. A table is looked into through the last of them.
const Xbyak::Reg64 packets[width] = {Xbyak::Reg64(7),  Xbyak::Reg64(6),  Xbyak::Reg64(8), Xbyak::Reg64(9),
                                     Xbyak::Reg64(10), Xbyak::Reg64(11), Xbyak::Reg64(2), Xbyak::Reg64(1)};

}  // namespace

/// With them, few packets come to the code of one.
void Select::make_lanes() {
  SetPlans small(program_, Tables::Small);
  lanes_ = lanes_of(program_, plan_, small);
  if (!lanes_) return;
  lane_places_ = place_lanes(*lanes_, lane_registers);
  plans_ = std::move(small);
  next_group_ = new_label();
  lane_constants_at_ = new_label();
  for (const std::uint32_t k : lane_places_.constants) lane_constants_.push_back({k, k, k, k, k, k, k, k});
  is_rare_ = true;
  asks_twice_ = lanes_->last_byte - lanes_->first_byte >= window_bytes;
}

/// Groups of packets as long as there are whole ones for a word; then the rest of them, one by one.
void Select::groups() {
  const Label whole = new_label();
  mov(word_end, stop);
  bind(next_group_);
  lea(stop, ptr[cursor + width * records_.size]);
  cmp(stop, word_end);
  jump_if(Condition::BelowEqual, whole);
  mov(stop, word_end);
  jump(packet_);
  bind(whole);
  for (std::uint32_t i = 0; i < width; ++i) mov(packets[i], qword[cursor + (i * records_.size + records_.bytes)]);
  for (std::size_t i = 0; i < lanes_->size(); ++i) {
    ask_ahead(i * width / lanes_->size(), (i + 1) * width / lanes_->size());
    lane_step((*lanes_)[static_cast<LaneId>(i)], lane_places_.steps[i]);
  }
  vmovmskps(eax, in_register(lane_places_.verdict, spare));
  shl(rax, 64 - width);
  shr(verdicts, width);
  or_(verdicts, rax);
  mov(cursor, stop);
  cmp(cursor, word_end);
  jump_if(Condition::Below, next_group_);
  jump(some_done_);
}

/// Both lines of packets that what is looked at may lie in. Between steps, not of all packets of a group at once: a CPU waits for so many
/// lines only at a time, and forgets what else it is asked for. Hence twice, far ahead and nearer, where most packets take two
/// lines: from memory, three ports take 1.01 times what branch-free C does instead of 1.12. Of one window, mostly in one line,
/// once is enough and costs less: `ip6 and udp port 53` takes 0.97 times that C instead of 1.16 where packets are in the cache.
void Select::ask_ahead(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    if (asks_twice_) ask_for(cursor + ahead * 2, i);
    ask_for(cursor + ahead, i);
  }
}

void Select::ask_for(const Xbyak::RegExp& group, std::size_t packet) {
  const std::uint32_t first = lanes_->first_byte, last = lanes_->last_byte;
  mov(rax, qword[group + (packet * records_.size + records_.bytes)]);
  prefetcht0(ptr[rax + first]);
  if (last > first + 3) prefetcht0(ptr[rax + last]);
}

/// A field of 32 bits of each record.
void Select::of_records(std::size_t field, const Xbyak::Ymm& to) {
  for (const std::uint32_t half : {0u, 1u}) {
    const Xbyak::Xmm four(half == 0 ? spare.getIdx() : row3.getIdx());
    for (std::uint32_t i = 0; i < 4; ++i) {
      const auto from = dword[cursor + ((4 * half + i) * records_.size + field)];
      if (i == 0) vmovd(four, from);
      else vpinsrd(four, four, from, static_cast<std::uint8_t>(i));
    }
  }
  vinserti128(to, spare, Xbyak::Xmm(row3.getIdx()), 1);
}

/// Numbers of 64 bits, of which lanes have room for the lower half: with any above, the packets are for the code of one.
void Select::captured_of_records(const Xbyak::Ymm& to) {
  const Xbyak::Ymm rows[] = {row0, row1, row2, row3};  // packets 0 and 1, 4 and 5, 2 and 3, 6 and 7
  constexpr std::uint32_t firsts[] = {0, 4, 2, 6};
  for (std::uint32_t i = 0; i < 4; ++i) {
    const Xbyak::Xmm two(rows[i].getIdx());
    vmovq(two, qword[cursor + (firsts[i] * records_.size + records_.captured)]);
    vmovhps(two, two, qword[cursor + ((firsts[i] + 1) * records_.size + records_.captured)]);
  }
  vinserti128(row0, row0, Xbyak::Xmm(row1.getIdx()), 1);
  vinserti128(row2, row2, Xbyak::Xmm(row3.getIdx()), 1);
  vpor(row1, row0, row2);
  vptest(row1, lane_vector({0, 0xffffffff, 0, 0xffffffff, 0, 0xffffffff, 0, 0xffffffff}));
  jump_if(Condition::NotEqual, packet_);
  vshufps(to, row0, row2, 0x88);
}

/// The same of records of 16 bytes, two of which a vector holds.
void Select::of_views(std::size_t field, const Xbyak::Ymm& to) {
  const Xbyak::Ymm rows[] = {row0, row1, row2, row3};
  for (std::uint32_t i = 0; i < 4; ++i) vmovdqu(rows[i], ptr[cursor + i * vector_size]);
  const auto same = static_cast<std::uint8_t>(field / 4 * 0x55);
  vshufps(row0, row0, row1, same);
  vshufps(row2, row2, row3, same);
  vshufps(row0, row0, row2, 0x88);  // those of packets 0, 2, 4, 6, 1, 3, 5, 7
  vmovdqa(row1, lane_vector({0, 4, 1, 5, 2, 6, 3, 7}));
  vpermd(to, row1, row0);
}

// ---- steps ----------------------------------------------------------------------------------------------------------

void Select::lane_step(const Lane& lane, const LaneStep& step) {
  for (const auto& [from, to] : step.stores) vmovdqa(lane_stack(to), Xbyak::Ymm(static_cast<int>(from)));
  switch (lane.kind) {
    case LaneKind::Constant:
    case LaneKind::Column: return;
    case LaneKind::Window: return window(lane, step);
    case LaneKind::InBytes:
    case LaneKind::InTable: return look_up(lane, step);
    case LaneKind::Demand: {
      const Xbyak::Ymm all = in_register(step.b, spare);
      vptest(all, in_register(step.a, row0));
      return jump_if(Condition::AboveEqual, packet_);  // no carry
    }
    default: return simple(lane, step, Xbyak::Ymm(static_cast<int>(step.to.number)));
  }
}

void Select::simple(const Lane& lane, const LaneStep& step, const Xbyak::Ymm& to) {
  if (lane.kind == LaneKind::Captured)
    return records_.captured_size == sizeof(std::uint64_t) ? captured_of_records(to) : of_views(records_.captured, to);
  if (lane.kind == LaneKind::Length) return form_ == Form::Views ? of_views(records_.length, to) : of_records(records_.length, to);
  const Xbyak::Ymm a = in_register(step.a, row0);
  const Xbyak::Ymm in_place(static_cast<int>(step.b.number));
  const Xbyak::Address in_memory =
      step.b.kind == LanePlace::Kind::Stack || step.b.kind == LanePlace::Kind::Constant ? lane_memory(step.b) : ptr[rsp];
  const Xbyak::Operand& b = step.b.kind == LanePlace::Kind::Register ? static_cast<const Xbyak::Operand&>(in_place) : in_memory;
  const auto bits = static_cast<std::uint8_t>(lane.k);
  switch (lane.kind) {
    case LaneKind::Bytes: return vpshufb(to, a, lane_pattern(lane.k));
    case LaneKind::And: return vpand(to, a, b);
    case LaneKind::Except: return vpandn(to, a, b);
    case LaneKind::Or: return vpor(to, a, b);
    case LaneKind::Xor: return vpxor(to, a, b);
    case LaneKind::Add: return vpaddd(to, a, b);
    case LaneKind::Subtract: return vpsubd(to, a, b);
    case LaneKind::Multiply: return vpmulld(to, a, b);
    case LaneKind::ShiftLeft: return vpslld(to, a, bits);
    case LaneKind::ShiftRight: return vpsrld(to, a, bits);
    case LaneKind::ShiftLeftBy: return vpsllvd(to, a, b);
    case LaneKind::ShiftRightBy: return vpsrlvd(to, a, b);
    case LaneKind::Equal: return vpcmpeqd(to, a, b);
    case LaneKind::AtLeast:
      vpmaxud(spare, a, b);
      return vpcmpeqd(to, spare, a);
    default: return;
  }
}

/// Sixteen bytes of each packet, turned around: the n-th of four words of packet i becomes lane i of column n.
void Select::window(const Lane& lane, const LaneStep& step) {
  const Xbyak::Ymm rows[] = {row0, row1, row2, row3};
  for (std::uint32_t i = 0; i < 4; ++i) {
    vmovdqu(Xbyak::Xmm(rows[i].getIdx()), ptr[packets[i] + lane.k]);
    vinserti128(rows[i], rows[i], ptr[packets[i + 4] + lane.k], 1);
  }
  const auto is_needed = [&](std::size_t n) { return step.columns[n].kind != LanePlace::Kind::Nowhere; };
  const auto column = [&](std::size_t n) { return Xbyak::Ymm(static_cast<int>(step.columns[n].number)); };
  if (is_needed(0) || is_needed(1)) {
    vpunpckldq(spare, row0, row1);
    if (is_needed(2) || is_needed(3)) vpunpckhdq(row0, row0, row1);
    vpunpckldq(row1, row2, row3);
    if (is_needed(0)) vpunpcklqdq(column(0), spare, row1);
    if (is_needed(1)) vpunpckhqdq(column(1), spare, row1);
  } else {
    vpunpckhdq(row0, row0, row1);
  }
  if (!is_needed(2) && !is_needed(3)) return;
  vpunpckhdq(row2, row2, row3);
  if (is_needed(2)) vpunpcklqdq(column(2), row0, row2);
  if (is_needed(3)) vpunpckhqdq(column(3), row0, row2);
}

/// One by one; not at all where nobody asks.
void Select::look_up(const Lane& lane, const LaneStep& step) {
  const Xbyak::Ymm to(static_cast<int>(step.to.number));
  if (lane.b == no_lane) return elements(to, lane);
  const Label none = new_label();
  const Xbyak::Ymm asked = in_register(step.b, spare);
  vptest(asked, asked);
  jump_if(Condition::Equal, none);
  const Xbyak::Ymm places = in_register(step.a, row0);
  if (row0.getIdx() != places.getIdx()) vmovdqa(row0, places);
  vextracti128(Xbyak::Xmm(row3.getIdx()), row0, 1);
  const Xbyak::Reg64 table_base = packets[width - 1];
  if (lane.kind == LaneKind::InTable) address_of(table_base, table(lane.k, [&] { return lanes_->tables.at(lane.k); }));
  elements(to, lane);
  if (lane.kind == LaneKind::InTable) mov(table_base, qword[cursor + ((width - 1) * records_.size + records_.bytes)]);
  bind(none);
}

void Select::elements(const Xbyak::Ymm& to, const Lane& lane) {
  for (std::uint32_t i = 0; i < width; ++i)
    element(Xbyak::Xmm(i < width / 2 ? row1.getIdx() : row2.getIdx()), Xbyak::Xmm(i < width / 2 ? row0.getIdx() : row3.getIdx()),
            i, lane);
  vinserti128(to, row1, Xbyak::Xmm(row2.getIdx()), 1);
}

void Select::element(const Xbyak::Xmm& to, const Xbyak::Xmm& places, std::uint32_t number, const Lane& lane) {
  const std::uint32_t lanes_of_half = width / 2;
  const auto at = static_cast<std::uint8_t>(number % lanes_of_half);
  if (lane.b != no_lane && at == 0) vmovd(eax, places);
  else if (lane.b != no_lane) vpextrd(eax, places, at);
  const Xbyak::RegExp in_packet = packets[number] + lane.k;
  const Xbyak::RegExp from = lane.b == no_lane                ? in_packet
                             : lane.kind == LaneKind::InBytes ? in_packet + rax
                                                              : packets[width - 1] + rax * 4;
  if (lane.width == 1 || lane.width == 2) {
    if (at == 0) vpxor(to, to, to);
    if (lane.width == 1) vpinsrb(to, to, byte[from], static_cast<std::uint8_t>(4 * at));
    else vpinsrw(to, to, word[from], static_cast<std::uint8_t>(2 * at));
  } else if (at == 0) {
    vmovd(to, dword[from]);
  } else {
    vpinsrd(to, to, dword[from], at);
  }
}

// ---- places ---------------------------------------------------------------------------------------------------------

Xbyak::Ymm Select::in_register(const LanePlace& place, const Xbyak::Ymm& otherwise) {
  if (place.kind == LanePlace::Kind::Register) return Xbyak::Ymm(static_cast<int>(place.number));
  vmovdqa(otherwise, lane_memory(place));
  return otherwise;
}

Xbyak::Address Select::lane_memory(const LanePlace& place) {
  return place.kind == LanePlace::Kind::Constant ? lane_constant(place.number) : lane_stack(place.number);
}

/// Of a loop, above the frame and at a multiple of a vector's size; behind what does not fit registers, places that are looked up.
std::size_t Select::lane_stack_at(std::uint32_t number) const {
  return (frame_ + loop_stack + vector_size - 1) / vector_size * vector_size + std::size_t{number} * vector_size;
}
Xbyak::Address Select::lane_stack(std::uint32_t number) { return ptr[rsp + lane_stack_at(number)]; }
std::size_t Select::batch_stack() const { return lane_stack_at(lanes_ ? lane_places_.stack + 1 : 0); }

Xbyak::Address Select::lane_constant(std::size_t number) { return ptr[lane_constants + number * vector_size]; }

/// The bytes of each lane by their numbers in their half of the vector.
Xbyak::Address Select::lane_pattern(std::uint32_t bytes) {
  std::array<std::uint32_t, 8> pattern{};
  for (std::uint32_t lane = 0; lane < 8; ++lane)
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::uint32_t from = bytes >> 8 * i & 0xff;
      pattern[lane] |= (from == no_byte ? no_byte : from + 4 * (lane % 4)) << 8 * i;
    }
  return lane_vector(pattern);
}

/// In one table behind the code.
Xbyak::Address Select::lane_vector(const std::array<std::uint32_t, 8>& words) {
  auto known = std::ranges::find_if(lane_constants_, [&](const auto& c) { return c[0] == words[0] && c == words; });
  if (known == lane_constants_.end()) known = lane_constants_.insert(known, words);
  return lane_constant(static_cast<std::size_t>(known - lane_constants_.begin()));
}

void Select::put_lane_constants() {
  if (!lanes_) return;
  while (getSize() % vector_size != 0) db(0);
  bind(lane_constants_at_);
  for (const auto& words : lane_constants_) put(words);
}

}  // namespace weir::native::x86_64
