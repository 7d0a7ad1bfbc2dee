// A packet in one short line, for people.
#pragma once
#include <string>

#include "capture/savefile.hpp"

namespace weir::capture {

/// Local time of day, the network protocol, addresses and ports, the length on the wire. As far as the captured bytes
/// go: what is cut off is left out. Tested by tests/unit/capture/summary_test.cc.
std::string summary(const Record& record, const Format& format);

}  // namespace weir::capture
