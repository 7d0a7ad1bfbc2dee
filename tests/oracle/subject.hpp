// weir as the oracle sees it: a filter through all stages, and each stage run on packets. The only file that calls
// the rooms; a new engine is a row in engines.def and a case in `run`.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cbpf/program.hpp"
#include "ebpf_forms.hpp"
#include "ir/program.hpp"
#include "names/names.hpp"
#include "native/batch.hpp"
#include "native/emit.hpp"
#include "pred/filter.hpp"
#include "setting.hpp"

namespace weir::oracle {

enum class Engine : std::uint8_t {
#define WEIR_ENGINE(name, words, agreement) name,
#include "engines.def"
#undef WEIR_ENGINE
};
/// eBPF sees packets where they are whole: its programs ask the length instead of what was captured.
constexpr bool sees_whole_packets_only(Engine e) { return Engine::EbpfSocket <= e && e <= Engine::EbpfMaps; }
enum class Agreement : std::uint8_t { Exact, Refines };
struct EngineRow {
  Engine engine;
  const char* name;
  Agreement agreement;
};
inline constexpr EngineRow engines[] = {
#define WEIR_ENGINE(name, words, agreement) {Engine::name, words, Agreement::agreement},
#include "engines.def"
#undef WEIR_ENGINE
};

/// A program of classic BPF taken for one that others made.
struct Lifted {
  bool for_kernel = false;  ///< it asks what only the kernel knows
  ir::Program graph;        ///< what it stands for
  cbpf::Program again;      ///< optimized and emitted
};

/// Nothing when it has a loop, as libpcap's `protochain`, or gets too large.
Result<Lifted> lift(const cbpf::Program& p);

/// A filter in all its forms.
struct Subject {
  pred::Filter meaning, gathered;
  ir::Program graph, optimized, gathered_optimized;
  cbpf::Program code, optimized_code, gathered_code;
  /// What programs stand for, and the optimized one compiled anew. Nothing where that gets too large, as `--from` says then of the program:
  /// so does geneve behind headers of many lengths, asked for again and again.
  std::optional<ir::Program> lifted;
  std::optional<cbpf::Program> lifted_again;
  /// Nothing on machines that there is no native code for, nor for filters that would take more of it than is of use: then the
  /// library has others run them, and so does `run`.
  std::optional<native::Code> native, optimized_native;
  /// As this CPU can best, and without vectors.
  std::optional<native::BatchCode<Packet>> batch, plain_batch;
  std::optional<native::BatchCode<PacketView>> views, plain_views;  ///< for filters that ask for no metadata
  std::optional<native::Encoded> aarch64, optimized_aarch64;

  std::vector<EbpfForm> ebpf;          ///< in the order of their engines
  std::uint32_t snaplen = 0;           ///< what a filter returns for a packet that it accepts

  /// What weir::compile gives.
  const cbpf::Program& program() const;
};

/// Parses and resolves.
Result<pred::Filter> meaning(const Setting& setting, const std::string& filter, const names::Names& names);

/// Parses, resolves, lowers, optimizes and emits.
Result<Subject> compile(const Setting& setting, const std::string& filter, const names::Names& names);

/// What is wrong with a compiled filter before any packet is seen: the verifiers' words.
std::optional<std::string> defect(const Subject& subject);

/// What an engine returns for a packet.
std::uint32_t run(Engine engine, const Subject& subject, const Packet& packet);

/// A program of libpcap's on our machine.
std::uint32_t run_on_our_machine(const cbpf::Program& p, const Packet& packet);
std::uint32_t run(const Lifted& p, const Packet& packet);
std::uint32_t run_again(const Lifted& p, const Packet& packet);

/// How many headers `protochain` follows.
std::uint32_t protochain_limit();

}  // namespace weir::oracle
