// What libpcap does not tell of a savefile, from its first bytes.
#pragma once
#include <bit>
#include <string>

#include "base/result.hpp"
#include "capture/savefile.hpp"

namespace weir::capture {

class Source;

struct Probe {
  Precision precision = Precision::Micro;
  std::endian byte_order = std::endian::native;
  bool classic = false;  ///< pcap as it is written today: version 2.4, without what some have added to records
  bool short_stamps = false;  ///< pcap of any version: seconds are a number of 32 bits
};

/// Looks at no more than what stands before the first packet. An error when these are not the first bytes of a
/// savefile: says what they are, if that is known.
Result<Probe> probe(Source& source, const std::string& name);

}  // namespace weir::capture
