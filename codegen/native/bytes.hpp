// Values of loads as their bytes lie in the memory of a little-endian CPU.
#pragma once
#include <bit>
#include <cstdint>

namespace weir::native {

/// The value of a load of `size` bytes as its bytes lie in memory, and back.
constexpr std::uint32_t swapped(std::uint32_t k, std::uint32_t size) {
  if (size == 1) return k;
  if (size == 2) return (k & 0xff) << 8 | (k >> 8 & 0xff);
  return k << 24 | (k & 0xff00) << 8 | (k >> 8 & 0xff00) | k >> 24;
}

/// The same for any number of bytes up to eight.
constexpr std::uint64_t in_memory(std::uint64_t k, std::uint32_t size) { return std::byteswap(k) >> (64 - 8 * size); }

/// The highest value of a load.
constexpr std::uint32_t highest(std::uint32_t size) { return size == 4 ? 0xffffffff : (1u << 8 * size) - 1; }

/// A number of `size` bytes as encoders take it: with its sign.
constexpr std::uint32_t sign_extended(std::uint32_t k, std::uint32_t size) {
  return size == 2 ? static_cast<std::uint32_t>(static_cast<std::int16_t>(k)) : k;
}

}  // namespace weir::native
