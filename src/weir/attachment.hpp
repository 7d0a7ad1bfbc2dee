// What an Attachment keeps.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "attach/load.hpp"
#include "attach/traffic_control.hpp"
#include "weir/attach.hpp"

namespace weir {

/// A filter on a socket of somebody else's.
struct OnSocket {
  int socket = -1;
};

struct Attachment::State {
  std::string text;                         ///< the expression
  Attached as = Attached::Classic;
  std::string description;
  std::optional<attach::Loaded> loaded = {};  ///< nothing of classic BPF
  std::variant<std::monostate, OnSocket, attach::Link, attach::ClsactFilter> handle = {};
  std::optional<Diagnostic> refused_classic = {};
  bool live = false;
  std::vector<LiveList> lists = {};
  std::vector<std::size_t> list_maps = {};  ///< by list: its map in the program
  std::optional<std::size_t> counters = {}; ///< the map that counts
};

}  // namespace weir
