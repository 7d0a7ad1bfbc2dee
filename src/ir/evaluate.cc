// Runs a program on a packet, as the definition of what the graph means. Tested by tests/unit/ir/evaluate_test.cc.
#include <optional>
#include <vector>

#include "ir/program.hpp"

namespace weir::ir {
namespace {

/// One evaluation. Nothing means "rejected, there and then".
class Evaluation {
 public:
  Evaluation(const Program& p, const Packet& packet) : p_(p), packet_(packet) {}

  std::optional<std::uint32_t> run(NodeId at) {
    for (;;) {
      const Node& n = p_[at];
      const auto a = n.a == no_value ? std::optional(0u) : value(n.a);
      if (!a) return a;
      switch (n.kind) {
        case NodeKind::Return: return a;
        case NodeKind::Guard:
          if (std::uint64_t{*a} + n.k + n.size() > packet_.bytes.size()) return std::nullopt;
          at = n.t;
          break;
        case NodeKind::NonZero:
          if (*a == 0) return std::nullopt;
          at = n.t;
          break;
        case NodeKind::Test: {
          const auto b = value(n.b);
          if (!b) return b;
          at = holds(n.relation(), *a, *b) ? n.t : n.f;
          break;
        }
        case NodeKind::Member: at = p_.set_of(n).contains(*a) ? n.t : n.f; break;
      }
    }
  }

 private:
  // Most evaluations ask for few values, and a memory for all would cost more than it saves. But values share
  // operands, and offsets that build on one another double the work with every step: a long evaluation remembers.
  static constexpr std::uint32_t patience = 4096;

  std::optional<std::uint32_t> value(ValueId id) {
    if (known_.empty()) {
      if (++asked_ == patience) known_.resize(p_.value_count());
      return compute(p_[id]);
    }
    const auto slot = static_cast<std::uint32_t>(id);
    if (!known_[slot]) known_[slot] = compute(p_[id]);
    return known_[slot];
  }

  std::optional<std::uint32_t> compute(const Value& v) {
    switch (v.kind) {
      case ValueKind::Constant: return v.k;
      case ValueKind::Length: return packet_.length;
      case ValueKind::Meta: return packet_.meta.get(v.meta());
      case ValueKind::Choice: return run(v.root());
      case ValueKind::Load:
      case ValueKind::Negate:
      case ValueKind::Binary: break;
    }
    const auto a = v.a == no_value ? std::optional(0u) : value(v.a);
    if (!a) return a;
    if (v.kind == ValueKind::Load) return load(packet_.bytes, *a, v.k, v.size());
    if (v.kind == ValueKind::Negate) return 0 - *a;
    const auto b = value(v.b);
    return b ? apply(v.arith(), *a, *b) : b;
  }

  const Program& p_;
  const Packet& packet_;
  std::uint32_t asked_ = 0;
  std::vector<std::optional<std::uint32_t>> known_;  ///< by value; empty until patience ends
};

}  // namespace

std::uint32_t evaluate(const Program& p, const Packet& packet) { return Evaluation(p, packet).run(p.root).value_or(0); }

}  // namespace weir::ir
