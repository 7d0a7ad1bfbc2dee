// What a comparison says of the two numbers compared (kernel/bpf/verifier.c, regs_refine_cond_op).
#include <utility>

#include "ebpf/abstract_number.hpp"
#include "ebpf/arithmetic.hpp"

namespace weir::ebpf {
namespace {

constexpr std::uint64_t most_unsigned = ~std::uint64_t{0}, most_word = 0xffffffff, most_positive_word = 0x7fffffff;
constexpr std::int64_t most_signed = std::numeric_limits<std::int64_t>::max(), least_signed = std::numeric_limits<std::int64_t>::min();

/// The relation that holds when this one does not.
std::uint8_t opposite(std::uint8_t relation) {
  switch (relation) {
    case op::JEQ: return op::JNE;
    case op::JNE: return op::JEQ;
    case op::JGT: return op::JLE;
    case op::JLE: return op::JGT;
    case op::JGE: return op::JLT;
    case op::JLT: return op::JGE;
    case op::JSGT: return op::JSLE;
    case op::JSLE: return op::JSGT;
    case op::JSGE: return op::JSLT;
    default: return op::JSGE;
  }
}

bool assume_bits(bool some, AbstractNumber& a, const AbstractNumber& b) {
  if (!b.is_constant()) return true;
  const std::uint64_t mask = b.low();
  if (some && mask == 0) return false;
  if (!some) a = a.with_bits(0, mask);
  else if ((mask & (mask - 1)) == 0) a = a.with_bits(mask, 0);
  else if (((a.bits().value | a.bits().unknown) & mask) == 0) return false;
  return !a.is_empty();
}

bool assume_less(AbstractNumber& a, AbstractNumber& b, bool or_equal) {
  if (!or_equal && (b.high() == 0 || a.low() == most_unsigned)) return false;
  a = a.at_most(b.high() - (or_equal ? 0 : 1));
  if (a.is_empty()) return false;
  b = b.at_least(a.low() + (or_equal ? 0 : 1));
  return !b.is_empty();
}

bool assume_less_signed(AbstractNumber& a, AbstractNumber& b, bool or_equal) {
  if (!or_equal && (b.highest() == least_signed || a.lowest() == most_signed)) return false;
  a = a.at_most_signed(b.highest() - (or_equal ? 0 : 1));
  if (a.is_empty()) return false;
  b = b.at_least_signed(a.lowest() + (or_equal ? 0 : 1));
  return !b.is_empty();
}

bool assume_true(std::uint8_t relation, AbstractNumber& a, AbstractNumber& b) {
  switch (relation) {
    case op::JEQ:
      a = b = a.met(b);
      return !a.is_empty();
    case op::JNE:
      if (b.is_constant()) a = a.without(b.low());
      else if (a.is_constant()) b = b.without(a.low());
      return !a.is_empty() && !b.is_empty();
    case op::JGT: return assume_less(b, a, false);
    case op::JGE: return assume_less(b, a, true);
    case op::JLT: return assume_less(a, b, false);
    case op::JLE: return assume_less(a, b, true);
    case op::JSGT: return assume_less_signed(b, a, false);
    case op::JSGE: return assume_less_signed(b, a, true);
    case op::JSLT: return assume_less_signed(a, b, false);
    case op::JSLE: return assume_less_signed(a, b, true);
    default: return true;
  }
}

bool has_sign(std::uint8_t relation) {
  return relation == op::JSGT || relation == op::JSGE || relation == op::JSLT || relation == op::JSLE;
}

}  // namespace

bool assume(std::uint8_t relation, bool is_true, bool wide, AbstractNumber& a, AbstractNumber& b) {
  if (!wide && a.is_constant() && b.is_constant())
    return holds(relation, static_cast<std::uint32_t>(a.low()), static_cast<std::uint32_t>(b.low())) == is_true;
  // Halves compare as the whole does when there is nothing in the other half.
  const std::uint64_t limit = has_sign(relation) ? most_positive_word : most_word;
  if (!wide && (a.high() > limit || b.high() > limit)) return true;
  if (relation == op::JSET) return assume_bits(is_true, a, b);
  return assume_true(is_true ? relation : opposite(relation), a, b);
}

}  // namespace weir::ebpf
