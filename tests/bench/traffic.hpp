// Packets as a table of corpus/traffic describes them, framed for a link type. The same table, setting and seed give
// the same packets. Tested by traffic_test.cc.
#pragma once
#include "random.hpp"
#include "setting.hpp"
#include "traffic_model.hpp"

namespace weir::bench {

/// Link types whose headers are framed after the table: of the others they are drawn evenly, and those of which nothing
/// is known get random bytes.
bool frames_after_table(std::string_view link_type);

/// A packet that is not aimed at any filter.
oracle::Sample packet(const TrafficModel& model, const oracle::Setting& setting, oracle::Random& random);

}  // namespace weir::bench
