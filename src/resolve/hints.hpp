// What to say beside an error about qualifiers and what they qualify. Only guesses: nothing depends on them but messages.
#pragma once
#include <string>

#include "ast/expr.hpp"
#include "base/diagnostic.hpp"

namespace weir::resolve {

/// The id as it was written.
std::string written(const ast::Id& id);

/// What takes addresses: host, net, or no word for the type.
inline bool is_host_or_net(ast::Type t) { return t == ast::Type::None || t == ast::Type::Host || t == ast::Type::Net; }

/// What to write instead; empty when nothing comes to mind.
std::string hint_about(const ast::Qualifiers& q, const ast::Id& id, const Diagnostic& error);

}  // namespace weir::resolve
