// What stands between the braces of the function. Used by emit.cc.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "c/text.hpp"
#include "ir/program.hpp"

namespace weir::c {

struct FunctionBody {
  std::string declarations, statements;
};

/// Nothing when it would be longer than texts may be. `needs` gets what has to stand before the function.
std::optional<FunctionBody> body_of(const ir::Program& p, std::string_view filter, Needs& needs);

}  // namespace weir::c
