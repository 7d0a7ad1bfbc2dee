// Instructions that engines execute, counted by valgrind's callgrind: the machine may be as busy as it likes.
#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "match_engines.hpp"

namespace weir::bench {

/// Whether this process runs under valgrind.
bool is_counted();

/// In such a process: has every engine's instructions for the packets written out.
void count(const Subject& subject, const Packets& packets);

/// Instructions by name of filter and engine.
using Counts = std::map<std::pair<std::string, std::string>, double>;

/// Runs a program under callgrind, which calls count(). Nothing, with a message on standard error, when that cannot be.
Counts counted(const std::vector<std::string>& program);

}  // namespace weir::bench
