// Words to numbers: what the filter means on a link type, with every name looked up and every header located.
#pragma once
#include <vector>

#include "ast/expr.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "names/names.hpp"
#include "pred/filter.hpp"
#include "wire/target.hpp"

namespace weir::resolve {

/// What a part of an expression became.
struct Part {
  const ast::Expr* node;
  pred::ExprId test;
};

/// The meaning of an expression. The first error stops; its span covers the words at fault.
/// `parts` receives every part with its test (null: not wanted).
Result<pred::Filter> resolve(const ast::Expr& expr, const wire::Target& target, const names::Names& names,
                             const Limits& limits = {}, std::vector<Part>* parts = nullptr);

}  // namespace weir::resolve
