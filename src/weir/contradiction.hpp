// Why a filter can match nothing, or everything.
#pragma once
#include <string_view>
#include <vector>

#include "ast/expr.hpp"
#include "base/limits.hpp"
#include "names/names.hpp"
#include "wire/target.hpp"

namespace weir {

/// For a filter of which it is known: one warning that names the parts that exclude each other, or the one that can
/// never match. Tries parts alone and in pairs, so it takes several times as long as compiling; parts of very large
/// filters are not tried.
Diagnostic explain_rejection(std::string_view text, const ast::Expr& expr, const wire::Target& target, const names::Names& names,
                             const Limits& limits);

/// The same for a filter that accepts every packet.
Diagnostic explain_acceptance(const ast::Expr& expr);

}  // namespace weir
