// Makes a failing filter or packet smaller while it still fails.
#pragma once
#include <functional>
#include <string>

#include "setting.hpp"

namespace weir::oracle {

/// Leaves out words as long as `fails` says yes; at most `budget` questions.
std::string shrink_filter(const std::string& filter, const std::function<bool(const std::string&)>& fails, int budget = 400);

/// Shortens the packet and clears bytes. `n` is how many are captured.
Sample shrink_packet(const Sample& sample, std::size_t n, const std::function<bool(const Sample&)>& fails, int budget = 400);

}  // namespace weir::oracle
