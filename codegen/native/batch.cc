#include "native/batch.hpp"

#include <type_traits>

#include "native/encoders.hpp"

namespace weir::native {

template <typename Record>
Result<Encoded> encode_batch(const ir::Program& p, Cpu cpu) {
  return encode(p, cpu, std::is_same_v<Record, PacketView> ? Form::Views : Form::Packets);
}

template <typename Record>
Result<BatchCode<Record>> emit_batch(const ir::Program& p) {
  constexpr auto cpu = host_cpu();
  if (!cpu) return no_encoder();
  const auto encoded = encode_batch<Record>(p, *cpu);
  auto memory = loaded(encoded);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return BatchCode<Record>(std::move(*memory), encoded->instruction_bytes);
}

template Result<Encoded> encode_batch<Packet>(const ir::Program&, Cpu);
template Result<Encoded> encode_batch<PacketView>(const ir::Program&, Cpu);
template Result<BatchCode<Packet>> emit_batch<Packet>(const ir::Program&);
template Result<BatchCode<PacketView>> emit_batch<PacketView>(const ir::Program&);

}  // namespace weir::native
