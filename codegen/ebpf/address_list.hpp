// Lists of addresses of 16 bytes, which a graph asks for in words: `v0 == 0x20010db8`, then `v1 == 0`, and so on. All such tests from a
// node on that lead to the same two nodes are one question, which a map can answer.
#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "ebpf/keys.hpp"
#include "ir/program.hpp"

namespace weir::ebpf {

inline constexpr std::uint32_t address_bytes = 16;

/// One of the addresses at these places is in its set: then `in`, otherwise `out`.
struct AddressList {
  struct Field {
    std::uint32_t at = 0;          ///< of the first byte, behind `base`
    std::vector<Prefix> prefixes;
    ir::NodeId first{};            ///< where its questions begin
  };
  ir::ValueId base = ir::no_value;
  std::vector<Field> fields;
  ir::NodeId in{}, out{};

  std::uint64_t end() const;       ///< of the bytes that it looks at
  std::size_t size() const;        ///< of all sets together
};

/// The list that begins at a node, if there is one. For every packet that has the bytes, the graph from this node on does the same: it is
/// only found where that can be shown. `work` is what may still be looked at, and gets less.
std::optional<AddressList> find_addresses(const ir::Program& p, ir::NodeId from, std::size_t& work);

}  // namespace weir::ebpf
