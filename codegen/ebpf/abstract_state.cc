#include "ebpf/abstract_state.hpp"

#include <algorithm>
#include <tuple>

namespace weir::ebpf {
namespace {

/// Ids of one state for those of another: each for one only.
class Ids {
 public:
  bool match(std::uint32_t seen, std::uint32_t now) {
    if (seen == 0) return true;
    return now != 0 && map_.emplace(seen, now).first->second == now;
  }

 private:
  std::map<std::uint32_t, std::uint32_t> map_;
};

bool covers(const AbstractValue& seen, const AbstractValue& now, const AbstractState& a, const AbstractState& b, Ids& ids) {
  if (seen.kind == AbstractKind::Nothing) return true;
  if (seen.kind != now.kind || (seen.which != now.which && !(seen.is_number() && seen.which == 0)) || seen.offset != now.offset ||
      !seen.number.covers(now.number))
    return false;
  if (seen.kind == AbstractKind::Packet && (seen.id == 0) != (now.id == 0)) return false;
  if (!ids.match(seen.id, now.id)) return false;
  return seen.kind != AbstractKind::Packet || a.range(seen.id) <= b.range(now.id);
}

bool covers(const StackSlot& seen, const StackSlot& now, const AbstractState& a, const AbstractState& b, Ids& ids) {
  if (seen.written & ~now.written) return false;
  if (seen.value.kind == AbstractKind::Nothing)
    return now.value.kind == AbstractKind::Nothing || now.value.is_number() || seen.written == 0;
  return covers(seen.value, now.value, a, b, ids);
}

class Joiner {
 public:
  Joiner(const AbstractState& a, const AbstractState& b, std::uint32_t& next_id) : a_(a), b_(b), next_id_(next_id) {}

  AbstractState run() {
    result_.ranges[0] = std::min(a_.range(0), b_.range(0));
    for (std::size_t f = 0; f < a_.frames.size(); ++f) result_.frames.push_back(frame(a_.frames[f], b_.frames[f]));
    return std::move(result_);
  }

 private:
  std::uint32_t id(std::uint32_t a, std::uint32_t b) {
    const auto [at, is_new] = ids_.emplace(std::pair(a, b), next_id_);
    if (is_new) ++next_id_;
    return at->second;
  }

  /// Addresses at different offsets in the packet: the offset becomes a part of what is not known, and what lies behind it stays known.
  AbstractValue packet(const AbstractValue& x, const AbstractValue& y) {
    const auto whole = [](const AbstractValue& v) {
      return abstract_arithmetic(op::ADD, v.number, AbstractNumber::constant(static_cast<std::uint64_t>(v.offset)));
    };
    const auto behind = [](const AbstractState& s, const AbstractValue& v) {
      return static_cast<std::uint32_t>(
          std::max<std::int64_t>(0, std::int64_t{s.range(v.id)} - std::max<std::int64_t>(0, v.offset)));
    };
    AbstractValue v{AbstractKind::Packet, 0, 0, 0, whole(x).joined(whole(y))};
    const auto [at, is_new] = places_.emplace(std::tuple(x.id, x.offset, y.id, y.offset), next_id_);
    if (is_new) ++next_id_;
    v.id = at->second;
    const bool is_before = x.offset < 0 || y.offset < 0;
    result_.ranges[v.id] = is_before ? 0 : std::min(behind(a_, x), behind(b_, y));
    return v;
  }

  AbstractValue value(const AbstractValue& x, const AbstractValue& y) {
    if (x.kind == AbstractKind::Packet && y.kind == AbstractKind::Packet && x.offset != y.offset) return packet(x, y);
    const bool same_place = x.kind == y.kind && (x.which == y.which || x.is_number()) && x.offset == y.offset;
    if (!same_place || x.kind == AbstractKind::Nothing) return {};
    AbstractValue v = x;
    if (x.which != y.which) v.which = 0;
    v.number = x.number.joined(y.number);
    v.id = x.id && y.id ? id(x.id, y.id) : 0;
    if (x.kind == AbstractKind::MapValueOrNull) v.id = id(x.id, y.id);
    if (x.kind == AbstractKind::Packet) {
      v.id = x.id || y.id ? id(x.id, y.id) : 0;
      if (v.id) result_.ranges[v.id] = std::min(a_.range(x.id), b_.range(y.id));
    }
    return v;
  }

  Frame frame(const Frame& x, const Frame& y) {
    Frame f = x;
    for (std::size_t r = 0; r < f.registers.size(); ++r) f.registers[r] = value(x.registers[r], y.registers[r]);
    f.slots.resize(std::min(x.slots.size(), y.slots.size()));
    for (std::size_t s = 0; s < f.slots.size(); ++s) f.slots[s] = slot(x.slots[s], y.slots[s]);
    return f;
  }

  /// Where only one has a pointer, the bytes are no number.
  StackSlot slot(const StackSlot& x, const StackSlot& y) {
    StackSlot s{static_cast<std::uint8_t>(x.written & y.written), value(x.value, y.value)};
    const auto plain = [](const AbstractValue& v) { return v.kind == AbstractKind::Nothing || v.is_number(); };
    if (s.value.kind == AbstractKind::Nothing && !(plain(x.value) && plain(y.value))) s.written = 0;
    return s;
  }

  const AbstractState& a_;
  const AbstractState& b_;
  std::uint32_t& next_id_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> ids_;
  std::map<std::tuple<std::uint32_t, std::int64_t, std::uint32_t, std::int64_t>, std::uint32_t> places_;
  AbstractState result_;
};

}  // namespace

AbstractValue number_value(const AbstractNumber& n) { return {AbstractKind::Number, 0, 0, 0, n}; }

std::uint32_t AbstractState::range(std::uint32_t id) const {
  const auto found = ranges.find(id);
  return found == ranges.end() ? 0 : found->second;
}

bool covers(const AbstractState& seen, const AbstractState& now) {
  if (seen.frames.size() != now.frames.size()) return false;
  Ids ids;
  for (std::size_t f = 0; f < seen.frames.size(); ++f) {
    const Frame &x = seen.frames[f], &y = now.frames[f];
    if (x.returns_to != y.returns_to) return false;
    for (std::size_t r = 0; r < x.registers.size(); ++r)
      if (!covers(x.registers[r], y.registers[r], seen, now, ids)) return false;
    for (std::size_t s = 0; s < x.slots.size(); ++s)
      if (!covers(x.slots[s], s < y.slots.size() ? y.slots[s] : StackSlot{}, seen, now, ids)) return false;
  }
  return seen.range(0) <= now.range(0);
}

AbstractState joined(const AbstractState& a, const AbstractState& b, std::uint32_t& next_id) { return Joiner(a, b, next_id).run(); }

}  // namespace weir::ebpf
