#include "native/machine.hpp"

#include <algorithm>
#include <cstddef>

namespace weir::native {

void Machine::meet(const Machine& other) {
  for (std::size_t i = 0; i < registers.size(); ++i)
    if (registers[i] != other.registers[i]) registers[i] = {};
  at_home &= other.at_home;
  captured.meet(other.captured);
}

std::size_t Pool::take() {
  std::size_t best = size_;
  for (std::size_t r = 0; r < size_; ++r) {
    if (pins_[r] != 0) continue;
    if (machine_.registers[r].form == Held::Form::Nothing) {
      best = r;
      break;
    }
    if (best == size_ || stamps_[r] < stamps_[best]) best = r;
  }
  machine_.registers[best] = {};
  stamps_[best] = ++clock_;
  return best;
}

void Pool::hold(std::size_t r, Held what) {
  machine_.registers[r] = what;
  stamps_[r] = ++clock_;
}

std::optional<std::size_t> Pool::find(Held what) {
  const auto found = std::ranges::find(machine_.registers, what);
  if (found == machine_.registers.end()) return std::nullopt;
  const auto r = static_cast<std::size_t>(found - machine_.registers.begin());
  stamps_[r] = ++clock_;
  return r;
}

bool Pool::has(Held what) const { return std::ranges::find(machine_.registers, what) != machine_.registers.end(); }

std::size_t Pool::unpinned() const {
  return static_cast<std::size_t>(std::count(pins_.begin(), pins_.begin() + static_cast<std::ptrdiff_t>(size_), 0u));
}

std::size_t metadata_place(Meta m) {
  switch (m) {
    case Meta::Protocol: return offsetof(Metadata, protocol);
    case Meta::PacketType: return offsetof(Metadata, packet_type);
    case Meta::InterfaceIndex: return offsetof(Metadata, interface_index);
    case Meta::VlanTag: return offsetof(Metadata, vlan_tag);
    case Meta::VlanTagPresent: return offsetof(Metadata, vlan_tag_present);
    case Meta::VlanProtocol: return offsetof(Metadata, vlan_protocol);
  }
  return 0;
}

bool commutes(Arith op) { return op == Arith::Add || op == Arith::Mul || op == Arith::And || op == Arith::Or || op == Arith::Xor; }

}  // namespace weir::native
