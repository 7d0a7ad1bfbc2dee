// Values of loads as their bytes lie in the memory of this host.
#pragma once
#include <bit>
#include <cstdint>

namespace weir::ebpf {

/// The value of a load of `size` bytes as its bytes lie in memory, and back.
constexpr std::uint32_t as_raw(std::uint32_t k, std::uint32_t size) {
  if (size == 1 || std::endian::native == std::endian::big) return k;
  if (size == 2) return (k & 0xff) << 8 | (k >> 8 & 0xff);
  return std::byteswap(k);
}

/// The same for any number of bytes up to eight.
constexpr std::uint64_t in_memory(std::uint64_t k, std::uint32_t size) {
  return std::endian::native == std::endian::big ? k : std::byteswap(k) >> (64 - 8 * size);
}

/// The highest value of a load.
constexpr std::uint32_t highest(std::uint32_t size) { return size == 4 ? 0xffffffff : (1u << 8 * size) - 1; }

}  // namespace weir::ebpf
