// Reproducible random numbers: the same seed gives the same filters and packets with every library and compiler,
// which the distributions of <random> do not promise.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace weir::oracle {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// SplitMix64 (Steele, Lea, Flood 2014).
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint32_t word() { return static_cast<std::uint32_t>(next() >> 32); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(next() >> 56); }

  /// A number below n; n is at least 1.
  std::uint32_t below(std::size_t n) { return static_cast<std::uint32_t>((next() >> 32) * n >> 32); }
  /// A number from low to high, both included.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(std::size_t{high} - low + 1); }
  bool percent(std::uint32_t chance) { return below(100) < chance; }

  template <class T>
  const T& pick(std::span<const T> from) { return from[below(from.size())]; }
  template <class T>
  T pick(std::initializer_list<T> from) { return from.begin()[below(from.size())]; }
  std::string pick(std::initializer_list<const char*> from) { return from.begin()[below(from.size())]; }

 private:
  std::uint64_t state_;
};

/// A seed for the nth thing made from a seed: things can be made again one by one.
inline std::uint64_t derive(std::uint64_t seed, std::uint64_t n) { return Random(seed ^ n * 0xd1342543de82ef95).next(); }

}  // namespace weir::oracle
