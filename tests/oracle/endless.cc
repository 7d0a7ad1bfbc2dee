#include "endless.hpp"

#include <vector>

namespace weir::oracle {
namespace {

using pred::ExprId;
using pred::ExprKind;
using pred::ValueId;
using pred::ValueKind;

class Evaluation {
 public:
  Evaluation(const pred::Filter& f, const Packet& packet, Tail tail) : f_(f), packet_(packet), tail_(tail), marks_(f.mark_count) {}

  bool passes() { return holds(f_.root) && !rejected_; }

 private:
  /// Means nothing once the packet is rejected.
  bool holds(ExprId id) {
    const pred::Expr& e = f_[id];
    switch (e.kind) {
      case ExprKind::True: return true;
      case ExprKind::False: return false;
      case ExprKind::Not: return !holds(ExprId{e.a});
      case ExprKind::Passed: return marks_[e.a];
      case ExprKind::Mark: return marks_[e.a] = true;
      case ExprKind::And:
      case ExprKind::Or:
        for (std::uint32_t i = 0; i < e.b && !rejected_; ++i)
          if (holds(f_.child(e, i)) == (e.kind == ExprKind::Or)) return e.kind == ExprKind::Or;
        return e.kind == ExprKind::And;
      case ExprKind::Member: return f_.set(e.b).contains(value(ValueId{e.a}));
      case ExprKind::Compare: break;
    }
    const std::uint32_t left = value(ValueId{e.a});
    return weir::holds(static_cast<Relation>(e.detail), left, value(ValueId{e.b}));
  }

  /// The same of values.
  std::uint32_t value(ValueId id) {
    const pred::Value& v = f_[id];
    switch (v.kind) {
      case ValueKind::Constant: return v.k;
      case ValueKind::Length: return packet_.length;
      case ValueKind::Meta: return packet_.meta.get(static_cast<Meta>(v.detail));
      case ValueKind::Negate: return 0 - value(v.a);
      case ValueKind::Choice: return value(holds(v.test) ? v.a : v.b);
      case ValueKind::Load: return load(v.a == pred::no_value ? 0 : value(v.a), v.k, v.detail);
      case ValueKind::Binary: break;
    }
    const std::uint32_t left = value(v.a);
    const auto result = apply(static_cast<Arith>(v.detail), left, value(v.b));
    return result ? *result : reject();
  }

  std::uint32_t load(std::uint32_t base, std::uint32_t displacement, std::uint32_t size) {
    const std::uint64_t at = std::uint64_t{base} + displacement;
    const std::uint64_t end = tail_ == Tail::None ? packet_.bytes.size() : std::uint64_t{1} << 32;
    if (at + size > end) return reject();
    std::uint32_t result = 0;
    for (std::uint64_t i = at; i < at + size; ++i)
      result = result << 8 | (i < packet_.bytes.size() ? packet_.bytes[i] : tail_byte(tail_, i));
    return result;
  }

  /// Ends the evaluation. (No exception: most packets are rejected so, and to throw takes longer than all else here.)
  std::uint32_t reject() {
    rejected_ = true;
    return 0;
  }

  const pred::Filter& f_;
  const Packet& packet_;
  const Tail tail_;
  std::vector<bool> marks_;
  bool rejected_ = false;
};

}  // namespace

std::uint32_t evaluate(const pred::Filter& f, const Packet& packet, Tail tail) {
  return Evaluation(f, packet, tail).passes() ? f.accept : 0;
}

}  // namespace weir::oracle
