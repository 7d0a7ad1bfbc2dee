// A filter with its lists brought together: comparisons of one value that stand in one chain of `or` (or of `and`)
// become one membership of a set, so that what follows sees a hundred thousand addresses as a few tests.
#pragma once
#include "pred/filter.hpp"

namespace weir::pred {

/// Refines `f` (DESIGN, "refines"): the same verdict where all bytes are captured, and no accepted packet is lost. A
/// comparison only moves forward to a place where its value has been loaded already, and never past a mark; what has been asked is not
/// asked again. Time and memory linear in the filter, sorting aside. Tested by tests/unit/pred/gather_test.cc.
Filter gather(const Filter& f);

}  // namespace weir::pred
