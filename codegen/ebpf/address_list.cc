#include "ebpf/address_list.hpp"

#include <algorithm>
#include <bit>

namespace weir::ebpf {

using namespace ir;

namespace {

constexpr NodeId nowhere{0xffffffff};

using AddressBytes = std::array<std::uint8_t, address_bytes>;

/// Bits of an address that are known.
struct Cube {
  AddressBytes mask{}, value{};
};

/// A test of bits of the address: whether they are these.
struct Question {
  std::uint32_t at = 0, size = 0;  ///< bytes of the address
  std::uint32_t mask = 0, wanted = 0;
};
/// A test of a set asks several, one of which is to be so; none: a node that asks something else.
using Questions = std::vector<Question>;

bool may_ask(const Node& n) { return n.kind == NodeKind::Member || (n.kind == NodeKind::Test && n.relation() == Relation::Equal); }

/// The address that a load is of: those of IPv6 stand one behind the other in their header, so that the first to be asked for
/// says where all are.
class Region {
 public:
  Region(const ir::Program& p, std::size_t& work) : p_(p), work_(work) {}

  /// All paths from a node that ask for the address at `at` alone.
  bool explore(NodeId from, ValueId base, std::uint32_t at) {
    base_ = base;
    at_ = at;
    const NodeId out = last(from);
    if (out == from) return false;
    out_ = out;
    std::vector<std::pair<NodeId, Cube>> left{{from, {}}};
    while (!left.empty()) {
      if (work_-- == 0) return work_ = 0, false;
      auto [id, cube] = left.back();
      left.pop_back();
      const auto asked = questions(id);
      if (asked.empty()) {
        if (!passes(id) && !leaf(id, cube)) return false;
        if (passes(id)) left.push_back({p_[id].t, cube});
        continue;
      }
      work_ -= std::min(work_, asked.size());
      if (answer(asked, cube) != true) left.push_back({p_[id].f, cube});
      for (const Question& q : asked)
        if (answer(q, cube) != false) left.push_back({p_[id].t, with(q, cube)});
    }
    return in_ != nowhere && std::ranges::all_of(cubes_, [&](const Cube& c) { return all_in(from, c); });
  }

  NodeId in() const { return in_; }
  NodeId out() const { return out_; }

  /// Nothing when the bits that count are not the leading ones.
  std::optional<std::vector<Prefix>> prefixes() const {
    std::vector<Prefix> all;
    for (const Cube& c : cubes_) {
      Prefix prefix{c.value, 0};
      std::uint32_t i = 0;
      for (; i < address_bytes && c.mask[i] == 0xff; ++i) prefix.bits += 8;
      if (i < address_bytes) {
        const auto ones = static_cast<std::uint32_t>(std::countl_one(c.mask[i]));
        if (static_cast<std::uint8_t>(c.mask[i] << ones) != 0) return std::nullopt;
        prefix.bits += ones;
        for (++i; i < address_bytes; ++i)
          if (c.mask[i] != 0) return std::nullopt;
      }
      all.push_back(prefix);
    }
    return all;
  }

 private:
  /// A guard of bytes of the address, which are there.
  bool passes(NodeId id) const {
    const Node& n = p_[id];
    return n.kind == NodeKind::Guard && n.a == base_ && n.k >= at_ && n.k + std::uint64_t{n.size()} <= std::uint64_t{at_} + address_bytes;
  }

  Questions questions(NodeId id) const {
    const Node& n = p_[id];
    if (!may_ask(n)) return {};
    const Value* v = &p_[n.a];
    std::uint32_t mask = 0xffffffff;
    if (v->kind == ValueKind::Binary && v->arith() == Arith::And) {
      const auto m = constant_of(p_, v->b);
      if (!m) return {};
      mask = *m;
      v = &p_[v->a];
    }
    if (v->kind != ValueKind::Load || v->a != base_ || v->k < at_ ||
        v->k + std::uint64_t{v->size()} > std::uint64_t{at_} + address_bytes)
      return {};
    if (v->size() < 4) mask &= (1u << 8 * v->size()) - 1;
    if (n.kind == NodeKind::Member) return questions_of_set(n, *v, mask);
    const auto k = constant_of(p_, n.b);
    if (!k || (*k & ~mask) != 0) return {};
    return {{v->k - at_, v->size(), mask, *k}};
  }

  /// Only of a value as it is loaded.
  Questions questions_of_set(const Node& n, const Value& load, std::uint32_t mask) const {
    Questions all;
    if (p_[n.a].kind != ValueKind::Load) return all;
    const Set set = p_.set_of(n) & Set(Interval{0, mask});
    for (const Prefix& prefix : prefixes_of(set, load.size())) {
      std::uint32_t wanted = 0;
      for (std::uint32_t i = 0; i < load.size(); ++i) wanted = wanted << 8 | prefix.bytes[i];
      const std::uint32_t free_bits = 8 * load.size() - prefix.bits;
      all.push_back({load.k - at_, load.size(), free_bits == 32 ? 0 : mask & ~((1u << free_bits) - 1), wanted});
    }
    return all;
  }

  static std::uint8_t byte(std::uint32_t word, std::uint32_t i, std::uint32_t size) {
    return static_cast<std::uint8_t>(word >> 8 * (size - 1 - i));
  }

  /// What the known bits say: no, when one is another; yes, when all are known.
  static std::optional<bool> answer(const Question& q, const Cube& c) {
    bool all = true;
    for (std::uint32_t i = 0; i < q.size; ++i) {
      const std::uint8_t mask = byte(q.mask, i, q.size), common = mask & c.mask[q.at + i];
      if (((byte(q.wanted, i, q.size) ^ c.value[q.at + i]) & common) != 0) return false;
      all &= common == mask;
    }
    return all ? std::optional(true) : std::nullopt;
  }

  static std::optional<bool> answer(const Questions& asked, const Cube& c) {
    bool open = false;
    for (const Question& q : asked) {
      const auto known = answer(q, c);
      if (known == true) return true;
      open |= !known;
    }
    return open ? std::nullopt : std::optional(false);
  }

  static Cube with(const Question& q, Cube c) {
    for (std::uint32_t i = 0; i < q.size; ++i) {
      const std::uint8_t mask = byte(q.mask, i, q.size);
      c.mask[q.at + i] |= mask;
      c.value[q.at + i] = static_cast<std::uint8_t>((c.value[q.at + i] & ~mask) | byte(q.wanted, i, q.size));
    }
    return c;
  }

  /// Where a packet comes out to which nothing applies.
  NodeId last(NodeId id) const {
    for (;;) {
      if (!questions(id).empty()) id = p_[id].f;
      else if (passes(id)) id = p_[id].t;
      else return id;
    }
  }

  bool leaf(NodeId id, const Cube& cube) {
    if (id == out_) return true;
    if (in_ != nowhere && in_ != id) return false;
    in_ = id;
    cubes_.push_back(cube);
    return true;
  }

  /// Whether all addresses of the cube come out at `in`, whatever else they are.
  bool all_in(NodeId from, const Cube& cube) {
    std::vector<NodeId> left{from};
    while (!left.empty()) {
      if (work_-- == 0) return work_ = 0, false;
      const NodeId id = left.back();
      left.pop_back();
      if (const auto asked = questions(id); !asked.empty()) {
        work_ -= std::min(work_, asked.size());
        const auto known = answer(asked, cube);
        if (known != true) left.push_back(p_[id].f);
        if (known != false) left.push_back(p_[id].t);
      } else if (passes(id)) {
        left.push_back(p_[id].t);
      } else if (id != in_) {
        return false;
      }
    }
    return true;
  }

  const ir::Program& p_;
  std::size_t& work_;
  ValueId base_ = no_value;
  std::uint32_t at_ = 0;
  NodeId in_ = nowhere, out_ = nowhere;
  std::vector<Cube> cubes_;
};

/// The load of the first word that a node asks for, behind guards.
const Value* first_load(const ir::Program& p, NodeId id) {
  while (p[id].kind == NodeKind::Guard) id = p[id].t;
  const Node& n = p[id];
  if (!may_ask(n)) return nullptr;
  const Value* v = &p[n.a];
  if (v->kind == ValueKind::Binary && v->arith() == Arith::And) v = &p[v->a];
  return v->kind == ValueKind::Load ? v : nullptr;
}

}  // namespace

std::uint64_t AddressList::end() const {
  std::uint64_t last = 0;
  for (const Field& f : fields) last = std::max(last, std::uint64_t{f.at} + address_bytes);
  return last;
}

std::size_t AddressList::size() const {
  std::size_t n = 0;
  for (const Field& f : fields) n += f.prefixes.size();
  return n;
}

std::optional<AddressList> find_addresses(const ir::Program& p, NodeId from, std::size_t& work) {
  constexpr std::size_t most_fields = 4;
  AddressList list;
  NodeId at = from;
  for (bool first = true;; first = false) {
    const Value* v = first_load(p, at);
    if (v == nullptr || v->size() != 4 || (!first && v->a != list.base)) break;
    list.base = v->a;
    Region region(p, work);
    if (!region.explore(at, v->a, v->k) || (!first && region.in() != list.in)) break;
    auto prefixes = region.prefixes();
    // Shorter ones are no addresses of 16 bytes: another field's, of which but a word is asked.
    if (!prefixes || std::ranges::none_of(*prefixes, [](const Prefix& x) { return x.bits > 32; })) break;
    auto field = std::ranges::find(list.fields, v->k, &AddressList::Field::at);
    if (field == list.fields.end()) {
      if (list.fields.size() == most_fields) break;
      field = list.fields.insert(list.fields.end(), {v->k, {}, at});
    }
    field->prefixes.insert(field->prefixes.end(), prefixes->begin(), prefixes->end());
    list.in = region.in();
    list.out = at = region.out();
  }
  return list.fields.empty() ? std::nullopt : std::optional(std::move(list));
}

}  // namespace weir::ebpf
