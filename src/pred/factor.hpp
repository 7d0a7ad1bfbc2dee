// What the terms of a list end with alike, asked once behind all of them.
#pragma once
#include <optional>

#include "pred/filter.hpp"

namespace weir::pred {

/// a and z or b and z or …  ==  (a or b or …) and z, for terms that stand side by side, and by turned signs for `and`. What is asked is a
/// part of what was asked before, of the same values: the same verdict where it can be told for all of that, and no accepted packet is lost.
/// Nothing where there are no such terms. Time and memory linear in the filter. Tested by tests/unit/pred/factor_test.cc.
std::optional<Filter> factored(const Filter& f);

}  // namespace weir::pred
