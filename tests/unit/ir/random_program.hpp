// Small random programs and packets for tests: well formed, but not guarded on every path.
#pragma once
#include <random>
#include <vector>

#include "ir/program.hpp"

namespace weir::ir {

class RandomProgram {
 public:
  explicit RandomProgram(std::uint32_t seed) : random_(seed) {}

  Program make(std::uint32_t nodes) {
    values_ = {p_.constant(0), p_.constant(1), p_.constant(262144)};
    nodes_ = {p_.ret(0u), p_.ret(262144)};
    while (nodes_.size() < nodes) {
      values_.push_back(value());
      nodes_.push_back(node());
    }
    p_.root = nodes_.back();
    return std::move(p_);
  }

  std::uint32_t below(std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_); }

 private:
  /// New things build on late ones more often, so that graphs get deep.
  template <class T>
  T pick(const std::vector<T>& from) {
    const auto n = static_cast<std::uint32_t>(from.size());
    return below(2) ? from[below(n)] : from[n - 1 - below(std::min(n, 4u))];
  }
  ValueId base() { return below(2) ? no_value : pick(values_); }
  Span span() { return {below(20), 20}; }

  ValueId value() {
    switch (below(8)) {
      case 0: return p_.constant(below(2) ? below(16) : below(0xffffffff));
      case 1:
      case 2:
      case 3: return p_.load(1u << below(3), base(), below(8), span());
      case 4: return below(2) ? p_.length() : p_.meta(Meta::VlanTag);
      case 5: return p_.negate(pick(values_));
      case 6: return p_.choice(pick(nodes_), span());
      default: return p_.binary(static_cast<Arith>(below(10)), pick(values_), pick(values_));
    }
  }

  NodeId node() {
    switch (below(8)) {
      case 0: return p_.ret(pick(values_));
      case 1:
      case 2: return p_.guard(1 + below(12), base(), below(8), pick(nodes_), span());
      case 3: return p_.nonzero(pick(values_), pick(nodes_), span());
      default:
        return p_.test(static_cast<Relation>(below(4)), pick(values_), pick(values_), pick(nodes_), pick(nodes_),
                       span());
    }
  }

  std::mt19937 random_;
  Program p_;
  std::vector<ValueId> values_;
  std::vector<NodeId> nodes_;
};

/// Bytes of a random packet: small numbers, so that offsets made of them often stay inside.
inline std::vector<std::uint8_t> random_bytes(RandomProgram& random) {
  std::vector<std::uint8_t> bytes(random.below(40));
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(random.below(4) ? random.below(8) : random.below(256));
  return bytes;
}

}  // namespace weir::ir
