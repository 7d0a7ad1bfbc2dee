#include "resolve/families.hpp"

namespace weir::resolve {
namespace {

ExprId compared(const Site& s, ast::Compare op, ValueId v, std::uint32_t k) {
  switch (op) {
    case ast::Compare::Equal: return equals(s, v, k);
    case ast::Compare::NotEqual: return no(s, equals(s, v, k));
    case ast::Compare::Greater: return test(s, Relation::Greater, v, k);
    case ast::Compare::GreaterEqual: return at_least(s, v, k);
    case ast::Compare::Less: return no(s, at_least(s, v, k));
    case ast::Compare::LessEqual: return at_most(s, v, k);
  }
  return truth(s, false);
}

}  // namespace

Test alternatives(const Site& s, const Field& f, const ast::FieldTest& t) {
  const ValueId value = f.mask == 0xffffffff ? f.value : s.filter.binary(Arith::And, f.value, s.filter.constant(f.mask));
  std::vector<ExprId> tests;
  for (const ast::FieldTest::Alternative& a : t.alternatives) {
    if (a.value > f.maximum) return out_of_range(a.span, f.name, a.value, f.maximum);
    tests.push_back(compared(s, a.op, value, f.bits(a.value)));
  }
  return any(s, tests);
}

}  // namespace weir::resolve
