// A filter as a loop over many packets. Tested by tests/unit/native/batch_test.cc.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/packet.hpp"
#include "base/packet_view.hpp"
#include "base/result.hpp"
#include "ir/program.hpp"
#include "native/code.hpp"

namespace weir::native {

/// What the code is called with: the packets, how many, and a word for every 64 of them: bit i % 64 of word i / 64 is the
/// verdict of packet i, bits behind the last packet become 0. A `Record` is a Packet or a PacketView.
template <typename Record>
using BatchFunction = void (*)(const Record* packets, std::size_t count, std::uint64_t* verdicts);

template <typename Record>
class BatchCode {
 public:
  explicit BatchCode(ExecutableMemory memory, std::size_t instructions) : memory_(std::move(memory)), instruction_bytes_(instructions) {}

  BatchFunction<Record> function() const {
    return reinterpret_cast<BatchFunction<Record>>(reinterpret_cast<std::uintptr_t>(memory_.data()));
  }
  std::span<const std::uint8_t> instructions() const { return {memory_.data(), instruction_bytes_}; }

 private:
  ExecutableMemory memory_;
  std::size_t instruction_bytes_;
};

/// As native::encode: the code of a BatchFunction. Unsupported for a PacketView of which a filter asks metadata.
template <typename Record>
Result<Encoded> encode_batch(const ir::Program& p, Cpu cpu, Vectors vectors = Vectors::None);

/// As native::emit, and with the errors of both.
template <typename Record>
Result<BatchCode<Record>> emit_batch(const ir::Program& p, Vectors vectors = host_vectors());

}  // namespace weir::native
