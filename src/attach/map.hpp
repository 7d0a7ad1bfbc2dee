// A map of a program in the kernel: a set of keys that may change while the program runs.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "attach/descriptor.hpp"
#include "base/result.hpp"
#include "ebpf/program.hpp"

namespace weir::attach {

/// Any number of threads, of this process and others, may change and ask it at the same time; the kernel orders changes of one key.
/// Tested by tests/kernel/load_test.cc.
class Map {
 public:
  /// Makes it with the contents that the program says, and room for so many keys more. Errors: System (no permission), TooLarge
  /// (more than the kernel takes, or has memory for). `hook` is that of the program, for the message.
  static Result<Map> make(const ebpf::Map& map, std::uint32_t room, ebpf::Hook hook);

  /// Keys have key_bytes() bytes, as the program's own. Adding a key that is there changes nothing. Errors: TooLarge (it is full), System.
  Result<void> add(std::span<const std::uint8_t> key);
  /// Whether it was there.
  Result<bool> remove(std::span<const std::uint8_t> key);
  /// Whether the program would find it; in a trie also by a prefix that covers it.
  Result<bool> contains(std::span<const std::uint8_t> key) const;

  /// The sum over all CPUs of the numbers at the start of the value of key `index`: of counters.
  Result<std::vector<std::uint64_t>> counts(std::uint32_t index) const;

  int descriptor() const { return descriptor_.get(); }
  ebpf::MapKind kind() const { return kind_; }
  std::uint32_t key_bytes() const { return key_bytes_; }
  Span span() const { return span_; }  ///< the words of the filter whose list it is

 private:
  Map(Descriptor descriptor, const ebpf::Map& map, std::uint32_t capacity)
      : descriptor_(std::move(descriptor)), kind_(map.kind), key_bytes_(map.key_bytes), value_bytes_(map.value_bytes),
        capacity_(capacity), span_(map.span) {}
  Result<void> fill(const ebpf::Map& map);

  Descriptor descriptor_;
  ebpf::MapKind kind_;
  std::uint32_t key_bytes_, value_bytes_, capacity_;
  Span span_;
};

}  // namespace weir::attach
