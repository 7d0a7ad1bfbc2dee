#include "native/batch.hpp"

#include <type_traits>

#include "native/encoders.hpp"

namespace weir::native {

template <typename Record>
Result<Encoded> encode_batch(const ir::Program& p, Cpu cpu, Vectors vectors) {
  return encode(p, cpu, std::is_same_v<Record, PacketView> ? Form::Views : Form::Packets, vectors);
}

template <typename Record>
Result<BatchCode<Record>> emit_batch(const ir::Program& p, Vectors vectors) {
  constexpr auto cpu = host_cpu();
  if (!cpu) return no_encoder();
  const auto encoded = encode_batch<Record>(p, *cpu, vectors);
  auto memory = loaded(encoded);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return BatchCode<Record>(std::move(*memory), encoded->instruction_bytes);
}

template Result<Encoded> encode_batch<Packet>(const ir::Program&, Cpu, Vectors);
template Result<Encoded> encode_batch<PacketView>(const ir::Program&, Cpu, Vectors);
template Result<BatchCode<Packet>> emit_batch<Packet>(const ir::Program&, Vectors);
template Result<BatchCode<PacketView>> emit_batch<PacketView>(const ir::Program&, Vectors);

}  // namespace weir::native
