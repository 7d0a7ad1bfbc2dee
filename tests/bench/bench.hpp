// What compiling and running filters costs, for four engines: libpcap with and without its optimizer, ours with and
// without (`-O`). Compiling happens in a process of its own, with a limit on its time.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cbpf/program.hpp"
#include "traffic.hpp"

namespace weir::bench {

enum class Engine : std::uint8_t { LibpcapOptimized, LibpcapPlain, Weir, WeirPlain };
inline constexpr std::size_t engine_count = 4;
inline constexpr std::array<const char*, engine_count> engine_names = {"libpcap", "libpcap -O", "weir", "weir -O"};

/// Of one filter and one engine.
struct Compiled {
  bool ended = false;          ///< in time, and with a program
  double seconds = 0;          ///< of processor time, for one compilation
  std::uint64_t kilobytes = 0; ///< how much more memory the process had at its most
  std::optional<cbpf::Program> program;  ///< nothing where it does not fit
  std::string message;         ///< why there is none
};

/// Compiles until `steady` seconds are over, at least once. The limit is on the whole.
Compiled compile(Engine engine, const oracle::Setting& setting, const std::string& filter, double most_seconds, double steady = 0.1);

/// Compiles for Ethernet in this process, so many times; whether that gives a program.
bool compile_here(Engine engine, const oracle::Setting& setting, const std::string& filter, std::size_t times);

/// Instructions executed per packet.
struct Executed {
  double average = 0;
  std::uint64_t packets = 0;
};

/// A trace of packets of the model, a part of them aimed at each filter. Packets pass in blocks, so that a million
/// need not be in memory at once.
class Trace {
 public:
  Trace(const TrafficModel& model, oracle::Setting setting, std::uint64_t packets)
      : model_(model), setting_(std::move(setting)), packets_(packets) {}

  /// Adds a program; `aim` is the filter that its part of the packets is aimed at. Its number.
  std::size_t add(const cbpf::Program& program, const std::string& aim);
  /// Runs all programs. One that takes long sees the first packets only: those of so many steps.
  std::vector<Executed> run(std::uint64_t most_steps = 400'000'000);

 private:
  struct Runner {
    const cbpf::Program* program;
    const std::vector<oracle::Sample>* aimed;
    std::uint64_t steps = 0, packets = 0;
  };
  void pass(Runner& runner, const std::vector<oracle::Sample>& block) const;
  const TrafficModel& model_;
  oracle::Setting setting_;
  std::uint64_t packets_;
  std::vector<Runner> runners_;
  std::vector<std::pair<std::string, std::unique_ptr<std::vector<oracle::Sample>>>> aims_;
};

}  // namespace weir::bench
